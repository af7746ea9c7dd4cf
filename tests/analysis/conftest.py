"""Carousels whose slides are really stored, and a Gemini that knows the contract."""

import base64
import io
import json
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from crawler.models import Video
from downloads import objects
from downloads.models import Asset, AssetRole, AssetState
from sample_platform.art import lettering
from tests.downloads.conftest import use_media
from tests.factories import AssetFactory, VideoFactory

KEY = "a-key-for-tests"
MakeCarousel = Callable[..., Video]


def drawn(*lines: str, size: tuple[int, int] = (720, 960)) -> bytes:
    """A slide with these lines on it, each twice as far below the other as it is high."""
    picture = Image.new("RGB", size, "#fdf6ec")
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        pen.text((60, 160 + number * 150), line, font=lettering.font(60), fill="#22202c")
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    """A media store for this test alone."""
    use_media(settings, f"file:{tmp_path / 'media'}")
    settings.TEMP_DIR = tmp_path / "tmp"
    settings.GEMINI_API_KEY = ""
    return tmp_path


@pytest.fixture
def carousel(media: Path) -> MakeCarousel:
    """`carousel([b"…", …], title="…")`: a carousel whose slides are stored as these bytes; None: still on its way."""

    def make(slides: list[bytes | None], **facts: Any) -> Video:
        planned = [{"urls": [f"https://cdn.example/{n}.jpg"], "width": 720, "height": 960} for n in range(len(slides))]
        video: Video = VideoFactory.create(carousel=True, slides=planned, **facts)
        for position, content in enumerate(slides):
            store_slide(video, position, content)
        return video

    return make


def store_slide(video: Video, position: int, content: bytes | None) -> Asset:
    wanted = {"video": video, "role": AssetRole.SLIDE, "quality": "", "position": position}
    if content is None:
        asset: Asset = AssetFactory.create(**wanted, state=AssetState.WANTED, object=None, ready_at=None)
        return asset
    with tempfile.TemporaryDirectory() as folder:
        sha256, size = objects.store_bytes(content, mime="image/jpeg", folder=Path(folder))
    row = objects.record(sha256, size=size, mime="image/jpeg")
    Asset.objects.filter(**wanted).delete()
    return AssetFactory.create(**wanted, object=row)


@dataclass
class StandIn:
    """Answers generateContent as contracts/gemini.md says. `say` overrides the words, `next` whole answers, in turn."""

    url: str = ""
    say: Callable[[int], dict[str, Any]] = field(default=lambda count: said(count))
    next: list[tuple[int, Any]] = field(default_factory=list)
    finish: str = "STOP"
    asked: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """What was wrong with requests, by the contract."""
    may_answer: threading.Event = field(default_factory=threading.Event)
    """Cleared: every request is kept waiting."""

    def answer(self, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        self.paths.append(path)
        if self.next:
            return self.next.pop(0)
        if headers.get("x-goog-api-key") != KEY:
            details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
            return problem(400, "INVALID_ARGUMENT", "API key not valid.", details)
        request = json.loads(body)
        self.asked.append(request)
        if mistakes := [mistake for mistake, is_made in self._mistakes(path, headers, request, body) if is_made]:
            self.wrong += mistakes
            return problem(400, "INVALID_ARGUMENT", "; ".join(mistakes))
        count = len(pictures_in(request))
        text = json.dumps(self.say(count), ensure_ascii=False)
        return 200, answered(text, model=path.split("/")[-1].split(":")[0], finish=self.finish)

    def _mistakes(self, path: str, headers: Any, request: dict[str, Any], body: bytes) -> Iterator[tuple[str, bool]]:
        config = request.get("generationConfig", {})
        thinking = config.get("thinkingConfig", {})
        yield "unknown path", not re.fullmatch(r"/v1beta/models/[\w.-]+:generateContent", path)
        yield "not JSON", not headers.get("Content-Type", "").startswith("application/json")
        yield "both schemas", ("responseSchema" in config) == ("responseJsonSchema" in config)
        yield "no JSON wanted", config.get("responseMimeType") != "application/json"
        yield "both ways to bound thinking", len(thinking) > 1
        yield "sampling", bool({"temperature", "topP", "topK", "candidateCount"} & config.keys())
        yield "ends with the model's turn", request["contents"][-1]["role"] != "user"
        yield "too large", len(body) > 18_000_000
        for data in pictures_in(request):
            with Image.open(io.BytesIO(data)) as picture:
                yield "not a JPEG", picture.format != "JPEG"
            yield "picture too large", len(data) > 4_000_000


def pictures_in(request: dict[str, Any]) -> list[bytes]:
    parts = request["contents"][0]["parts"]
    return [base64.b64decode(part["inlineData"]["data"], validate=True) for part in parts if "inlineData" in part]


def said(count: int, **changes: Any) -> dict[str, Any]:
    """An answer that obeys the schema, about so many slides."""
    slides = [
        {
            "position": n,
            "text": f"第{n}页的字",
            "description": "A page with letters.",
            "type": "hook" if n == 0 else "content",
            "confidence": 0.93,
            "language": "zh",
        }
        for n in range(count)
    ]
    return {"slides": slides, "category": {"name": "Street Photography", "confidence": 0.8}} | changes


def answered(text: str, *, model: str = "gemini-3.5-flash-lite", finish: str = "STOP") -> dict[str, Any]:
    return {
        "candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": text}]}, "finishReason": finish}],
        "usageMetadata": {
            "promptTokenCount": 1_000,
            "candidatesTokenCount": 200,
            "thoughtsTokenCount": 40,
            "totalTokenCount": 1_240,
        },
        "modelVersion": model,
        "responseId": "r",
    }


def problem(status: int, word: str, message: str, details: Any = ()) -> tuple[int, Any]:
    return status, {"error": {"code": status, "message": message, "status": word, "details": list(details)}}


@pytest.fixture
def gemini(settings: Any, media: Path) -> Iterator[StandIn]:
    """A running stand-in which the settings name, with a key."""
    stand_in = StandIn()
    stand_in.may_answer.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, document = stand_in.answer(self.path, self.headers, body)
            stand_in.may_answer.wait(60)
            content = document if isinstance(document, bytes) else json.dumps(document).encode()
            with suppress(ConnectionError):  # who asked may be dead by now
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    settings.GEMINI_URL, settings.GEMINI_API_KEY = stand_in.url, KEY
    settings.GEMINI_MODEL = "gemini-3.5-flash-lite"
    try:
        yield stand_in
    finally:
        stand_in.may_answer.set()
        server.shutdown()
        server.server_close()
        thread.join()
