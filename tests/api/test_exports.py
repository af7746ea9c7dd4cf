"""The export over the API: documented, strict, of one's own sources only."""

import json

import pytest

from tests.factories import SourceVideoFactory, VideoFactory

pytestmark = pytest.mark.django_db

ADDRESS = "/api/videos/export"


def test_csv_is_the_default_and_json_is_asked_for(anonymous):
    VideoFactory(title="the one")

    as_csv = anonymous.get(ADDRESS + "?ordering=newest")
    as_json = anonymous.get(ADDRESS + "?format=json&ordering=newest")

    assert as_csv["Content-Type"].startswith("text/csv")
    assert b"the one" in b"".join(as_csv.streaming_content)
    assert as_json["Content-Type"] == "application/json"
    assert json.loads(b"".join(as_json.streaming_content))["videos"][0]["title"] == "the one"
    assert anonymous.get(ADDRESS, headers={"accept": "text/csv"}).status_code == 200


def test_a_row_has_the_fields_that_the_document_promises(anonymous):
    VideoFactory()

    [row] = json.loads(b"".join(anonymous.get(f"{ADDRESS}?format=json&ordering=newest").streaming_content))["videos"]

    described = anonymous.get("/api/schema").json()["components"]["schemas"]["ExportedVideo"]
    assert set(row) == set(described["properties"]) == set(described["required"])


@pytest.mark.parametrize("query", ["format=xlsx", "format=", "format=csv&format=json", "colour=red", "min_views=x", "limit=5"])
def test_what_is_not_understood_is_named(anonymous, query):
    answer = anonymous.get(f"{ADDRESS}?{query}")

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [query.split("=")[0]]


def test_another_workspaces_source_does_not_exist(people, anonymous):
    source = SourceVideoFactory().source

    assert anonymous.get(f"{ADDRESS}?source={source.pk}").status_code == 404
    assert people.client("editor").get(f"{ADDRESS}?source={source.pk}").status_code == 404
