"""The stand-in for Apify, as its contract has it: a client that is wrong is told so."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from tests.sample import Sample

ACTOR = "/v2/acts/clockworks~tiktok-sound-scraper/runs"
TOKEN = {"Authorization": "Bearer sample-apify-token"}
END_EVENTS = ["ACTOR.RUN.SUCCEEDED", "ACTOR.RUN.FAILED", "ACTOR.RUN.ABORTED", "ACTOR.RUN.TIMED_OUT"]


class Mailbox(ThreadingHTTPServer):
    """Takes webhooks; answers the first ones with the statuses of `refusals`."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Letter)
        self.letters: list[tuple[dict[str, str], Any]] = []
        self.refusals: list[int] = []
        self.came = threading.Condition()
        self.url = f"http://127.0.0.1:{self.server_port}/hook?x=1"

    def wait_for(self, count: int, seconds: float = 120) -> list[tuple[dict[str, str], Any]]:
        with self.came:
            assert self.came.wait_for(lambda: len(self.letters) >= count, seconds), f"{len(self.letters)} of {count} came"
            return list(self.letters)


class Letter(BaseHTTPRequestHandler):
    server: Mailbox

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.came:
            self.server.letters.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status = self.server.refusals.pop(0) if self.server.refusals else 204
            self.server.came.notify_all()
        self.send_response(status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    thread = threading.Thread(target=box.serve_forever, daemon=True)
    thread.start()
    yield box
    box.shutdown()
    box.server_close()
    thread.join()


def call(site: Sample, path: str, body: Any = None, headers: dict[str, str] = TOKEN, **query: Any) -> requests.Response:
    method = "GET" if body is None else "POST"
    return requests.request(method, f"{site.apify_url}{path}", json=body, headers=headers, params=query, timeout=90)


def ticket(*webhooks: dict[str, Any]) -> str:
    return base64.b64encode(json.dumps(webhooks).encode()).decode()


def sound(site: Sample, place: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = site.tiktok_truth()["sounds"][place]
    return found


def run_to_its_end(site: Sample, musics: list[str], **query: Any) -> dict[str, Any]:
    run: dict[str, Any] = call(site, ACTOR, {"musics": musics}, waitForFinish=60, **query).json()["data"]
    return run


def error_of(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["type"]


def test_a_run_becomes_ready_running_and_succeeded_and_tells_where_it_is(site):
    started = call(site, ACTOR, {"musics": [sound(site)["url"]]})
    run = started.json()["data"]

    ended = call(site, f"/v2/actor-runs/{run['id']}", waitForFinish=60).json()["data"]

    assert (started.status_code, run["status"]) == (201, "READY")
    assert run["id"] in started.headers["location"]
    assert (ended["status"], ended["exitCode"]) == ("SUCCEEDED", 0)
    assert ended["finishedAt"] > ended["startedAt"]
    assert call(site, "/v2/actors/JVisUAY6oGn2dBn99/runs", desc="true").json()["data"]["items"][0]["id"] == run["id"]


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, "token-not-provided"),
        ({"Authorization": "Bearer wrong"}, "user-or-token-not-found"),
        ({"Authorization": "Basic c2FtcGxlLWFwaWZ5LXRva2Vu"}, "token-not-provided"),
    ],
)
def test_without_the_right_token_nothing_is_done(site, headers, kind):
    before = site.get("/control/apify.json")["runs"]

    answer = call(site, ACTOR, {"musics": ["1"]}, headers=headers)

    assert error_of(answer) == (401, kind)
    assert site.get("/control/apify.json")["runs"] == before


def test_the_token_may_stand_in_the_query(site):
    assert call(site, "/v2/users/me", headers={}, token="sample-apify-token").status_code == 200


@pytest.mark.parametrize(
    ("body", "query", "error"),
    [
        ({}, {}, (400, "invalid-input")),
        ({"musics": []}, {}, (400, "invalid-input")),
        ({"musics": "https://www.tiktok.com/music/x-1"}, {}, (400, "invalid-input")),
        ({"musics": [7]}, {}, (400, "invalid-input")),
        ({"musics": ["1"], "resultsPerPage": "100"}, {}, (400, "invalid-input")),
        ({"musics": ["1"], "maxItems": 5}, {}, (400, "invalid-input")),
        ({"musics": ["1"], "shouldDownloadVideos": "no"}, {}, (400, "invalid-input")),
        ([], {}, (400, "invalid-json")),
        ({"musics": ["1"]}, {"memory": 1000}, (400, "invalid-value")),
        ({"musics": ["1"]}, {"waitForFinish": 61}, (400, "invalid-value")),
        ({"musics": ["1"]}, {"webhook": "x"}, (400, "invalid-parameter")),
        ({"musics": ["1"]}, {"webhooks": "not base64!"}, (400, "invalid-request")),
        ({"musics": ["1"]}, {"webhooks": base64.b64encode(b'{"eventTypes":[]}').decode()}, (400, "invalid-request")),
        (
            {"musics": ["1"]},
            {"webhooks": ticket({"eventTypes": ["ACTOR.RUN.DONE"], "requestUrl": "http://a/"})},
            (400, "invalid-request"),
        ),
        ({"musics": ["1"]}, {"webhooks": ticket({"eventTypes": END_EVENTS, "requestUrl": "ftp://a/"})}, (400, "invalid-request")),
        (
            {"musics": ["1"]},
            {"webhooks": ticket({"eventTypes": END_EVENTS, "requestUrl": "http://a/", "payloadTemplate": '{"a": "{{x}}'})},
            (400, "invalid-request"),
        ),
    ],
)
def test_what_is_wrong_starts_nothing(site, body, query, error):
    before = site.get("/control/apify.json")["runs"]

    answer = call(site, ACTOR, body, **query)

    assert error_of(answer) == error
    assert site.get("/control/apify.json")["runs"] == before


