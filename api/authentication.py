"""`Authorization: Bearer <token>`: hashed at rest, looked up by the hash, in one query."""

from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import knox_settings
from rest_framework.authentication import get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

_BEGINS = knox_settings.TOKEN_PREFIX.encode()


class BearerAuthentication(TokenAuthentication):
    """Knox's tokens and header; its own search walks the person's tokens, and fails on bytes that are not UTF-8."""

    def authenticate(self, request: Request) -> tuple[Any, AuthToken] | None:
        scheme, *rest = given = get_authorization_header(request).split() or [b""]
        is_ours = scheme.lower() == b"bearer"
        # A token sent otherwise is no anonymous request either. Other schemes are those of a proxy before us.
        is_token = scheme.lower() == b"token" or any(part.startswith(_BEGINS) for part in given)
        if (is_ours and len(rest) != 1) or (is_token and not is_ours):
            raise AuthenticationFailed(how_to_sign_in())
        found: tuple[Any, AuthToken] | None = super().authenticate(request)
        return found

    def authenticate_credentials(self, token: bytes) -> tuple[Any, AuthToken]:
        try:
            digest = hash_token(token.decode("ascii"))
        except UnicodeDecodeError as error:
            raise _invalid_token() from error
        found = AuthToken.objects.select_related("user").filter(digest=digest, expiry__gt=timezone.now()).first()
        if found is None or not found.user.is_active:
            raise _invalid_token()  # the same words for unknown, expired, revoked and closed
        return found.user, found


def how_to_sign_in() -> str:
    """For who sent no token, or sent it otherwise."""
    return _("`Authorization: Bearer <token>` is expected. Tokens are made on the account page: %(page)s.") % {
        "page": reverse("account")
    }


def _invalid_token() -> AuthenticationFailed:
    sentence = _("Invalid token: unknown, expired or revoked. Tokens are made on the account page: %(page)s.")
    return AuthenticationFailed(sentence % {"page": reverse("account")})
