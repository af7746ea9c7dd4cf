"""Who may do what. Views name one of these; without one nobody but a signed-in person gets in."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from workspaces.models import Membership, active_membership


def membership_of(request: Request) -> Membership | None:
    """The membership that the request acts with, looked up once; None for somebody without a workspace."""
    known: Any = request._request
    if not hasattr(known, "api_membership"):
        known.api_membership = active_membership(request.user)
    found: Membership | None = known.api_membership
    return found


def workspace_id_of(request: Request) -> int | None:
    membership = membership_of(request)
    return membership.workspace_id if membership else None


class IsMember(BasePermission):
    """Signed in, with an active workspace; its editors and owners may also write."""

    message = _("Only editors of your active workspace may do this.")

    def has_permission(self, request: Request, view: APIView) -> bool:
        membership = membership_of(request)
        return membership is not None and (request.method in SAFE_METHODS or membership.may_edit)


class IsEditor(BasePermission):
    """Signed in, and editor or owner of the active workspace; reading needs that too."""

    message = IsMember.message

    def has_permission(self, request: Request, view: APIView) -> bool:
        membership = membership_of(request)
        return membership is not None and membership.may_edit


class IsEditorOrReadOnly(BasePermission):
    """Everybody reads; editors of any workspace and staff write: for facts that all workspaces share."""

    message = IsMember.message

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in SAFE_METHODS:
            return True
        membership = membership_of(request)
        return bool(request.user and request.user.is_staff) or (membership is not None and membership.may_edit)
