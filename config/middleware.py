"""What every answer says to browsers: which places a page may load from, and which sites may call the API."""

from collections.abc import Callable
from urllib.parse import urlsplit

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers


class ContentPolicyMiddleware(CSPMiddleware):
    """The strict policy for pages, a looser one for the admin, whose theme computes styles and scripts in the page."""

    def get_policy_parts(self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only:
            if parts.config is None and request.path_info.startswith("/admin/"):
                parts.config = settings.ADMIN_CONTENT_POLICY
            parts.update = {**(parts.update or {}), "connect-src": [events_origin(request)]}
        return parts


def events_url(request: HttpRequest) -> str:
    """Where this visitor's browser finds live events: EVENTS_URL, or the port after ours on the host it already uses."""
    if settings.EVENTS_URL:
        return str(settings.EVENTS_URL)
    host = urlsplit(f"//{request.get_host()}").hostname or "localhost"
    host = f"[{host}]" if ":" in host else host
    return f"{'wss' if request.is_secure() else 'ws'}://{host}:{settings.PORT + 1}/ws/events"


def events_origin(request: HttpRequest) -> str:
    parts = urlsplit(events_url(request))
    return f"{parts.scheme}://{parts.netloc}"


class CrossOriginMiddleware:
    """Lets the sites in CORS_ALLOWED_ORIGINS call the API with a token. Never with cookies: those stay this site's own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not (settings.CORS_ALLOWED_ORIGINS and request.path_info.startswith("/api/")):
            return self.get_response(request)
        origin = request.headers.get("Origin", "")
        is_preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = HttpResponse(status=204) if is_preflight else self.get_response(request)
        patch_vary_headers(response, ["Origin"])
        if origin in settings.CORS_ALLOWED_ORIGINS:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = "Content-Disposition, Content-Length, Location, Retry-After"
            if is_preflight:
                response["Access-Control-Allow-Methods"] = "GET, HEAD, POST, PUT, PATCH, DELETE"
                response["Access-Control-Allow-Headers"] = "Authorization, Content-Type, If-None-Match, Range"
                response["Access-Control-Max-Age"] = "3600"
        return response
