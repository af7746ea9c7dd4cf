"""What every template may ask for."""

from typing import Any

from constance import config
from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from config.middleware import events_url

KEPT_HERE = {f"django.core.mail.backends.{name}.EmailBackend" for name in ("console", "dummy", "filebased")}


def events(request: HttpRequest) -> dict[str, Any]:
    """Where this visitor's browser finds live events."""
    return {"events_url": SimpleLazyObject(lambda: events_url(request))}


def mail(request: HttpRequest) -> dict[str, Any]:
    """Whether mail reaches people, or only the server's log."""
    return {"sends_mail": settings.EMAIL_BACKEND not in KEPT_HERE}


def sign_up(request: HttpRequest) -> dict[str, Any]:
    """Whether strangers may make an account; it is read only where a page says so."""
    return {"is_sign_up_open": lambda: config.SIGN_UP_OPEN}
