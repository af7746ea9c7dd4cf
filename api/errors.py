"""Every error of the API, as one shape: `{code, detail}`, and beside them what that code needs.

`code` is for machines and never changes, `detail` is a sentence for a person. Wrong input adds `fields` (name to sentences),
a refusal for now adds `reason` and `retry_after` (seconds, also as header).
"""

import logging
import sys
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.http.request import UnreadablePostError
from django.urls import reverse
from django.utils.translation import gettext as _
from redis.exceptions import RedisError
from rest_framework import exceptions, serializers, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from downloads.errors import TooManyWaiting
from jobs.errors import InvalidTransition, JobError, PermanentError

logger = logging.getLogger(__name__)

RETRY_SECONDS = 30
"""What a client is told to wait when nothing better is known."""

PART_DOWN = (OperationalError, InterfaceError, RedisError)
"""The database or Redis does not answer, or gave up on a statement that took too long."""


class Problem(serializers.Serializer[Any]):
    # The error document, as the schema shows it.
    code = serializers.CharField(help_text="Stable, for machines.")
    detail = serializers.CharField(help_text="A sentence for a person.")


class InvalidProblem(Problem):
    fields = serializers.DictField(  # type: ignore[assignment]  # the name that clients see
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="What is wrong, by the name of the parameter or the path of the field.",
    )


class BusyProblem(Problem):
    reason = serializers.CharField(help_text="Why not now, for machines.")
    retry_after = serializers.IntegerField(min_value=0, help_text="Seconds.")


class TooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class Busy(exceptions.APIException):
    """Not now: the same request may succeed after `wait` seconds."""

    status_code: int = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "busy"

    def __init__(self, detail: str, *, code: str, wait: int = RETRY_SECONDS) -> None:
        super().__init__(detail, code)
        self.wait = wait


class Unavailable(Busy):
    """A part that this answer needs is down."""

    status_code: int = status.HTTP_503_SERVICE_UNAVAILABLE


class Conflict(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class Refused(exceptions.APIException):
    """The request is well formed and yet cannot be done, now or later."""

    status_code = status.HTTP_400_BAD_REQUEST


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None lets the error go on to Django, which answers 500 through `server_error`."""
    known = translate(error)
    if known is None:
        return None
    if known.status_code >= 500:
        logger.error("The API cannot answer", extra={"code": known.get_codes()}, exc_info=error)
    set_rollback()
    return Response(body(known), status=known.status_code, headers=headers(known))


def translate(error: BaseException) -> exceptions.APIException | None:
    """The API's own error for what the stages and Django raise; None for what nobody foresaw."""
    match error:
        case exceptions.APIException():
            return error
        case Http404():
            return exceptions.NotFound()
        case PermissionDenied():
            return exceptions.PermissionDenied()
        case ValidationError():
            return exceptions.ValidationError(serializers.as_serializer_error(error))
        case RequestDataTooBig():
            return TooLarge(_("The request is too large."))
        case SuspiciousOperation() | UnreadablePostError():
            return exceptions.ParseError(_("The request cannot be read."))
        case TooManyWaiting():
            return Busy(error.message, code=error.code)
        case InvalidTransition():
            return Conflict(str(error))
        case PermanentError():
            return Refused(error.message, error.code)
        case JobError():
            wait = getattr(error, "retry_after", None)
            return Unavailable(error.message, code=error.code, wait=int(wait.total_seconds()) if wait else RETRY_SECONDS)
        case _ if isinstance(error, PART_DOWN):
            return Unavailable(_("A part of the service is down. Please try again soon."), code="unavailable")
    return None


def body(error: exceptions.APIException) -> dict[str, Any]:
    """The JSON document of an error."""
    if isinstance(error, exceptions.ValidationError):
        return _invalid(error)
    document: dict[str, Any] = {"code": _code(error), "detail": str(error.detail)}
    if isinstance(error, exceptions.Throttled | Busy):
        document |= {"reason": document["code"], "retry_after": _wait(error)}
    match error:
        case exceptions.NotAcceptable(available_renderers=renderers) if renderers:
            types = {"types": ", ".join(renderer.media_type for renderer in renderers)}
            document["detail"] = _("This address answers in %(types)s only: the Accept header must allow that.") % types
        case exceptions.UnsupportedMediaType():
            document["detail"] = f"{_quoted(error)} {_('The body must be application/json, and Content-Type must say so.')}"
        case exceptions.MethodNotAllowed():
            document["detail"] = _quoted(error)
    return document


def headers(error: exceptions.APIException) -> dict[str, str]:
    result = {}
    if challenge := getattr(error, "auth_header", None):
        result["WWW-Authenticate"] = challenge
    if isinstance(error, exceptions.Throttled | Busy):
        result["Retry-After"] = str(_wait(error))
    return result


def _quoted(error: exceptions.APIException) -> str:
    return str(error.detail)[:300]  # holds what was sent


def _wait(error: Any) -> int:
    return max(1, int(error.wait)) if error.wait is not None else RETRY_SECONDS


def _code(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    return codes if isinstance(codes, str) else error.default_code


def _invalid(error: exceptions.ValidationError) -> dict[str, Any]:
    fields: dict[str, list[str]] = {}
    whole: list[str] = []
    for path, sentence in _flatten(error.detail):
        if path:
            fields.setdefault(path, []).append(sentence)
        else:
            whole.append(sentence)
    first = whole[0] if whole else next((f"{name}: {sentences[0]}" for name, sentences in fields.items()), _("Invalid input."))
    return {"code": "invalid", "detail": first, "fields": fields}


def _flatten(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(dotted path, sentence) for each leaf of DRF's nested error detail."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _flatten(inner, ".".join(filter(None, [path, own])))
    elif isinstance(detail, list):
        for position, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _flatten(inner, ".".join(filter(None, [path, str(position)])) if nested else path)
    else:
        yield path, str(detail)


# -- for requests under /api/ that fail outside of a view: config/urls.py sends them here -------------


def is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def no_such_address(path: str) -> exceptions.NotFound:
    """Of a path that is none of ours, as opposed to a row that is not there."""
    sentence = _("No such address; see %(docs)s.") % {"docs": reverse("api-docs")}
    return exceptions.NotFound(f"{sentence} {_('Addresses end without a slash.')}" if path.endswith("/") else sentence)


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return _plain(no_such_address(request.path_info))


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return _plain(exceptions.PermissionDenied())


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """Also a Host header that is not ours, and cookies or a body that cannot be read."""
    known = translate(exception) if exception else None
    return _plain(known or exceptions.ParseError(_("The request cannot be read.")))


def server_error(request: HttpRequest) -> JsonResponse:
    """Says nothing of what went wrong, unless a part is known to be down: the log has it."""
    known = translate(sys.exc_info()[1] or Exception())
    if known is None or known.status_code < 500:
        known = exceptions.APIException(_("Something went wrong here. It has been logged."), code="internal")
    return _plain(known)


def _plain(error: exceptions.APIException) -> JsonResponse:
    return JsonResponse(body(error), status=error.status_code, headers=headers(error))
