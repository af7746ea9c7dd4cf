"""What staff do from the dashboard."""

from django.contrib import messages
from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crawler import pauses
from crawler.models import ProviderPause
from jobs import kinds, nudge
from jobs.models import PausedKind


@require_POST
def pause_or_resume(request: HttpRequest, kind: str) -> HttpResponse:
    """Keep a whole kind of job from being claimed, or let it go on. What runs already is not stopped."""
    if not request.user.has_perms(["jobs.add_pausedkind", "jobs.delete_pausedkind"]):
        raise PermissionDenied
    try:
        label = kinds.get(kind).label
    except KeyError:
        raise Http404 from None
    by = str(request.user)
    if request.POST.get("act") == "pause":
        paused, is_new = PausedKind.objects.get_or_create(kind=kind, defaults={"reason": _("Paused by %s.") % by})
        if is_new:
            _log(request, paused, ADDITION)
        messages.warning(request, _("%(kind)s are paused: none begins until they are resumed.") % {"kind": label})
    else:
        for paused in PausedKind.objects.filter(kind=kind):
            _log(request, paused, DELETION)
            paused.delete()
        nudge.nudge(kind)
        messages.success(request, _("%(kind)s go on.") % {"kind": label})
    return HttpResponseRedirect(reverse("admin:index"))


@require_POST
def resume_service(request: HttpRequest, name: str) -> HttpResponse:
    """Ask a paused provider again, and let those go on that wait for it."""
    if not request.user.has_perm("crawler.delete_providerpause"):
        raise PermissionDenied
    pause = ProviderPause.objects.filter(provider=name).first()
    if pause is None:
        messages.info(request, _("It is not paused any more."))
    else:
        _log(request, pause, DELETION)
        pauses.resume(name, by=str(request.user))
        messages.success(request, _("%(name)s is asked again.") % {"name": name})
    return HttpResponseRedirect(reverse("admin:index"))


def _log(request: HttpRequest, paused: Model, flag: int) -> None:
    LogEntry.objects.log_actions(int(request.user.pk or 0), [paused], flag, single_object=True)
