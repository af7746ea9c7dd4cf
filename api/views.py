"""What all views of the API have in common."""

from typing import Any, ClassVar, NoReturn

from django.contrib.auth.models import AbstractBaseUser
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.authentication import how_to_sign_in
from api.errors import no_such_address
from api.fields import QuerySerializer, StrictModelSerializer, StrictSerializer
from api.throttles import TooManyRequests


class ApiView(APIView):
    """Strict about method and query before anything else is looked at: they are no secret, and cheap to check."""

    http_method_names = ["get", "head", "post", "patch", "delete"]
    query_classes: ClassVar[dict[str, type[QuerySerializer]]] = {}
    """The query parameters of a method ("get"); a method that is not named takes none."""

    query: dict[str, Any]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        method = (request.method or "").lower()
        if method not in self.http_method_names or not hasattr(self, method):
            self.http_method_not_allowed(request)
        super().initial(request, *args, **kwargs)
        self.query = self.read_query("get" if method == "head" else method)

    def read_query(self, method: str) -> dict[str, Any]:
        """The checked query parameters. Raises ValidationError, which names each wrong one."""
        checked = self.query_classes.get(method, QuerySerializer)(data=self.request.query_params)
        checked.is_valid(raise_exception=True)
        values: dict[str, Any] = checked.validated_data
        return values

    def read_body(self, serializer: type[StrictSerializer | StrictModelSerializer], **options: Any) -> dict[str, Any]:
        """The checked body. Raises ValidationError, which names each wrong field."""
        checked = serializer(data=self.request.data, context={"request": self.request}, **options)
        checked.is_valid(raise_exception=True)
        values: dict[str, Any] = checked.validated_data
        return values

    @property
    def person(self) -> AbstractBaseUser | None:
        """Who asks; None for somebody who has not signed in."""
        user = self.request.user
        return user if isinstance(user, AbstractBaseUser) else None

    def asker(self) -> dict[str, Any]:
        """Who wants a download: the person, or else this browser's (or cookie jar's) session, begun if need be."""
        if self.person is not None:
            return {"user": self.person}
        session = self.request._request.session
        if not session.session_key:
            session.create()
        return {"session_key": session.session_key}

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> NoReturn:
        if request.authenticators and not request.successful_authenticator:
            raise NotAuthenticated(how_to_sign_in())
        super().permission_denied(request, message, code)

    def throttled(self, request: Any, wait: float | None) -> NoReturn:
        raise TooManyRequests(wait)


class NoSuchPath(ApiView):
    """Whatever else is asked for under /api/, by whatever method."""

    permission_classes = [AllowAny]
    throttle_classes = []

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        self.args, self.kwargs = args, kwargs
        self.headers = self.default_response_headers
        self.request = self.initialize_request(request, *args, **kwargs)
        response = self.handle_exception(no_such_address(request.path_info))
        return self.finalize_response(self.request, response, *args, **kwargs)