def test_an_unknown_actor_run_or_dataset_is_not_found(site):
    assert error_of(call(site, "/v2/acts/clockworks~other/runs", {"musics": ["1"]})) == (404, "record-not-found")
    assert error_of(call(site, "/v2/acts/clockworks/tiktok-sound-scraper/runs", {"musics": ["1"]}))[0] == 404
    assert error_of(call(site, "/v2/actor-runs/none")) == (404, "record-not-found")
    assert error_of(call(site, "/v2/datasets/none/items")) == (404, "record-not-found")


def test_an_input_that_is_no_json_or_too_large_is_refused(site):
    text = requests.post(f"{site.apify_url}{ACTOR}", data="musics=1", headers=TOKEN, timeout=30)
    large = requests.post(f"{site.apify_url}{ACTOR}", json={"musics": ["1" * 9_500_000]}, headers=TOKEN, timeout=30)

    assert error_of(text) == (415, "unsupported-content-type")
    assert error_of(large) == (413, "request-too-large")


def test_a_dataset_is_paged_by_offset_and_clean_pages_are_shorter(site):
    run = run_to_its_end(site, [sound(site)["url"], "https://www.tiktok.com/music/none-1234567890123456789"])
    path = f"/v2/datasets/{run['defaultDatasetId']}/items"
    whole = call(site, path)
    total = int(whole.headers["x-apify-pagination-total"])

    pages, offset, shorter = [], 0, 0
    while offset < total:
        page = call(site, path, offset=offset, limit=10, clean="true")
        pages += page.json()
        shorter += len(page.json()) < min(10, total - offset)
        offset += int(page.headers["x-apify-pagination-limit"])

    assert (whole.headers["x-apify-pagination-limit"], len(whole.json())) == ("999999999999", total)
    assert shorter > 0
    assert pages == [{k: v for k, v in row.items() if not k.startswith("#")} for row in whole.json() if row]
    assert call(site, f"/v2/actor-runs/{run['id']}/dataset/items", desc=1, limit=1).json() == whole.json()[-1:]


def test_items_have_the_shape_of_the_captured_ones_and_some_rows_are_errors(site):
    one = sound(site)
    run = run_to_its_end(site, [one["id"], "https://www.tiktok.com/music/none-1234567890123456789"])
    rows = call(site, f"/v2/datasets/{run['defaultDatasetId']}/items", clean="true").json()
    items = [row for row in rows if "id" in row]

    assert len({item["id"] for item in items}) == one["videos"]
    assert len(items) == one["videos"] + 1  # one came twice
    assert {row["errorCode"] for row in rows if "errorCode" in row} == {"NOT_FOUND"}
    assert all("/video/" in item["webVideoUrl"] and item["mediaUrls"] == [] for item in items)
    slideshows = [item for item in items if item["isSlideshow"]]
    assert all(item["slideshowImageLinks"] and item["musicMeta"]["musicId"] == "0" for item in slideshows)
    assert {item["musicMeta"]["musicId"] for item in items if not item["isSlideshow"]} == {one["id"]}
    assert any("collectCount" not in item for item in items)
    assert [item["createTime"] for item in items] != sorted((item["createTime"] for item in items), reverse=True)


def test_a_webhook_is_posted_with_the_headers_that_were_asked_for(site, mailbox):
    hook = {
        "eventTypes": END_EVENTS,
        "requestUrl": mailbox.url,
        "headersTemplate": '{"X-Secret": "s3cret", "Content-Type": "text/plain"}',
    }

    run = run_to_its_end(site, [sound(site)["id"]], webhooks=ticket(hook))
    headers, body = mailbox.wait_for(1)[0]

    assert (headers["x-secret"], headers["content-type"]) == ("s3cret", "application/json")
    assert headers["x-apify-webhook-dispatch-id"]
    assert (body["eventType"], body["eventData"]["actorRunId"]) == ("ACTOR.RUN.SUCCEEDED", run["id"])
    assert body["resource"]["defaultDatasetId"] == run["defaultDatasetId"]


