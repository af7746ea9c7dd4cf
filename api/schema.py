"""What makes the OpenAPI document complete: error answers, strict bodies, ways to sign in, said once for all operations."""

from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_bearer_security_scheme_object, force_instance
from drf_spectacular.utils import Direction, OpenApiParameter
from rest_framework.permissions import SAFE_METHODS, AllowAny

from api.errors import BusyProblem, InvalidProblem, Problem
from api.fields import KnownNames
from api.permissions import IsEditorOrReadOnly

DESCRIPTION = """\
Everything the pages show, and what they can do, for programs.

* **Signing in.** Make a token on your account page (or with `manage.py token USER`) and send it as
  `Authorization: Bearer <token>`. Reading the feed, videos, authors and queues, and asking for downloads, needs none.
* **Errors** are `{"code", "detail"}`, with more where it helps: `fields` names what is wrong in a request,
  `retry_after` says how many seconds to wait.
* **Lists** come in pages: follow `next` until it is null. `limit` is at most 100.
* **Strict.** An unknown parameter, field or value is a 400 that names it.
* **Times** are UTC. A count that the platform does not show is null, never 0.
"""

_ERRORS: dict[str, tuple[type[Problem], str]] = {
    "400": (InvalidProblem, "Something in the request is wrong; `fields` names it."),
    "401": (Problem, "Not signed in, or the token is not valid (any more)."),
    "403": (Problem, "Signed in, but not allowed; also a missing CSRF token beside a session cookie."),
    "404": (Problem, "There is no such thing, or it is not yours to see."),
    "405": (Problem, "This path does not know the method."),
    "406": (Problem, "Only application/json is spoken here."),
    "409": (Problem, "In its present state that cannot be done."),
    "413": (Problem, "The body is too large."),
    "415": (Problem, "The body must be application/json."),
    "429": (BusyProblem, "Too many requests, or a full queue: `reason` says which."),
    "500": (Problem, "A fault of ours."),
    "503": (BusyProblem, "A part of the service is down."),
}

_BEFORE_US = {
    "414": "The address is too long. (The server says so before the API sees the request: not in JSON.)",
    "431": "A header is too long, or there are too many. (By the server, too.)",
}


class Schema(AutoSchema):
    """An operation's document. Views name their successes; the errors follow from what the operation is."""

    view: Any  # an ApiView

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None and "requestBody" not in operation:
            for code in ("413", "415"):
                operation["responses"].pop(code, None)
        return operation

    def get_override_parameters(self) -> list[Any]:
        own = self.view.query_classes.get(self.method.lower())
        retry_after = OpenApiParameter(
            "Retry-After", int, OpenApiParameter.HEADER, required=True, response=[429, 503], description="Seconds."
        )
        challenge = OpenApiParameter("WWW-Authenticate", str, OpenApiParameter.HEADER, required=True, response=[401])
        return [*([own] if own else []), retry_after, challenge]

    def get_auth(self) -> list[dict[str, Any]]:
        auths: list[dict[str, Any]] = super().get_auth()
        if self._is_public() and {} not in auths:
            auths.append({})
        return auths

    def get_tags(self) -> list[str]:
        return [self.path.split("/")[2]]

    def _is_public(self) -> bool:
        permissions = {type(permission) for permission in self.view.get_permissions()}
        return AllowAny in permissions or (IsEditorOrReadOnly in permissions and self.method in SAFE_METHODS)

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        for code in self._error_codes():
            serializer, description = _ERRORS[code]
            documented: dict[str, Any] = self._get_response_for_code(  # type: ignore[no-untyped-call]  # as the library has it
                serializer, code, ["application/json"], direction
            )
            responses.setdefault(code, documented | {"description": description})
        for code, description in _BEFORE_US.items():
            responses[code] = {"description": description, "content": {"text/html": {"schema": {"type": "string"}}}}
        return responses

    def _error_codes(self) -> list[str]:
        # An unknown query parameter, a bad token, an Accept header or a broken server can happen everywhere.
        codes = {"400", "401", "406", "429", "500", "503"}
        if self.method not in SAFE_METHODS:
            codes |= {"403", "413", "415"}
        if not self._is_public():
            codes.add("403")
        if "{" in self.path:
            codes.add("404")
        return sorted(codes)


class BearerScheme(KnoxTokenScheme):
    target_class = "api.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> Any:
        return build_bearer_security_scheme_object(header_name="Authorization", token_prefix="Bearer")


class StrictExtension(OpenApiSerializerExtension):
    target_class = KnownNames
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Direction) -> Any:
        schema = auto_schema._map_serializer(force_instance(self.target), direction, bypass_extensions=True)
        return schema | {"additionalProperties": False}
