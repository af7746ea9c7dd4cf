"""Changing the workspace one works in."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from workspaces.models import Membership


@require_POST
@login_required
def switch_workspace(request: HttpRequest, pk: int) -> HttpResponse:
    """POST with `next`. 404 for a workspace the person is not a member of."""
    membership = get_object_or_404(Membership.objects.select_related("workspace", "user"), workspace=pk, user_id=request.user.pk)
    membership.activate()
    messages.success(request, _("You work in “%(name)s” now.") % {"name": membership.workspace.name})
    following = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(following, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        following = "/"
    return HttpResponseRedirect(following)