def test_a_payload_template_is_filled_in_outside_of_strings_only(site, mailbox):
    template = '{"run": {{resource.id}}, "kind": {{eventType}}, "text": "{{eventType}}", "none": {{nothing}}}'
    hook = {"eventTypes": ["ACTOR.RUN.CREATED"], "requestUrl": mailbox.url, "payloadTemplate": template}

    run = call(site, ACTOR, {"musics": ["1"]}, webhooks=ticket(hook, hook | {"shouldInterpolateStrings": True})).json()["data"]
    bodies = sorted((body for _, body in mailbox.wait_for(2)), key=lambda body: body["text"])

    plain = {"run": run["id"], "kind": "ACTOR.RUN.CREATED", "none": None}
    assert bodies == [plain | {"text": "ACTOR.RUN.CREATED"}, plain | {"text": "{{eventType}}"}]


def test_a_webhook_that_is_refused_comes_again(site, mailbox):
    mailbox.refusals = [500, 404]
    hook = {"eventTypes": ["ACTOR.RUN.CREATED"], "requestUrl": mailbox.url}

    call(site, ACTOR, {"musics": ["1"]}, webhooks=ticket(hook))
    letters = mailbox.wait_for(3)

    assert len({headers["x-apify-webhook-dispatch-id"] for headers, _ in letters}) == 1


def test_a_webhook_that_must_not_be_repeated_is_not(site, mailbox):
    mailbox.refusals = [500]
    hook = {"eventTypes": ["ACTOR.RUN.CREATED"], "requestUrl": mailbox.url, "doNotRetry": True}

    run = run_to_its_end(site, ["1"], webhooks=ticket(hook))

    def answers() -> list[list[int]]:
        runs = site.get("/control/apify.json")["runs"]
        return [dispatch["answers"] for one in runs if one["id"] == run["id"] for dispatch in one["dispatches"]]

    ends = time.monotonic() + 60
    while not any(answers()) and time.monotonic() < ends:
        continue  # the run's end waits for nobody who was told of its beginning
    assert answers() == [[500]]


def test_a_switch_loses_the_webhook_and_another_repeats_it(site, mailbox):
    lost, repeated = sound(site, 0)["id"], sound(site, 1)["id"]
    site.set_fault("webhook_lost", topic=lost)
    site.set_fault("webhook_repeated", topic=repeated, value=100)
    hook = {"eventTypes": END_EVENTS, "requestUrl": mailbox.url}

    run_to_its_end(site, [lost], webhooks=ticket(hook))
    twice = run_to_its_end(site, [repeated], webhooks=ticket(hook))
    letters = mailbox.wait_for(100)

    assert {body["resource"]["id"] for _, body in letters} == {twice["id"]}
    assert len(letters) == 100


@pytest.mark.parametrize(
    ("status", "event"), [("FAILED", "ACTOR.RUN.FAILED"), ("TIMED-OUT", "ACTOR.RUN.TIMED_OUT"), ("ABORTED", "ACTOR.RUN.ABORTED")]
)
def test_a_run_that_ends_badly_says_why_and_keeps_what_it_found(site, mailbox, status, event):
    site.set_fault("run_ends", value=status)
    one = sound(site)

    run = run_to_its_end(site, [one["id"]], webhooks=ticket({"eventTypes": END_EVENTS, "requestUrl": mailbox.url}))
    rows = call(site, f"/v2/datasets/{run['defaultDatasetId']}/items").json()

    assert (run["status"], bool(run["statusMessage"])) == (status, True)
    assert mailbox.wait_for(1)[0][1]["eventType"] == event
    assert 0 < len(rows) < one["videos"]


def test_a_run_can_be_aborted(site):
    site.set_fault("run_slow", value=60)
    run = call(site, ACTOR, {"musics": ["1"]}).json()["data"]

    aborting = call(site, f"/v2/actor-runs/{run['id']}/abort", {}).json()["data"]
    ended = call(site, f"/v2/actor-runs/{run['id']}", waitForFinish=30).json()["data"]

    assert (aborting["status"], ended["status"]) == ("ABORTING", "ABORTED")


def test_the_last_items_may_come_late(site):
    site.set_fault("total_lags", value=300)
    run = run_to_its_end(site, [sound(site)["id"]])
    path = f"/v2/datasets/{run['defaultDatasetId']}/items"

    early = int(call(site, path).headers["x-apify-pagination-total"])
    site.set_fault("total_lags", value=0.001)  # it ended longer ago than that
    late = int(call(site, path).headers["x-apify-pagination-total"])

    assert late == early + 7


def test_the_account_may_be_empty_or_its_token_revoked(site):
    site.set_fault("no_credits", count=1)
    assert error_of(call(site, ACTOR, {"musics": ["1"]}))[0] == 402
    site.set_fault("key_refused", places=["apify"])
    assert error_of(call(site, ACTOR, {"musics": ["1"]})) == (401, "user-or-token-not-found")
