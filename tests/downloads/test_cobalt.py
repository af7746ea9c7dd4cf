"""cobalt as a way to the bytes: a server that keeps to its documented API, and one that does not."""

import io
import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from crawler.models import Video
from crawler.outbound import door_to
from crawler.providers.base import Access, SlideData
from crawler.providers.errors import Blocked, Changed, KeyRefused, RateLimited, Unreachable, Unsupported
from downloads import failover, services, storage
from downloads.extractors.base import Wanted
from downloads.extractors.cobalt import Cobalt
from downloads.models import Asset, AssetRole, DownloadJob, Extractor
from jobs import kinds
from jobs.errors import PermanentError
from jobs.models import State
from jobs.runner import drain
from tests.crawler.raw_server import answer, headers_of, path_of, raw_server
from tests.downloads.conftest import use_media
from tests.factories import VideoFactory

KEY = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
KNOWN = {
    *("url", "audioBitrate", "audioFormat", "downloadMode", "filenameStyle", "videoQuality", "youtubeVideoCodec"),
    *("youtubeDubLang", "alwaysProxy", "disableMetadata", "tiktokFullAudio"),
}
"""What versions 10 and 11 both take; another name is refused."""


class Server:
    """Answers as the documents say: strict about headers, key and names; its tunnels serve the files it was given."""

    def __init__(self) -> None:
        self.says: Any = {}
        self.files: dict[str, bytes] = {}
        self.asked: list[dict[str, Any]] = []
        self.url = ""

    def handle(self, connection: Any, request: bytes) -> None:
        path = path_of(request)
        if path.startswith("/tunnel"):
            content = self.files.get(path.partition("id=")[2])
            connection.sendall(answer(content) if content is not None else answer(b"", "404 Not Found"))
            return
        status, body = self._process(headers_of(request), request)
        said = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.sendall(answer(said, status, Content_Type="application/json", RateLimit_Reset="17"))

    def _process(self, headers: dict[str, str], request: bytes) -> tuple[str, Any]:
        if headers.get("accept") != "application/json" or headers.get("content-type") != "application/json":
            return "400 Bad Request", error("error.api.header.accept")
        if headers.get("authorization") != f"Api-Key {KEY}":
            return "401 Unauthorized", error("error.api.auth.key.invalid")
        body = json.loads(request.partition(b"\r\n\r\n")[2])
        if set(body) - KNOWN:
            return "400 Bad Request", error("error.api.invalid_body")
        self.asked.append(body)
        return self.says if isinstance(self.says, tuple) else ("200 OK", self.says)

    def tunnel(self, name: str, content: bytes) -> str:
        self.files[name] = content
        return f"{self.url}/tunnel?id={name}"


def error(code: str, **context: Any) -> dict[str, Any]:
    return {"status": "error", "error": {"code": code, **({"context": context} if context else {})}}


@pytest.fixture
def cobalt() -> Iterator[Server]:
    server = Server()
    with raw_server(server.handle) as running:
        server.url = running.url(host="localhost")[:-1]
        yield server


def find(server: Server, *, key: str = KEY, **wanted: Any) -> Any:
    access = Access(base_url=server.url, key=key, door=door_to(server.url))
    known = {"platform": "tiktok", "url": "https://www.tiktok.com/@a/video/7300000000000000001", "is_carousel": False, **wanted}
    return Cobalt().find(Wanted(**known), access)


# -- what it says ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["tunnel", "redirect"])
def test_one_file_is_a_clip(cobalt: Server, status: str) -> None:
    cobalt.says = {"status": status, "url": "https://cdn.test/a", "filename": "tiktok_a_1.mp4"}

    found = find(cobalt)

    assert ([m.url for m in found.media], found.slides, found.is_fresh) == (["https://cdn.test/a"], (), False)
    assert cobalt.asked[0]["url"] == "https://www.tiktok.com/@a/video/7300000000000000001"


def test_a_picker_is_all_slides_in_order_and_the_sound(cobalt: Server) -> None:
    picker = [{"type": "photo", "url": f"https://cdn.test/{n}.jpg", "thumb": "https://cdn.test/t.jpg"} for n in range(4)]
    cobalt.says = {"status": "picker", "picker": picker, "audio": "https://cdn.test/a.mp3", "audioFilename": "a.mp3"}

    found = find(cobalt, is_carousel=True)

    assert [slide.urls[0] for slide in found.slides] == [f"https://cdn.test/{n}.jpg" for n in range(4)]
    assert found.sound_url == "https://cdn.test/a.mp3"


