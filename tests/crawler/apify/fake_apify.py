"""An Apify that a test holds in its hands: as strict as its documentation, and able to lose, delay and forge what it says."""

import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "apify-test-token"
ACTOR = "clockworks~tiktok-sound-scraper"


def item(number: int, sound_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(7_400_000_000_000_000_000 + number),
        "text": f"Dance {number} #dance",
        "createTime": int((datetime.now(UTC) - timedelta(days=number % 50 + 1)).timestamp()),
        "isAd": False,
        "authorMeta": {"id": f"9{number % 7}", "name": f"dancer{number % 7}", "nickName": f"Dancer {number % 7}", "fans": 500},
        "musicMeta": {"musicName": "Wave", "musicAuthor": "Sea", "musicOriginal": True, "musicId": sound_id},
        "webVideoUrl": f"https://www.tiktok.com/@dancer{number % 7}/video/{7_400_000_000_000_000_000 + number}",
        "videoMeta": {"height": 1024, "width": 576, "duration": 15, "coverUrl": ""},
        "diggCount": 10 * number,
        "shareCount": number,
        "playCount": 100 * number,
        "commentCount": 2 * number,
        "collectCount": 3 * number,
        "hashtags": [{"name": "dance"}],
        "isSlideshow": False,
        "searchMusic": {"musicTag": f"wave-{sound_id}", "videos": 12_345},
        **changes,
    }


class FakeApify:
    """`items` are what each run finds. Faults are attributes; `starts` counts what would have been billed."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.runs: dict[str, dict[str, Any]] = {}
        self.inputs: dict[str, Any] = {}
        self.requests: list[tuple[str, str]] = []
        self.starts = 0
        self.status = "SUCCEEDED"
        """What a run is as soon as it was started."""
        self.message = ""
        self.lose_answer = False
        """The next start is done, and its answer never comes."""
        self.answers: dict[str, tuple[int, Any]] = {}
        """By a part of the path: what is answered instead."""
        self.lists_runs = True
        self.hidden = 0
        """So many of the last items the dataset does not know of yet."""
        self.most_per_page = 1000
        self.finished_ago = timedelta(minutes=1)
        self.on_start: Any = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.handle(self, "GET")

            def do_POST(self) -> None:
                outer.handle(self, "POST")

            def log_message(self, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def handle(self, request: BaseHTTPRequestHandler, method: str) -> None:
        parts = urlsplit(request.path)
        path, query = unquote(parts.path), {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        self.requests.append((method, path))
        instead = next((answer for part, answer in self.answers.items() if part in f"{method} {path}"), None)
        if instead is not None:
            return _send(request, *instead)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _refuse(request, 401, "user-or-token-not-found")
        steps = path.strip("/").split("/")[1:]
        match method, steps:
            case "POST", ["acts", actor, "runs"]:
                return self._start(request, actor, query, body)
            case "GET", ["acts", _actor, "runs"] if self.lists_runs:
                return _send(request, 200, {"data": {"items": list(self.runs.values())[::-1]}})
            case "GET", ["key-value-stores", store, "records", "INPUT"] if self.lists_runs:
                return _send(request, 200, self.inputs[store])
            case "GET", ["actor-runs", run] if run in self.runs:
                return _send(request, 200, {"data": self.runs[run]})
            case "GET", ["datasets", _dataset, "items"]:
                return self._items(request, query)
        return _refuse(request, 404, "record-not-found")

    def _start(self, request: BaseHTTPRequestHandler, actor: str, query: dict[str, str], body: bytes) -> None:
        if actor != ACTOR:
            return _refuse(request, 404, "record-not-found")
        given = json.loads(body)
        if request.headers.get("Content-Type") != "application/json" or set(given) - {"musics", "resultsPerPage"}:
            return _refuse(request, 400, "invalid-input")
        assert isinstance(given["musics"], list)
        assert isinstance(given["resultsPerPage"], int)
        self.webhooks = json.loads(base64.b64decode(query["webhooks"], validate=True)) if "webhooks" in query else []
        assert int(query["maxItems"]) == given["resultsPerPage"]
        self.starts += 1
        run_id = f"Run{self.starts:014d}"
        now = datetime.now(UTC)
        self.runs[run_id] = {
            "id": run_id,
            "actId": "ACT",
            "status": self.status,
            "statusMessage": self.message,
            "startedAt": now.isoformat().replace("+00:00", "Z"),
            "finishedAt": (now - self.finished_ago).isoformat().replace("+00:00", "Z"),
            "defaultDatasetId": f"Data{self.starts}",
            "defaultKeyValueStoreId": f"Store{self.starts}",
        }
        self.inputs[f"Store{self.starts}"] = given
        if self.on_start:
            self.on_start(run_id)
        if self.lose_answer:
            self.lose_answer = False
            request.connection.shutdown(socket.SHUT_RDWR)
            return None
        return _send(request, 201, {"data": self.runs[run_id]}, Location=f"{self.url}/v2/actor-runs/{run_id}")

    def _items(self, request: BaseHTTPRequestHandler, query: dict[str, str]) -> None:
        known = self.items[: len(self.items) - self.hidden]
        offset, limit = int(query.get("offset", 0)), min(int(query.get("limit", 10**6)), self.most_per_page)
        shown = [one for one in known[offset : offset + limit] if one]  # as skipEmpty does: shorter than asked
        facts = {"total": len(known), "offset": offset, "count": len(shown), "limit": limit}
        _send(request, 200, shown, **{f"x-apify-pagination-{name}": str(value) for name, value in facts.items()})

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def paths(self, method: str) -> list[str]:
        return [path for made, path in self.requests if made == method]


def _refuse(request: BaseHTTPRequestHandler, status: int, kind: str) -> None:
    _send(request, status, {"error": {"type": kind, "message": f"This is {kind}."}})


def _send(request: BaseHTTPRequestHandler, status: int, content: Any, **headers: str) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), "Content-Type": "application/json", **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


@contextmanager
def fake_apify() -> Iterator[FakeApify]:
    server = FakeApify()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(5)
