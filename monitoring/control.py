"""What staff do from the dashboard."""

from django.contrib import messages
from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

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


def _log(request: HttpRequest, paused: PausedKind, flag: int) -> None:
    LogEntry.objects.log_actions(int(request.user.pk or 0), [paused], flag, single_object=True)