def test_a_carousel_of_one_picture_comes_as_one_file(cobalt: Server) -> None:
    cobalt.says = {"status": "redirect", "url": "https://cdn.test/1", "filename": "tiktok_1_photo_1.jpg"}

    assert len(find(cobalt, is_carousel=True).slides) == 1


def test_the_one_piece_of_local_processing_is_a_file_and_more_are_not(cobalt: Server) -> None:
    cobalt.says = {"status": "local-processing", "type": "remux", "tunnel": ["https://cobalt.test/tunnel?id=1"], "output": {}}
    assert [m.url for m in find(cobalt).media] == ["https://cobalt.test/tunnel?id=1"]

    cobalt.says = {"status": "local-processing", "type": "merge", "tunnel": ["https://a.test/1", "https://a.test/2"]}
    with pytest.raises(Unsupported, match="FORCE_LOCAL_PROCESSING"):
        find(cobalt)


def test_fewer_slides_than_there_are_is_not_the_carousel(cobalt: Server) -> None:
    cobalt.says = {"status": "picker", "picker": [{"type": "photo", "url": "https://cdn.test/1.jpg"}]}

    with pytest.raises(Unsupported, match="1 of the 3"):
        find(cobalt, is_carousel=True, slides=(SlideData(urls=("https://x.test/1",)),) * 3)


@pytest.mark.parametrize(
    ("says", "raised"),
    [
        (("429 Too Many", error("error.api.rate_exceeded", limit=60)), RateLimited),
        (error("error.api.fetch.rate"), RateLimited),
        (error("error.api.service.unsupported"), Unsupported),
        (("400 Bad Request", error("error.api.link.invalid")), Unsupported),
        (error("error.api.content.video.unavailable"), PermanentError),
        (error("error.api.content.post.private"), PermanentError),
        (error("error.api.youtube.login"), Blocked),
        (error("error.api.invalid_body"), Changed),
        (error("error.api.fetch.fail"), Unreachable),
        (error("error.api.capacity"), Unreachable),
        (error("error.never.heard.of"), Unreachable),
        ({"status": "error"}, Unreachable),
        (("502 Bad Gateway", b"<html>"), Unreachable),
        (b"<html>somebody else's page", Changed),
        (b"", Changed),
        (b"[" * 100_000, Changed),
        ([1], Changed),
        ({"status": "success"}, Changed),
        ({"status": "tunnel", "url": "file:///etc/passwd"}, Changed),
        ({"status": "tunnel"}, Changed),
        ({"status": "picker", "picker": [{"type": "photo", "url": 7}]}, Changed),
        ({"status": "picker", "picker": None}, Unsupported),
        ({"status": "picker", "picker": ["x", None]}, Unsupported),
        (b'{"status": "tunnel", "url": "' + b"x" * 2_000_000 + b'"}', PermanentError),
    ],
)
def test_each_answer_has_its_meaning(cobalt: Server, says: Any, raised: type[Exception]) -> None:
    cobalt.says = says

    with pytest.raises(raised) as told:
        find(cobalt)

    if raised is RateLimited and isinstance(says, tuple):
        assert told.value.retry_after == timedelta(seconds=17)  # type: ignore[attr-defined]


@pytest.mark.parametrize("key", ["", "wrong"])
def test_a_key_that_is_not_accepted_says_where_to_look(cobalt: Server, key: str) -> None:
    with pytest.raises(KeyRefused, match="COBALT_API_KEY"):
        find(cobalt, key=key)


# -- as a row that staff tune ------------------------------------------------------------------------


@pytest.mark.django_db
def test_it_is_there_only_where_its_address_is_set(settings: Any) -> None:
    settings.COBALT_URL = ""
    assert "cobalt" not in [row.name for row in failover.extractors_for("tiktok")]

    settings.COBALT_URL = "http://cobalt.test"
    row = failover.extractors_for("tiktok")[-1]
    assert (row.name, row.is_enabled, row.most_per_hour) == ("cobalt", True, 200)

    settings.COBALT_URL = ""
    assert "cobalt" not in [row.name for row in failover.extractors_for("tiktok")]


