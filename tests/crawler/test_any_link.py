"""Links read by yt-dlp: whatever it does, it goes through the door."""

import os
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.outbound import Door, ForbiddenAddress
from crawler.providers import ytdlp
from crawler.providers.base import Access, Query
from crawler.providers.errors import Blocked, Gone, LoginRequired, RateLimited, Unreachable, Unsupported
from crawler.providers.ytdlp import AnyLink, meaning, video_of
from tests.crawler.raw_server import answer, headers_of, path_of, raw_server

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def fetch(server, path, *, allowed=None):
    door = Door(allowed_hosts=server.allowed if allowed is None else allowed)
    return AnyLink().fetch_video(server.url(path), Access(base_url="", door=door))


def page(html):
    return answer(html.encode(), Content_Type="text/html; charset=utf-8")


@pytest.fixture
def site():
    """A few pages of the open web."""

    def handle(connection, request):
        path = path_of(request).split("?")[0]
        base = f"http://{headers_of(request)['host']}"
        routes = {
            "/clip.mp4": answer(b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 2000, Content_Type="video/mp4"),
            "/page": page(
                f"<html><head><title>A clip 猫</title></head><video src='{base}/clip.mp4' poster='{base}/c.jpg'></video></html>"
            ),
            "/words": page("<html><title>only words</title><p>nothing to see</p></html>"),
            "/inward": page("<html><video src='http://10.0.0.1/secret.mp4'></video></html>"),
            "/hls": answer(
                b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://169.254.169.254/x.m3u8\n", Content_Type="application/x-mpegurl"
            ),
            "/away": answer(status="302 Found", Location="http://169.254.169.254/latest/"),
            "/gone": answer(b"", "404 Not Found"),
            "/wall": answer(b"", "403 Forbidden"),
            "/later": answer(b"", "429 Too Many Requests", Retry_After="9"),
            "/broken": answer(b"", "502 Bad Gateway"),
        }
        connection.sendall(routes.get(path, routes["/gone"]))

    with raw_server(handle) as server:
        yield server


def test_a_link_to_a_file_is_a_clip(site):
    video = fetch(site, "/clip.mp4")

    assert (video.kind, video.external_id, video.url) == ("clip", "clip", site.url("/clip.mp4"))
    assert [media.url for media in video.media] == [site.url("/clip.mp4")]
    assert video.counts.views is None


def test_a_page_with_a_player_is_a_clip(site):
    video = fetch(site, "/page")

    assert video.title.startswith("A clip 猫")
    assert [media.url for media in video.media] == [site.url("/clip.mp4")]


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/words", Unsupported),
        ("/gone", Gone),
        ("/wall", Blocked),
        ("/later", RateLimited),
        ("/broken", Unreachable),
        ("/away", ForbiddenAddress),
    ],
)
def test_what_is_no_video_has_its_reason(site, path, error):
    with pytest.raises(error):
        fetch(site, path)


@pytest.mark.parametrize("path", ["/inward", "/hls"])
def test_media_in_forbidden_places_are_left_out_or_refused(site, path):
    try:
        video = fetch(site, path)
    except (ForbiddenAddress, Unsupported, Unreachable):
        return
    assert video.media == ()


def test_no_socket_is_opened_but_the_doors(site, monkeypatch):
    """The suite's closed network would stop others anyway; here even loopback is closed to them."""
    opened = []
    real = socket.socket.connect

    def connect(self, address):
        opened.append((type(self).__name__, address))
        return real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    fetch(site, "/page")

    assert opened
    assert {name for name, _address in opened} == {"_PlainSocket"}


@pytest.mark.parametrize("url", ["http://127.0.0.1/x", "file:///etc/passwd", "ytsearch:cats", ":ythistory", "", "http://[::1]/x"])
def test_links_that_are_none_never_reach_the_extractors(url):
    with pytest.raises(ForbiddenAddress):
        AnyLink().fetch_video(url, Access(base_url="", door=Door()))


def test_a_page_that_keeps_the_reader_busy_for_ever_costs_its_time_and_no_more(monkeypatch, site):
    """yt-dlp's patterns take hours over some two hundred kilobytes, and hold everything else in their process meanwhile."""
    began = time.monotonic()
    fetch(site, "/page")
    usual = time.monotonic() - began  # most of it is yt-dlp's start, which a busy machine makes long
    monkeypatch.setattr(ytdlp, "SECONDS", 2 + 3 * usual)
    lived = threading.Event()
    with raw_server(lambda c, r: c.sendall(page("<html>" + "<meta " * 35_000))) as server:
        threading.Timer(ytdlp.SECONDS / 2, lived.set).start()
        began = time.monotonic()
        with pytest.raises(Unreachable) as refused:
            fetch(server, "/watch")

    assert refused.value.code == "timed_out"
    assert time.monotonic() - began < ytdlp.SECONDS + 20
    assert server.requests  # it was busy with the page
    assert lived.is_set()  # others had their turn
    assert not any(b"ytdlp_child" in line for line in commands_of_children())


