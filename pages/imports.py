"""Bringing in what a link shows. Also where links arrive that a phone shares with the installed app."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crawler import outbound, services
from crawler.links import NoVideo, link_in
from pages.asking import editor
from pages.forms import ImportForm
from workspaces.models import Membership


@require_http_methods(["GET", "HEAD", "POST"])
@editor
def import_link(request: HttpRequest, membership: Membership) -> HttpResponse:
    """POST `url`. GET may carry `url`, or `text` with a link in it, as phones share them."""
    form = ImportForm(request.POST) if request.method == "POST" else ImportForm(initial={"url": _shared(request)})
    if request.method == "POST" and form.is_valid():
        try:
            job = services.import_url(form.cleaned_data["url"], workspace=membership.workspace, by=membership.user)
        except outbound.ForbiddenAddress as error:
            form.add_error("url", error.message)
        except outbound.FetchError:
            form.add_error("url", _("This address cannot be found."))
        else:
            return redirect("source", job.source_id)
    return render(request, "pages/import.html", {"form": form}, status=422 if form.errors else 200)


def _shared(request: HttpRequest) -> str:
    """The link in what was shared, where there is one."""
    words = f"{request.GET.get('url', '')} {request.GET.get('text', '')}"[:5000]
    try:
        return link_in(words)
    except NoVideo:
        return ""
