"""Links as people paste them, and what an import makes of them."""

import pytest
from django.utils import timezone

from crawler import links, services
from crawler.models import CrawlJob, Source
from crawler.providers import douyin_links
from tests.crawler.proxy_server import proxy_server
from tests.crawler.raw_server import answer, path_of, raw_server
from tests.factories import SourceFactory, WorkspaceFactory

POST = "7300000000000000001"
DOUYIN = f"https://www.douyin.com/video/{POST}"


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("  https://example.org/a?b=1#c ", "https://example.org/a?b=1#c"),
        ("https://example.org/视频/1", "https://example.org/视频/1"),
        (
            "7.94 复制打开抖音，看看【小猫的作品】# 猫 https://v.douyin.com/iRNBho5m/ 04/05 goq:/ :2pm d@n.qR",
            "https://v.douyin.com/iRNBho5m/",
        ),
        ("看这个：https://v.douyin.com/iRNBho5m/，复制此链接", "https://v.douyin.com/iRNBho5m/"),
        ("【抖音】（https://v.douyin.com/iRNBho5m/）打开Dou音", "https://v.douyin.com/iRNBho5m/"),
        ("复制v.douyin.com/iRNBho5m/打开", "https://v.douyin.com/iRNBho5m/"),
        ("看https://v.douyin.com/iRNBho5m/。", "https://v.douyin.com/iRNBho5m/"),
        (f'get the app at https://app.test/x, then <a href="{DOUYIN}?x=1">look</a>!', f"{DOUYIN}?x=1"),
        ("(see https://example.org/clip).", "https://example.org/clip"),
        ("HTTPS://EXAMPLE.org/Clip", "HTTPS://EXAMPLE.org/Clip"),
        ("first\nhttps://example.org/1\nhttps://example.org/2", "https://example.org/1"),
    ],
)
def test_the_link_in_a_share_text_is_found(text, link):
    assert links.link_in(text) == link


@pytest.mark.parametrize("text", ["", "no link", "ftp://example.org/x", "mail me@v.douyin.com/x", "https://", "x" * 5000])
def test_a_text_without_a_link_says_so(text):
    with pytest.raises(links.NoVideo, match="no link"):
        links.link_in(text)


@pytest.mark.parametrize(
    "spelled",
    [
        DOUYIN,
        f"{DOUYIN}?x=1",
        f"{DOUYIN}/?previous_page=app_code_link#top",
        f"https://www.iesdouyin.com/share/video/{POST}/?region=CN&mid=1",
        f"https://www.douyin.com/discover?modal_id={POST}",
        f"HTTPS://WWW.DOUYIN.COM/video/{POST}",
        f"https://www.douyin.com/user/MS4w?modal_id={POST}&x=1",
    ],
)
def test_every_spelling_of_a_post_is_one(spelled):
    found = links.settle(spelled)

    assert (found.platform, found.url, found.post_id) == ("douyin", DOUYIN, POST)


@pytest.mark.parametrize(
    "spelled",
    [
        f"https://www.tiktok.com/@cat.lady/video/{POST}",
        f"Check this out! https://www.tiktok.com/@cat.lady/video/{POST}?_r=1&_t=8x&is_from_webapp=1 #cats",
        f"https://m.tiktok.com/@cat.lady/video/{POST}/",
    ],
)
def test_a_tiktok_post_has_one_spelling_too(spelled):
    found = links.settle(links.link_in(spelled))

    assert found == links.Settled("tiktok", f"https://www.tiktok.com/@cat.lady/video/{POST}", POST)


@pytest.mark.parametrize(
    ("spelled", "kept"),
    [
        ("https://Example.org:443/Clip?utm_source=x&id=7&fbclid=1#t=5", "https://example.org/Clip?id=7"),
        ("https://youtu.be/dQw4w9WgXcQ?si=abc&t=3", "https://www.youtube.com/watch?v=dQw4w9WgXcQ"),
        ("https://m.youtube.com/watch?feature=share&v=dQw4w9WgXcQ&list=PL1", "https://www.youtube.com/watch?v=dQw4w9WgXcQ"),
        ("https://www.youtube.com/shorts/dQw4w9WgXcQ", "https://www.youtube.com/watch?v=dQw4w9WgXcQ"),
        ("https://www.youtube.com/@somebody/shorts", "https://www.youtube.com/@somebody/shorts"),
        ("http://[2001:db8::1]:8080/x", "http://[2001:db8::1]:8080/x"),
        ("https://example.org", "https://example.org/"),
    ],
)
def test_other_links_lose_what_only_says_where_they_were_found(spelled, kept):
    assert links.settle(spelled) == links.Settled("link", kept)


