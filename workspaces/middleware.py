"""The workspace a request acts in. Found at its first use: pages that need none ask nothing."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from workspaces.models import Membership, Workspace, active_membership


class ActiveWorkspaceMiddleware:
    """Gives templates `request.membership` and `request.workspace`; both are false for those who have none.

    Code takes them by the functions below: a lazy object is never `None`, whatever it holds.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        lazy: Any = request
        lazy.membership = SimpleLazyObject(lambda: membership_of(request))
        lazy.workspace = SimpleLazyObject(lambda: workspace_of(request))
        return self.get_response(request)


def membership_of(request: HttpRequest) -> Membership | None:
    """The active membership of who asks, read once per request and person (a token may name another than the session)."""
    known: tuple[Any, Membership | None] | None = getattr(request, "_known_membership", None)
    if known is None or known[0] != request.user.pk:
        known = (request.user.pk, active_membership(request.user))
        request._known_membership = known  # type: ignore[attr-defined]  # our own note on the request
    return known[1]


def workspace_of(request: HttpRequest) -> Workspace | None:
    membership = membership_of(request)
    return membership.workspace if membership else None
