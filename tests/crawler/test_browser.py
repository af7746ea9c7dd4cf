"""Douyin's provider in a real Chromium, against the sample platform; and a browser that dies, hangs or is left."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from crawler.providers import browser
from crawler.providers.base import Access, Query
from crawler.providers.douyin import Douyin
from crawler.providers.errors import Blocked, Changed, Gone, LoginRequired, RateLimited, Unreachable, Unsupported
from tests.crawler.raw_server import answer, path_of, raw_server

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
TOPIC = "猫"


@pytest.fixture(scope="module", autouse=True)
def _one_browser():
    yield
    browser.close()


@pytest.fixture
def access(sample):
    sample.clear_faults()
    yield Access(base_url=sample.web_url, page_timeout_seconds=60)  # for what comes; what never comes has limits of its own
    sample.clear_faults()


def crawl(access, *, kind="topic", value=TOPIC, cursor=None, pages=3):
    return list(Douyin().crawl(Query(kind=kind, value=value), access, cursor=cursor, pages=pages))


def ids(pages):
    return [video.external_id for page in pages for video in page.videos]


def test_a_topic_is_read_page_by_page_to_its_end(access, sample):
    pages = crawl(access, pages=50)

    assert len(pages) > 1
    assert pages[-1].cursor is None
    assert all(page.cursor for page in pages[:-1])
    assert len(set(ids(pages))) == len(ids(pages))
    told = {video["id"] for video in sample.truth()["videos"]} if "videos" in sample.truth() else set(ids(pages))
    assert set(ids(pages)) <= told
    assert {video.kind for page in pages for video in page.videos} == {"clip", "carousel"}
    assert sum(page.skipped.get("live", 0) for page in pages) > 0


def test_a_run_goes_on_where_another_one_stopped(access):
    first = crawl(access, pages=1)
    rest = crawl(access, cursor=first[0].cursor, pages=50)
    whole = crawl(access, pages=50)

    assert ids(first) + ids(rest) == ids(whole)


def test_no_more_pages_are_asked_for_than_wanted(access):
    assert len(crawl(access, pages=2)) == 2
    assert crawl(access, pages=0) == []


def test_a_profile_is_read(access):
    author = crawl(access, pages=1)[0].videos[0].author

    posts = crawl(access, kind="profile", value=author.url.rpartition("/")[2], pages=5)

    assert {video.author.external_id for page in posts for video in page.videos} == {author.external_id}


def test_words_nobody_uses_are_an_empty_listing_and_no_error(access):
    pages = crawl(access, value="zzz never said")

    assert [page.videos for page in pages] == [()]


@pytest.mark.parametrize("value", ["a/b?c#d", "100% <b>", "../猫", "猫" * 100])
def test_words_of_any_kind_reach_the_search(access, value):
    assert ids(crawl(access, value=value)) == []


@pytest.mark.parametrize("query", [{"kind": "nonsense"}, {"value": ".."}, {"value": " "}])
def test_what_is_not_read_says_so(access, query):
    with pytest.raises(Unsupported):
        crawl(access, **query)


@pytest.mark.parametrize(
    ("fault", "options", "error"),
    [
        ("block", {"value": "empty"}, Blocked),
        ("block", {"value": "blocked"}, Blocked),
        ("block", {"value": "captcha"}, Blocked),
        ("block", {"value": "no_data"}, Blocked),
        ("block", {"value": "page"}, Blocked),
        ("login", {}, LoginRequired),
        ("changed", {}, Changed),
        ("ratelimit", {"value": "7"}, RateLimited),
        ("ratelimit", {"places": ["page"]}, RateLimited),
        ("unreachable", {}, Unreachable),
        ("unreachable", {"places": ["search"]}, Unreachable),
        ("slow", {"places": ["search"], "value": 200}, Unreachable),
    ],
)
def test_each_refusal_has_its_name(access, sample, fault, options, error):
    sample.set_fault(fault, **options)
    # Two of them are known by what does not come.
    patience = 2 if fault == "slow" else 10 if options.get("value") == "page" else 60
    access = Access(base_url=access.base_url, page_timeout_seconds=patience)

    with pytest.raises(error) as refused:
        crawl(access)

    if options.get("value") == "7":
        assert refused.value.retry_after.total_seconds() == 7


def test_an_empty_listing_is_not_a_refusal(access, sample):
    sample.set_fault("empty", topic=TOPIC)

    assert ids(crawl(access)) == []


def test_what_came_before_a_refusal_is_kept(access, sample):
    pages = Douyin().crawl(Query(kind="topic", value=TOPIC), access, cursor=None, pages=9)
    first = next(pages)
    sample.set_fault("block", topic=TOPIC)

    assert first.videos
    with pytest.raises(Blocked):
        list(pages)


def test_a_signed_in_session_passes_the_wall(access, sample):
    sample.set_fault("login")
    cookie = {"name": "sessionid", "value": "sample-session", "domain": "localhost", "path": "/", "expires": -1}
    state = {"cookies": [cookie | {"httpOnly": True, "secure": False, "sameSite": "Lax"}], "origins": []}

    assert ids(crawl(Access(base_url=access.base_url, storage_state=state, page_timeout_seconds=60), pages=1))


def test_one_video_is_read_by_each_of_its_links(access, sample):
    videos = [video for page in crawl(access, pages=3) for video in page.videos]
    clip = next(video for video in videos if video.kind == "clip")
    carousel = next(video for video in videos if video.kind == "carousel")

    for url in (
        clip.url,
        f"{access.base_url}/share/video/{clip.external_id}/",
        f"https://www.douyin.com/?modal_id={clip.external_id}",
    ):
        assert Douyin().fetch_video(url, access).external_id == clip.external_id
    found = Douyin().fetch_video(carousel.url, access)
    assert (found.kind, len(found.slides)) == ("carousel", len(carousel.slides))

    sample.set_fault("gone", video=clip.external_id)
    with pytest.raises(Gone):
        Douyin().fetch_video(clip.url, access)
    with pytest.raises(Gone):
        Douyin().fetch_video(f"{access.base_url}/video/7999999999999999999", access)
    with pytest.raises(Unsupported):
        Douyin().fetch_video(f"{access.base_url}/user/nobody", access)


# -- the browser itself ----------------------------------------------------------------------------


def test_a_page_reaches_the_platform_and_nothing_else():
    page = b"""<script>
        const get = url => fetch(url, {mode: "no-cors"}).catch(() => 0);
        (async () => {
            for (const url of CANARIES) await get(url);
            new Image().src = "/picture"; await get("/api/answer");
        })()</script>"""

    with raw_server(lambda c, r: c.sendall(answer(b"inside"))) as canary:
        canaries = [f"http://{host}:{canary.port}/" for host in ("127.0.0.1", "[::1]", "2130706433", "0x7f.1", "tracker.test")]

        def handle(connection, request):
            path = path_of(request)
            if path == "/away":
                connection.sendall(answer(status="302 Found", Location=canaries[0]))
            elif path == "/":
                script = page.replace(b"CANARIES", str([*canaries, "/away"]).encode())
                connection.sendall(answer(script, Content_Type="text/html"))
            else:
                connection.sendall(answer(b"{}", Content_Type="application/json"))

        with raw_server(handle) as site, browser.open_page(hosts=["localhost"], paths=["/api/"], timeout_seconds=60) as opened:
            opened.goto(site.url(host="localhost"))
            assert opened.next_answer().body == b"{}"
            with pytest.raises(Unreachable):
                opened.goto(canaries[0])

        assert canary.connections == 0
        assert "/picture" not in [path_of(request) for request in site.requests]


def test_contexts_share_nothing(access):
    def handle(connection, request):
        connection.sendall(answer(b"<p>hello", Content_Type="text/html", Set_Cookie="who=me; Path=/"))

    with raw_server(handle) as site:
        for _ in range(2):
            with browser.open_page(hosts=["localhost"], paths=["/none"]) as page:
                page.goto(site.url(host="localhost"))

    asked = [request for request in site.requests if path_of(request) == "/"]
    assert len(asked) == 2
    assert not [request for request in asked if b"who=me" in request]


def test_a_page_that_loads_for_ever_is_left_at_its_time_limit():
    stopped = threading.Event()
    with raw_server(lambda c, r: stopped.wait(60)) as site:
        with browser.open_page(hosts=["localhost"], paths=["/none"], timeout_seconds=1) as page:
            began = time.monotonic()
            with pytest.raises(Unreachable):
                page.goto(site.url(host="localhost"))
            took = time.monotonic() - began
        stopped.set()

    assert took < 20  # Playwright's own patience is thirty


def test_a_crawl_that_is_left_early_gives_its_turn_back(access):
    pages = Douyin().crawl(Query(kind="topic", value=TOPIC), access, cursor=None, pages=9)
    next(pages)
    pages.close()

    assert len(crawl(access, pages=1)) == 1


def test_many_threads_take_turns(access):
    found = []
    threads = [threading.Thread(target=lambda: found.extend(crawl(access, pages=1))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(240)

    assert len(found) == 3


def test_a_browser_is_replaced_after_so_many_pages(access, monkeypatch):
    monkeypatch.setattr(browser, "PAGES_PER_BROWSER", 1)
    before = browsers()
    crawl(access, pages=1)
    crawl(access, pages=1)

    assert browsers()
    assert browsers() != before


def test_a_browser_that_hangs_is_ended_and_the_next_look_has_a_new_one(access, monkeypatch):
    crawl(access, pages=1)
    monkeypatch.setattr(browser, "MARGIN_SECONDS", 1.0)
    monkeypatch.setattr(browser, "LAUNCH_SECONDS", 3.0)
    frozen = browsers()
    for pid in frozen:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)

    with pytest.raises(Unreachable):
        crawl(Access(base_url=access.base_url, page_timeout_seconds=1), pages=1)
    monkeypatch.undo()

    assert len(crawl(access, pages=1)) == 1
    assert not set(frozen) & set(browsers())


def test_a_browser_that_is_killed_is_replaced(access):
    crawl(access, pages=1)
    for pid in browsers():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(Unreachable):
        crawl(access, pages=1)

    assert len(crawl(access, pages=1)) == 1


def test_a_worker_that_is_killed_leaves_no_browser_behind(access):
    program = (
        "import sys; from crawler.providers import browser\n"
        "with browser.open_page(hosts=['localhost'], paths=['/x']) as page:\n"
        "    page.goto(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", program, f"{access.base_url}/search/x"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with worker:
        assert worker.stdout.readline() == b"open\n"
        started = descendants(worker.pid)
        assert any("chrom" in name for name in started.values())
        worker.kill()
        worker.wait(10)

        ends_at = time.monotonic() + 60
        while alive(started) and time.monotonic() < ends_at:
            time.sleep(0.1)
        assert alive(started) == []


def browsers():
    """The Chromium processes that this process started."""
    return sorted(pid for pid, name in descendants(os.getpid()).items() if "chrom" in name)


def descendants(pid):
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _paren, rest = stat.read_text().partition("(")[2].rpartition(")")
            if rest.split()[0] != "Z":
                parents[int(stat.parent.name)] = (int(rest.split()[1]), name)
    found, waiting = {}, [pid]
    while waiting:
        parent = waiting.pop()
        for child, (of, name) in parents.items():
            if of == parent:
                found[child] = name
                waiting.append(child)
    return found


def alive(processes):
    left = []
    for pid, name in processes.items():
        with contextlib.suppress(OSError):
            stat = Path(f"/proc/{pid}/stat").read_text()
            if stat.rpartition(")")[2].split()[0] != "Z" and f"({name})" in stat:
                left.append((pid, name))
    return left
