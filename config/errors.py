"""Where requests go that failed outside of a view: the API's answer in JSON, everybody else's as a page."""

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from api import errors as api
from pages import errors


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return api.bad_request(request, exception) if api.is_api(request) else errors.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return api.permission_denied(request, exception) if api.is_api(request) else defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return api.not_found(request, exception) if api.is_api(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    return api.server_error(request) if api.is_api(request) else defaults.server_error(request)
