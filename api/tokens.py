"""API tokens: made and shown once, listed by their first characters, revoked at once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone
from knox.models import AuthToken

MOST_TOKENS = 20


class TooManyTokens(Exception):
    """A person holds MOST_TOKENS already: one has to be revoked first."""


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What may be shown of a token after its birth. `prefix` also names it when it is revoked."""

    prefix: str
    created_at: datetime
    expires_at: datetime | None


def create_token(user: AbstractBaseUser) -> str:
    """A new token in plain text, for the only time: just its hash is kept. Raises TooManyTokens."""
    _forget_expired(user)
    if AuthToken.objects.filter(user_id=user.pk).count() >= MOST_TOKENS:
        raise TooManyTokens
    _row, plain = AuthToken.objects.create(user=user)
    return str(plain)


def list_tokens(user: AbstractBaseUser) -> list[TokenInfo]:
    """Newest first, without the expired ones."""
    rows: Any = AuthToken.objects.filter(user_id=user.pk, expiry__gt=timezone.now()).order_by("-created")
    return [TokenInfo(row.token_key, row.created, row.expiry) for row in rows]


def revoke_token(user: AbstractBaseUser, prefix: str) -> bool:
    """End the person's token that begins so; the next request with it is refused. False if there was none."""
    if "\x00" in prefix:
        return False
    deleted, _by_model = AuthToken.objects.filter(user_id=user.pk, token_key=prefix).delete()
    return bool(deleted)


def _forget_expired(user: AbstractBaseUser) -> None:
    AuthToken.objects.filter(user_id=user.pk, expiry__lte=timezone.now()).delete()
