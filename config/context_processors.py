"""What every template may ask for."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from config.middleware import events_url


def events(request: HttpRequest) -> dict[str, Any]:
    """Where this visitor's browser finds live events."""
    return {"events_url": SimpleLazyObject(lambda: events_url(request))}
