"""Who may do what. Views name one of these; without one nobody but a signed-in person gets in."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from workspaces.middleware import membership_of

if TYPE_CHECKING:
    from rest_framework.views import APIView


def has_workspace(request: Request) -> bool:
    return membership_of(request._request) is not None


def workspace_id_of(request: Request) -> int:
    """Of the active workspace of who asks. Raises NotFound for somebody who has none: nothing in it is theirs to see."""
    membership = membership_of(request._request)
    if membership is None:
        raise NotFound
    return int(membership.workspace_id)


def may_edit(request: Request) -> bool:
    membership = membership_of(request._request)
    return membership is not None and membership.may_edit


class IsMember(BasePermission):
    """Signed in, with an active workspace; its editors and owners may also write."""

    message = _("Only editors of your active workspace may do this.")

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.method in SAFE_METHODS:
            return has_workspace(request)
        return may_edit(request)


class IsEditor(BasePermission):
    """Signed in, and editor or owner of the active workspace."""

    message = IsMember.message

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return may_edit(request)


class IsEditorOrReadOnly(BasePermission):
    """Everybody reads; editors of any workspace and staff write: for facts that all workspaces share."""

    message = IsMember.message

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return request.method in SAFE_METHODS or bool(getattr(request.user, "is_staff", False)) or may_edit(request)
