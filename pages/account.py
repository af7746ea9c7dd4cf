"""A person's own page: their workspaces and their API tokens."""

from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from api import tokens
from crawler.encryption import DecryptionError, decrypt, encrypt
from workspaces.middleware import membership_of
from workspaces.models import Membership

FRESH = "fresh_token"
"""In the session, encrypted, from the making of a token until it is shown."""


@require_safe
@login_required
@never_cache
def account(request: HttpRequest) -> HttpResponse:
    """Shows a new token for the only time: what the session kept of it is forgotten."""
    person = _person(request)
    context = {
        "tokens": tokens.list_tokens(person),
        "fresh": _take_fresh(request) if request.method == "GET" else "",
        "active": membership_of(request),
        "memberships": Membership.objects.filter(user_id=person.pk).select_related("workspace").order_by("workspace__name"),
    }
    return render(request, "pages/account.html", context)


@require_POST
@login_required
def new_token(request: HttpRequest) -> HttpResponse:
    """Leads to the page that shows the token: loading that again makes no other."""
    try:
        request.session[FRESH] = encrypt(tokens.create_token(_person(request)), context=FRESH)
    except tokens.TooManyTokens:
        messages.error(request, _("You hold %(most)d tokens. Revoke one first.") % {"most": tokens.MOST_TOKENS})
    response = redirect("account")
    response.status_code = HTTPStatus.SEE_OTHER
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def revoke(request: HttpRequest) -> HttpResponse:
    """GET asks whether to end the token that begins with `prefix`; POST does."""
    if request.method != "POST":
        prefix = request.GET.get("prefix", "")
        if prefix in {token.prefix for token in tokens.list_tokens(_person(request))}:
            return render(request, "pages/token_revoke.html", {"prefix": prefix})
        messages.error(request, _("There is no such token."))
    elif tokens.revoke_token(_person(request), request.POST.get("prefix", "")):
        messages.success(request, _("The token is revoked: from now on it opens nothing."))
    else:
        messages.error(request, _("There is no such token."))
    return redirect("account")


def _take_fresh(request: HttpRequest) -> str:
    if FRESH not in request.session:
        return ""
    try:
        return decrypt(request.session.pop(FRESH), context=FRESH)
    except DecryptionError:
        messages.error(request, _("The new token can no longer be shown. Revoke it and take another."))
        return ""


def _person(request: HttpRequest) -> AbstractBaseUser:
    assert isinstance(request.user, AbstractBaseUser)  # login_required
    return request.user