def commands_of_children():
    mine = Path(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/children").read_text().split()
    for pid in mine:
        yield Path(f"/proc/{pid}/cmdline").read_bytes()


def test_the_reader_has_no_network_and_starts_no_program():
    tries = ["socket.create_connection(('127.0.0.1', 9))", "socket.getaddrinfo('example.org', 80)", "subprocess.run(['true'])"]
    for each in tries:
        code = (
            "import sys, socket, subprocess; from crawler.providers.ytdlp_child import refuse_network\n"
            f"sys.addaudithook(refuse_network)\n{each}"
        )
        tried = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "is not for extractors" in tried.stderr


def test_it_lists_nothing():
    with pytest.raises(Unsupported):
        next(AnyLink().crawl(Query(kind="topic", value="x"), Access(base_url=""), cursor=None, pages=1))


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("ERROR: [X] 1: Video unavailable", Gone),
        ("This video is private", Gone),
        ("Sign in to confirm your age", LoginRequired),
        ("\x1b[0;31mERROR:\x1b[0m use --cookies", LoginRequired),
    ],
)
def test_yt_dlps_words_are_understood(words, error):
    from yt_dlp.utils import DownloadError

    assert isinstance(meaning(DownloadError(words)), error)


def test_a_description_is_translated():
    info = {
        "id": "abc-1",
        "extractor_key": "TikTok",
        "description": "the whole text #猫",
        "title": "the whole…",
        "webpage_url": "https://www.tiktok.com/@x/video/1",
        "uploader": "Some One",
        "uploader_id": "someone",
        "channel_id": "99",
        "duration": 12.345,
        "timestamp": 1763600000,
        "view_count": 5,
        "like_count": -1,
        "comment_count": None,
        "repost_count": "7",
        "tags": ["猫", 5, None],
        "formats": [
            {
                "url": "https://8.8.8.8/low",
                "vcodec": "h264",
                "acodec": "aac",
                "height": 540,
                "width": 304,
                "tbr": 500.4,
                "protocol": "https",
            },
            {
                "url": "https://8.8.8.8/high",
                "vcodec": "hev1.1",
                "acodec": "aac",
                "height": 1080,
                "tbr": float("nan"),
                "filesize": 10,
            },
            {"url": "https://8.8.8.8/silent", "vcodec": "h264", "acodec": "none", "height": 2160},
            {"url": "https://8.8.8.8/list.m3u8", "vcodec": "h264", "acodec": "aac", "protocol": "m3u8_native"},
            {"url": "https://10.0.0.1/inside", "vcodec": "h264", "acodec": "aac", "height": 720},
            "nonsense",
        ],
    }

    video = video_of(info, "https://vm.tiktok.com/x", Door())

    assert (video.platform, video.external_id, video.title) == ("tiktok", "abc-1", "the whole text #猫")
    assert (video.duration_ms, video.published_at) == (12345, datetime(2025, 11, 20, 0, 53, 20, tzinfo=UTC))
    assert [(m.url.rpartition("/")[2], m.codec, m.height, m.bitrate) for m in video.media] == [
        ("high", "h265", 1080, None),
        ("low", "h264", 540, 500400),
    ]
    assert (video.counts.views, video.counts.likes, video.counts.comments, video.counts.shares) == (5, None, None, 7)
    assert (video.author.external_id, video.author.handle, video.hashtags) == ("99", "someone", ("猫",))


@pytest.mark.parametrize(
    "info",
    [
        None,
        [],
        {"_type": "playlist", "entries": []},
        {"_type": "playlist", "entries": [None]},
        {"id": "1", "is_live": True},
        {"live_status": "is_upcoming"},
    ],
)
def test_what_is_not_one_finished_video_is_refused(info):
    with pytest.raises(Unsupported):
        video_of(info, "https://8.8.8.8/", Door())


def test_a_playlist_is_its_first_entry_and_a_strange_id_is_replaced():
    video = video_of(
        {"_type": "playlist", "entries": [{"id": "../../x", "url": "https://8.8.8.8/1.mp4"}]}, "https://8.8.8.8/", Door()
    )

    assert len(video.external_id) == 32
    assert len(video.media) == 1