@pytest.mark.parametrize(
    "url",
    ["https://www.douyin.com/user/MS4wLjABAAAA", "https://www.douyin.com/hashtag/1577530461786125", "https://www.douyin.com/"],
)
def test_a_link_to_something_else_says_what_to_do_with_it(url):
    with pytest.raises(links.NoVideo, match="add it as a source"):
        links.settle(url)


# -- imports ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_one_post_is_one_source_however_it_is_spelled():
    workspace = WorkspaceFactory()
    note = f"https://www.douyin.com/note/{POST}"
    spellings = [DOUYIN, f"{DOUYIN}?x=1", f"看 {note} 。", f"https://www.iesdouyin.com/share/note/{POST}/?x=2"]

    jobs = [services.import_url(text, workspace=workspace) for text in spellings]

    assert {job.pk for job in jobs} == {jobs[0].pk}
    assert Source.objects.get().value == DOUYIN
    services.import_url(DOUYIN, workspace=WorkspaceFactory())
    assert Source.objects.count() == 2  # another workspace's is another


@pytest.mark.django_db
def test_a_tiktok_post_is_known_by_its_id_whatever_its_author_is_called_now():
    workspace = WorkspaceFactory()
    spellings = [f"https://www.tiktok.com/@{path}/{POST}" for path in ("a/video", "b/video", "a/photo", "/video")]

    assert len({services.import_url(text, workspace=workspace).source_id for text in spellings}) == 1
    assert Source.objects.get().platform == "tiktok"


@pytest.mark.django_db
def test_a_source_that_was_kept_under_an_old_spelling_is_found():
    old = SourceFactory(kind="url", value=f"{DOUYIN}?x=1")

    job = services.import_url(DOUYIN, workspace=old.workspace)

    assert job.source == old


class Short:
    def __init__(self, server, say):
        self.server, self.say, self.port, self.requests = server, say, server.port, server.requests

    def url(self, path):
        return self.server.url(path, host="localhost")


@pytest.fixture
def short(settings, monkeypatch, db):
    """Douyin's site and its short links on a server of our own; `say` is what the short link answers."""
    said = {}

    def handle(connection, request):
        connection.sendall(said.get(path_of(request), answer(b"nothing here", "404 Not Found")))

    with raw_server(handle) as server:
        monkeypatch.setattr(douyin_links, "SHORT_HOSTS", frozenset({"localhost"}))
        settings.DOUYIN_URL = server.url(host="localhost")[:-1]
        yield Short(server, said.__setitem__)


def moved(url):
    return answer(status="302 Found", Location=url)


def test_a_short_link_is_followed_to_its_post_and_remembered(short, settings):
    short.say("/abc/", moved("/share/go"))
    short.say("/share/go", moved(f"https://www.iesdouyin.com/share/video/{POST}/?x=1"))

    first = services.import_url(f"看看 {short.url('/abc/')} 复制", workspace=WorkspaceFactory())
    asked = len(short.requests)
    again = services.import_url(short.url("/abc/"), workspace=first.source.workspace)

    assert (first.source.value, again) == (f"{settings.DOUYIN_URL}/video/{POST}", first)
    assert [path_of(request) for request in short.requests] == ["/abc/", "/share/go"]  # the post itself is not fetched for that
    assert len(short.requests) == asked


@pytest.mark.parametrize("target", ["/user/MS4wLjABAAAA", "/abc/"])
def test_a_short_link_that_leads_to_no_post_is_refused(short, target):
    short.say("/user/MS4wLjABAAAA", answer(b"a person"))
    short.say("/abc/", moved(target))

    with pytest.raises(links.NoVideo):
        services.import_url(short.url("/abc/"), workspace=WorkspaceFactory())
    assert not Source.objects.exists()


@pytest.mark.parametrize("said", [answer(b"", "503 Busy"), b"SSH-2.0", moved("http://10.0.0.1/inside")])
def test_a_short_link_that_cannot_be_followed_now_is_left_to_the_job(short, said):
    short.say("/abc/", said)

    job = services.import_url(short.url("/abc/?x=1"), workspace=WorkspaceFactory())

    assert job.source.value == short.url("/abc/")


def test_a_short_link_is_followed_through_the_platforms_proxy(short, settings):
    short.say("/abc/", moved(DOUYIN))
    with proxy_server("socks5") as proxy:
        settings.DOUYIN_PROXY = proxy.url()
        services.import_url(short.url("/abc/"), workspace=WorkspaceFactory())

    assert {port for _host, port in proxy.asked} == {short.port}
    assert CrawlJob.objects.get().created_at <= timezone.now()
