"""Every failure is `{code, detail}` in JSON, with the right status, wherever it happens."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection
from django.test import RequestFactory
from django.urls import path
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from api import errors
from api.errors import answer
from api.fields import BooleanField, ChoiceField, IntegerField, NumberField, StrictSerializer, TextField
from api.views import ApiView
from config import urls
from downloads.errors import TooManyWaiting
from jobs.errors import InvalidTransition, PermanentError, Snooze, TransientError
from tests.api.conftest import ApiClient, People
from tests.factories import VideoFactory


class Everything(StrictSerializer):
    text = TextField(required=False, max_length=10)
    whole = IntegerField(required=False)
    number = NumberField(required=False)
    truth = BooleanField(required=False)
    fruit = ChoiceField(required=False, choices=["apple", "pear"])
    number_of = ChoiceField(required=False, choices=[str(n) for n in range(30)])


class Echo(ApiView):
    permission_classes = [AllowAny]

    def post(self, request: Any) -> Response:
        return Response(self.read_body(Everything))

    def get(self, request: Any) -> Response:
        raise ZeroDivisionError("a secret of the code")


class Broken(ApiView):
    permission_classes = [AllowAny]

    def get(self, request: Any) -> Response:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 1")
            cursor.execute("SELECT pg_sleep(5)")
        return Response()


class Urls:
    urlpatterns = [path("api/echo", Echo.as_view()), path("api/broken", Broken.as_view()), *urls.urlpatterns]
    handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


@pytest.fixture
def echo(db: None, settings: Any) -> ApiClient:
    settings.ROOT_URLCONF = Urls
    return ApiClient(raise_request_exception=False)


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/json")
    document: dict[str, Any] = json.loads(response.content)
    assert document["code"] == code
    assert document["detail"]
    return document


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "FROB"])
@pytest.mark.parametrize("where", ["/api/nothing", "/api/", "/api/videos/", "/api/videos/0x10", "/api/videos/-1", "/api/%00"])
def test_a_path_that_does_not_exist_is_404_for_every_method(anonymous: ApiClient, where: str, method: str) -> None:
    document = problem(anonymous.send(method, where), 404, "not_found")

    assert document["detail"].startswith("No such address; see /api/docs.")
    assert ("without a slash" in document["detail"]) == where.endswith("/")


@pytest.mark.parametrize("pk", ["9223372036854775808", "99999999999999999999", "9" * 400, "0"])
@pytest.mark.parametrize("tail", ["", "/metrics"])
def test_an_id_beyond_what_the_database_counts_to_does_not_exist(anonymous: ApiClient, pk: str, tail: str) -> None:
    problem(anonymous.get(f"/api/videos/{pk}{tail}"), 404, "not_found")


def test_another_method_is_405_and_says_which_there_are(anonymous: ApiClient) -> None:
    response = anonymous.send("DELETE", "/api/videos")

    problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD"


def test_another_format_is_406(anonymous: ApiClient) -> None:
    document = problem(anonymous.get("/api/videos", headers={"accept": "text/html"}), 406, "not_acceptable")

    assert "application/json" in document["detail"]


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic eDp5"}])
def test_who_has_not_signed_in_is_told_how(anonymous: ApiClient, headers: dict[str, str]) -> None:
    response = anonymous.get("/api/sources", headers=headers)

    document = problem(response, 401, "not_authenticated")
    assert "Authorization: Bearer <token>" in document["detail"]
    assert "/account/" in document["detail"]
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Token gsw_1", "token abc", "Token", "gsw_1", "Key gsw_1"])
def test_a_token_that_is_sent_otherwise_is_401_everywhere_and_told_how(anonymous: ApiClient, header: str) -> None:
    response = anonymous.get("/api/videos", headers={"authorization": header})

    assert "`Authorization: Bearer <token>` is expected" in problem(response, 401, "authentication_failed")["detail"]
    assert response["WWW-Authenticate"] == "Bearer"


def test_what_a_proxy_before_us_asked_for_is_not_ours_to_refuse(anonymous: ApiClient) -> None:
    assert anonymous.get("/api/videos", headers={"authorization": "Basic eDp5"}).status_code == 200


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer x", "Bearer a b", "Bearer gsw_" + "0" * 60, "Bearer \xff\xfe", "bearer \x00", "Bearer " + "9" * 5000],
)
def test_a_token_that_is_none_is_401_everywhere(anonymous: ApiClient, header: str) -> None:
    response = anonymous.get("/api/videos", headers={"authorization": header})

    document = problem(response, 401, "authentication_failed")
    assert "account page: /account/" in document["detail"]
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"nothing",
        b"\xff\xfe",
        b'{"text": NaN}',
        b'{"number": 1e999}',
        b'{"text": "a", "text": "b"}',
        b'{"text": "\\u0000"}',
        b'{"te\\u0000xt": 1}',
        b'{"text": "\\ud800"}',
        b'{"\\udfff": 1}',
        b"[1]",
        b'"text"',
        b"1" * 5000,
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)
def test_a_body_that_is_not_a_plain_json_object_is_400(echo: ApiClient, body: bytes) -> None:
    if not body:
        assert echo.generic("POST", "/api/echo", body).status_code == 200  # no body is an empty object
        return
    problem(echo.generic("POST", "/api/echo", body), 400, "parse_error")


def test_six_harmless_characters_are_not_a_nul(echo: ApiClient) -> None:
    response = echo.generic("POST", "/api/echo", b'{"text": "\\\\u0000"}')

    assert response.json() == {"text": "\\u0000"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": 5}, "text"),
        ({"text": True}, "text"),
        ({"text": None}, "text"),
        ({"text": "x" * 11}, "text"),
        ({"text": ["x"]}, "text"),
        ({"whole": "5"}, "whole"),
        ({"whole": 1.5}, "whole"),
        ({"whole": True}, "whole"),
        ({"whole": 10**400}, "whole"),
        ({"number": "1"}, "number"),
        ({"number": True}, "number"),
        ({"truth": 1}, "truth"),
        ({"truth": "true"}, "truth"),
        ({"truth": {}}, "truth"),
        ({"txet": "x"}, "txet"),
    ],
)
def test_a_wrong_field_is_named(echo: ApiClient, body: dict[str, Any], field: str) -> None:
    document = problem(echo.send("POST", "/api/echo", body), 400, "invalid")

    assert list(document["fields"]) == [field]
    assert document["fields"][field]


def test_all_wrong_fields_are_named_at_once(echo: ApiClient) -> None:
    document = problem(echo.send("POST", "/api/echo", {"text": 5, "whole": "x"}), 400, "invalid")

    assert set(document["fields"]) == {"text", "whole"}


@pytest.mark.parametrize("query", ["?x=1", "?format=json", "?cursor=1"])
def test_a_query_parameter_that_the_path_does_not_know_is_named(echo: ApiClient, query: str) -> None:
    document = problem(echo.send("POST", f"/api/echo{query}", {}), 400, "invalid")

    assert list(document["fields"]) == [query[1:].split("=")[0]]


def test_another_content_type_is_415(echo: ApiClient) -> None:
    response = echo.generic("POST", "/api/echo", b"text=a", "application/x-www-form-urlencoded")

    assert "must be application/json" in problem(response, 415, "unsupported_media_type")["detail"]


@pytest.mark.parametrize("given", ["plum", "", 5, None, ["a"], "{0}" * 100])
def test_who_chooses_what_there_is_not_is_told_what_there_is(echo: ApiClient, given: Any) -> None:
    document = problem(echo.send("POST", "/api/echo", {"fruit": given, "number_of": given}), 400, "invalid")

    if given not in ("", None):
        assert document["fields"]["fruit"][0].endswith("There are: apple, pear.")
        assert document["fields"]["number_of"][0].endswith("There are: " + ", ".join(map(str, range(20))) + ", ….")
    assert len(document["detail"]) < 300


def test_a_body_that_is_too_large_is_413(echo: ApiClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    problem(echo.send("POST", "/api/echo", {"text": "x" * 2000}), 413, "too_large")


def test_a_fault_of_ours_is_500_and_tells_nothing(echo: ApiClient) -> None:
    response = echo.get("/api/echo")

    problem(response, 500, "internal")
    assert b"secret" not in response.content


def test_a_part_that_is_down_is_503_with_a_time_to_come_back(echo: ApiClient) -> None:
    response = echo.get("/api/broken")

    document = problem(response, 503, "unavailable")
    assert int(response["Retry-After"]) == document["retry_after"] > 0
    assert b"pg_sleep" not in response.content


def test_a_host_that_is_not_ours_is_400(anonymous: ApiClient) -> None:
    problem(anonymous.get("/api/videos", headers={"host": "evil.example"}), 400, "parse_error")


@pytest.mark.parametrize(
    ("error", "status", "code", "more"),
    [
        (TooManyWaiting("The queue is full."), 429, "queue_full", {"reason": "queue_full", "retry_after": 30}),
        (InvalidTransition("It runs."), 409, "conflict", {}),
        (PermanentError("No.", code="gone"), 400, "gone", {}),
        (TransientError("Later.", code="storage"), 503, "storage", {"reason": "storage", "retry_after": 30}),
        (Snooze("Later.", retry_after=timedelta(seconds=7), code="x"), 503, "x", {"reason": "x", "retry_after": 7}),
        (OperationalError("password=hunter2"), 503, "unavailable", {"reason": "unavailable", "retry_after": 30}),
        (ValidationError({"value": ["Wrong."]}), 400, "invalid", {"fields": {"value": ["Wrong."]}}),
        (ValidationError("Wrong."), 400, "invalid", {"fields": {}}),
    ],
)
def test_errors_of_the_stages_have_their_own_answer(error: Exception, status: int, code: str, more: dict[str, Any]) -> None:
    response = answer(error, {})

    assert response is not None
    assert response.status_code == status
    detail = response.data.pop("detail")
    assert response.data == {"code": code, **more}
    assert "hunter2" not in detail
    if "retry_after" in more:
        assert response["Retry-After"] == str(more["retry_after"])


def test_nested_errors_are_flattened_into_paths() -> None:
    error = exceptions.ValidationError({"a": {"b": ["Wrong."], "non_field_errors": ["All."]}, "c": [{}, {"d": ["Bad."]}]})

    assert errors.body(error)["fields"] == {"a.b": ["Wrong."], "a": ["All."], "c.1.d": ["Bad."]}


def test_what_nobody_foresaw_goes_on_to_django() -> None:
    assert answer(ZeroDivisionError(), {}) is None


def test_pages_keep_their_own_errors(anonymous: ApiClient) -> None:
    assert anonymous.get("/no-such-page/")["Content-Type"].startswith("text/html")
    assert errors.is_api(RequestFactory().get("/api/x"))
    assert not errors.is_api(RequestFactory().get("/apiary"))


def test_reading_needs_no_account_and_a_session_works_beside_tokens(people: People) -> None:
    video = VideoFactory.create()
    browser = ApiClient()
    browser.force_login(people.editor.user)

    assert ApiClient().get(f"/api/videos/{video.pk}").status_code == 200
    assert browser.get("/api/sources").status_code == 200


def test_a_write_by_session_needs_the_csrf_token(people: People) -> None:
    browser = ApiClient()
    browser.force_login(people.editor.user)
    body = {"value": "猫"}

    problem(browser.send("POST", "/api/sources", body), 403, "permission_denied")

    browser.cookies["csrftoken"] = "a" * 32
    assert browser.send("POST", "/api/sources", body, headers={"x-csrftoken": "a" * 32}).status_code == 201
