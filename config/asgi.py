"""Live events only (`/ws/events`), for uvicorn; pages and API are gunicorn's, see config/wsgi.py."""

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
get_asgi_application()  # sets Django up, which the imports below need

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.urls import re_path  # noqa: E402

from pages.events import EventsConsumer  # noqa: E402


async def answer_http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Only says that the process lives."""
    is_alive = scope["path"] == "/health/live"
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200 if is_alive else 404, "headers": headers})
    await send({"type": "http.response.body", "body": b"alive\n" if is_alive else b"Live events are at /ws/events.\n"})


async def refuse(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """A WebSocket at an address that does not exist is closed, not an error in the log."""
    await receive()
    await send({"type": "websocket.close", "code": 4404})


routes: list[Any] = [re_path(r"^ws/events$", EventsConsumer.as_asgi()), re_path("", refuse)]  # type: ignore[arg-type]
application = ProtocolTypeRouter(
    {
        "http": answer_http,
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(routes))),
    }
)
