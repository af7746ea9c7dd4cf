"""A person's own page: their workspaces and their API tokens."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from api import tokens
from workspaces.middleware import membership_of
from workspaces.models import Membership


@require_safe
@login_required
@never_cache
def account(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
@login_required
@never_cache
def new_token(request: HttpRequest) -> HttpResponse:
    """The answer shows the token, for the only time."""
    try:
        plain = tokens.create_token(_person(request))
    except tokens.TooManyTokens:
        messages.error(request, _("You hold %(most)d tokens. Revoke one first.") % {"most": tokens.MOST_TOKENS})
        return redirect("account")
    return _page(request, plain)


@require_POST
@login_required
def revoke(request: HttpRequest) -> HttpResponse:
    """POST `prefix`."""
    if tokens.revoke_token(_person(request), request.POST.get("prefix", "")):
        messages.success(request, _("The token is revoked: from now on it opens nothing."))
    else:
        messages.error(request, _("There is no such token."))
    return redirect("account")


def _page(request: HttpRequest, plain: str = "") -> HttpResponse:
    person = _person(request)
    context = {
        "tokens": tokens.list_tokens(person),
        "fresh": plain,
        "active": membership_of(request),
        "memberships": Membership.objects.filter(user_id=person.pk).select_related("workspace").order_by("workspace__name"),
    }
    return render(request, "pages/account.html", context)


def _person(request: HttpRequest) -> AbstractBaseUser:
    assert isinstance(request.user, AbstractBaseUser)  # login_required
    return request.user