@pytest.mark.django_db
def test_it_is_asked_no_more_often_in_an_hour_than_staff_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Extractor.objects.create(name="cobalt", platform="tiktok", most_per_minute=2, most_per_hour=3)
    clock = 7200.0 + 5
    monkeypatch.setattr(time, "time", lambda: clock)

    assert [bool(failover.rest_left(row)) for _ in range(3)] == [False, False, True]  # the minute's
    clock += 60
    assert [bool(failover.rest_left(row)) for _ in range(2)] == [False, True]
    assert failover.rest_left(row) == timedelta(seconds=60 - 5)  # what the minute refused is not counted in the hour
    clock += 3600
    assert failover.rest_left(row) == timedelta(0)


# -- the bytes -------------------------------------------------------------------------------------


@pytest.fixture
def alone(cobalt: Server, settings: Any, tmp_path: Path, transactional_db: None) -> Server:
    """Every other way is switched off, and cobalt stands in a private place."""
    settings.COBALT_URL, settings.COBALT_API_KEY, settings.COBALT_PROXY = cobalt.url, KEY, ""
    settings.FETCH_ALLOWED_HOSTS = []
    settings.TEMP_DIR = tmp_path / "tmp"
    use_media(settings, f"file:{tmp_path / 'media'}")
    failover.extractors_for("douyin")
    Extractor.objects.exclude(name="cobalt").update(is_enabled=False)
    return cobalt


def fetch(video: Video) -> DownloadJob:
    job = services.request_download(video, "best", session_key="s").job
    drain(kinds.get("download"), most=1)
    job.refresh_from_db()
    return job


def test_a_clip_comes_through_a_tunnel_and_is_verified(alone: Server, make_clip: Callable[..., Path]) -> None:
    video = VideoFactory(platform="douyin", kind="clip", media=[], slides=[], duration_ms=3000)
    alone.says = {"status": "tunnel", "url": alone.tunnel("1", make_clip().read_bytes()), "filename": "x.mp4"}

    job = fetch(video)

    assert (job.state, job.extractor) == (State.COMPLETED, "cobalt"), job.error
    kept = Asset.objects.get(video=video, role=AssetRole.VIDEO).object
    assert kept is not None
    assert kept.key in {item.key for item in storage.media().entries()}
    video.refresh_from_db()
    assert video.media == []  # a tunnel lasts for moments: not worth remembering


def test_what_is_no_clip_is_not_kept_whoever_hands_it_out(alone: Server) -> None:
    video = VideoFactory(platform="douyin", kind="clip", media=[], slides=[])
    alone.says = {"status": "tunnel", "url": alone.tunnel("1", b"<html>not a clip" * 500), "filename": "x.mp4"}

    job = fetch(video)

    assert job.state != State.COMPLETED
    assert not Asset.objects.filter(role=AssetRole.VIDEO, state="ready").exists()


def test_a_carousel_comes_with_all_slides(alone: Server) -> None:
    video = VideoFactory(platform="douyin", kind="carousel", media=[], slides=[])
    pictures = [alone.tunnel(str(n), picture(n)) for n in range(3)]
    alone.says = {"status": "picker", "picker": [{"type": "photo", "url": url} for url in pictures]}

    job = fetch(video)

    assert job.state == State.COMPLETED, job.error
    slides = Asset.objects.filter(video=video, role=AssetRole.SLIDE, state="ready")
    assert sorted(slides.values_list("position", flat=True)) == [0, 1, 2]


def test_a_tunnel_into_another_private_place_is_not_entered(alone: Server) -> None:
    video = VideoFactory(platform="douyin", kind="clip", media=[], slides=[])
    with raw_server(lambda c, r: c.sendall(answer(b"inside"))) as other:
        alone.says = {"status": "tunnel", "url": other.url("/secret"), "filename": "x.mp4"}
        job = fetch(video)

        assert other.connections == 0
    assert job.state != State.COMPLETED


def picture(number: int) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((200, 300), 20 + number).convert("RGB").save(file, "JPEG")
    return file.getvalue()
