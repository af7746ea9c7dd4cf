"""The OpenAPI document is valid and complete, and the API keeps to it, whatever is sent and whoever asks."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from constance import config
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode

from api.documentation import document
from crawler.models import Author, Source, Video
from tests.api.conftest import ApiClient, People
from tests.factories import AssetFactory, BatchFactory, DownloadJobFactory, ScoreFactory, SourceFactory, SourceVideoFactory

OPERATIONS = [(path, method) for path, methods in document()["paths"].items() for method in methods]
API = schemathesis.openapi.from_dict(document())
API.app = get_wsgi_application()
EXAMPLES = 12


def test_the_document_is_valid_openapi_3_1(anonymous: ApiClient) -> None:
    served = anonymous.get("/api/schema").json()

    assert served == document()
    assert served["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(served).validate()


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_operation_says_what_it_does_and_how_it_fails(path: str, method: str) -> None:
    operation = document()["paths"][path][method]

    assert operation["operationId"]
    assert operation["description"]
    assert {"400", "401", "406", "429", "500", "503"} <= set(operation["responses"])
    assert any(code.startswith("2") for code in operation["responses"])
    if "{" in path:
        assert "404" in operation["responses"]
    if method != "get":
        assert "403" in operation["responses"]
    if "requestBody" in operation:
        assert {"413", "415"} <= set(operation["responses"])
    for response in operation["responses"].values():
        assert "description" in response


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_query_parameter_says_what_it_does(path: str, method: str) -> None:
    parameters = document()["paths"][path][method].get("parameters", [])

    assert [given["name"] for given in parameters if given["in"] == "query" and not given.get("description")] == []


@pytest.mark.parametrize("path", [path for path in document()["paths"] if path not in ("/api/schema", "/api/docs")])
def test_the_guide_names_every_path_with_its_methods(path: str) -> None:
    guide = Path(__file__).parents[2] / "docs" / "api.md"
    named = re.findall(r"`((?:[A-Z]+ )+)(/api/[^`]*)`", guide.read_text("utf-8"))

    methods = {method for words, its_path in named if its_path == path for method in words.lower().split()}
    assert methods == set(document()["paths"][path])


def test_names_of_operations_are_said_once_and_nothing_is_left_untyped() -> None:
    names = [document()["paths"][path][method]["operationId"] for path, method in OPERATIONS]
    assert len(set(names)) == len(names)

    def untyped(schema: Any, path: str = "") -> Iterator[str]:
        if isinstance(schema, dict):
            if schema.get("type") == "object" and "properties" not in schema and "additionalProperties" not in schema:
                yield path
            for name, part in schema.items():
                yield from untyped(part, f"{path}/{name}")

    assert list(untyped(document()["components"]["schemas"])) == []


def test_bodies_take_no_other_names() -> None:
    schemas = document()["components"]["schemas"]

    bodies = [name for name in schemas if name.endswith("Request")]
    assert len(bodies) >= 6
    assert all(schemas[name]["additionalProperties"] is False for name in bodies)


def test_the_page_to_browse_it_loads_from_here_only(anonymous: ApiClient) -> None:
    page = anonymous.get("/api/docs", headers={"accept": "text/html"})

    assert page.status_code == 200
    assert b"swagger-ui-bundle.js" in page.content
    assert b"http://" not in page.content
    assert b"https://" not in page.content
    assert b"<script>" not in page.content
    policy = {directive.strip() for directive in page["Content-Security-Policy"].split(";")}
    assert {"script-src 'self'", "style-src 'self' 'unsafe-inline'"} <= policy
    script = anonymous.get("/api/docs?script=", headers={"accept": "text/html"})
    assert script["Content-Type"].startswith("application/javascript")
    assert b'url: "/api/schema"' in script.content.replace(b"\\u002D", b"-")


@pytest.fixture
def _own_connection() -> Iterator[None]:
    """Requests share the test's transaction, as with Django's own test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def world(people: People, _own_connection: None) -> People:
    """A few rows of everything, and no limits."""
    for name in ("ANONYMOUS_READS", "ANONYMOUS_WRITES", "USER_READS", "USER_WRITES"):
        setattr(config, f"API_{name}_PER_MINUTE", 0)
    for n in range(3):
        score = ScoreFactory.create(classic=float(n), video__title=f"猫 {n} kitten")
        SourceVideoFactory.create(source__workspace=people.owner.workspace, video=score.video)
        asset = AssetFactory.create(video=score.video)
        DownloadJobFactory.create(video=asset.video, completed=True)
    SourceFactory.create(workspace=people.owner.workspace, platform="tiktok", kind="profile", value="someone")
    return people


@pytest.mark.parametrize("role", ["anonymous", "editor", "staff"])
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_whatever_is_sent_is_answered_as_documented(world: People, path: str, method: str, role: str) -> None:
    """No 5xx, no status, header, type or shape but the documented ones; wrong input refused, right input taken."""
    operation = API[path][method]
    headers = world.client(role).bearer | {"Host": "localhost"}
    ids = _ids_of(world, path)

    @given(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)), real_id=st.booleans())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(case: Any, real_id: bool) -> None:
        if real_id and ids:
            case.path_parameters = dict.fromkeys(case.path_parameters, ids[0])
        case.call_and_validate(headers=headers)

    check()


def _ids_of(world: People, path: str) -> list[Any]:
    """Of rows that there are, for the place of {id} in a path."""
    if "batch" in path:
        return [str(BatchFactory.create(user=world.editor.user, jobs=[DownloadJobFactory.create()]).pk)]
    model: Any = {"sources": Source, "profiles": Source, "authors": Author}.get(path.split("/")[2], Video)
    rows = model.objects.filter(kind="profile") if "profiles" in path else model.objects.all()
    return list(rows.values_list("pk", flat=True)[:1]) if "{" in path else []
