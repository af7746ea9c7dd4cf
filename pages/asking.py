"""Who asks: for a page of the workspace, or for a download without an account."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from workspaces.middleware import membership_of
from workspaces.models import Membership

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
MemberView = Callable[Concatenate[HttpRequest, Membership, P], HttpResponseBase]


def is_htmx(request: HttpRequest) -> bool:
    """Asked for by the script of a page, which wants a part of it."""
    return bool(getattr(request, "htmx", False))


def asker(request: HttpRequest) -> dict[str, Any]:
    """The person, or else this browser's session, begun if need be: as downloads.services takes them."""
    if isinstance(request.user, AbstractBaseUser):
        return {"user": request.user}
    if not request.session.session_key:
        request.session.create()
    return {"session_key": request.session.session_key}


def known_asker(request: HttpRequest) -> dict[str, Any]:
    """The same, but nobody where there is no session yet: looking begins none."""
    if isinstance(request.user, AbstractBaseUser):
        return {"user": request.user}
    return {"session_key": request.session.session_key or ""}


def member(view: MemberView[P]) -> View[P]:
    """Hands over the active membership of who is signed in; others are asked to sign in."""

    def asked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        membership = membership_of(request)
        if membership is None:
            raise PermissionDenied(_("You belong to no workspace. Ask somebody who does to invite you."))
        return view(request, membership, *args, **kwargs)

    return cast(View[P], login_required(update_wrapper(asked, view)))


def editor(view: MemberView[P]) -> View[P]:
    """The same for those who may change what the workspace watches."""

    def asked(request: HttpRequest, membership: Membership, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not membership.may_edit:
            raise PermissionDenied(_("Only editors of this workspace may do this."))
        return view(request, membership, *args, **kwargs)

    return member(cast(MemberView[P], update_wrapper(asked, view)))
