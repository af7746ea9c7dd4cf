"""What everybody sees: the feed, videos, authors and sounds; no account, no script, bad addresses."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import ordering
from downloads.models import AssetRole
from tests.factories import (
    AssetFactory,
    AuthorFactory,
    CategoryFactory,
    DownloadJobFactory,
    MetricSnapshotFactory,
    ScoreFactory,
    SoundFactory,
    SourceFactory,
    SourceVideoFactory,
    VideoFactory,
)

pytestmark = pytest.mark.django_db


def text_of(response):
    """On one line: how a template is broken into lines is nobody's business."""
    return " ".join(response.content.decode().split())


def seen_for(video, period):
    video.first_seen_at = video.last_seen_at - period
    video.save()


def test_an_empty_house_says_what_to_do_next(client):
    page = text_of(client.get("/"))

    assert "No video has been seen yet" in page
    assert 'href="/sources/new/"' in page


def test_videos_without_scores_are_one_link_away(client):
    VideoFactory()

    assert "?ordering=-published_at" in text_of(client.get("/"))


def test_a_card_shows_numbers_growth_surge_and_age(client):
    score = ScoreFactory(surging=True, momentum=0.82, video__title="街头美食", video__likes=12_345, video__views=None)
    seen_for(score.video, timedelta(days=1))
    for hours, likes in ((2, 100), (1, 12_345)):
        MetricSnapshotFactory(video=score.video, observed_at=timezone.now() - timedelta(hours=hours), views=None, likes=likes)

    page = text_of(client.get("/"))

    for words in (
        "街头美食",
        "12.3K",
        "+82 %",
        "in 24 hours: surging",
        "+12.2K since",
        "2 days ago",
        f"/videos/{score.video_id}/",
    ):
        assert words in page, words
    assert 'aria-label="Views"' not in page  # not shown by the platform: not 0


def test_a_video_without_words_is_untitled_and_not_a_number(client):
    video = ScoreFactory(video__title="").video

    assert ">Untitled</span>" in text_of(client.get("/"))
    page = text_of(client.get(f"/videos/{video.pk}/"))
    assert re.search(r"<h1[^>]*>Untitled</h1>", page)
    assert "<title>Untitled · Groundswell" in re.sub(r"\s*(</?title>)\s*", r"\1", page)
    assert f"<code>{video.external_id}</code>" in page, "its number there is a fact among others"


def test_the_feed_goes_on_by_a_plain_link_and_by_htmx(client):
    for _ in range(31):
        ScoreFactory()
    page = text_of(client.get("/"))
    more = re.search(r'rel="next" href="([^"]+)"', page)
    assert more

    url = more[1].replace("&amp;", "&")
    whole, part = text_of(client.get(url)), text_of(client.get(url, headers={"HX-Request": "true"}))

    assert page.count("data-card") == 30
    assert whole.count("data-card") == part.count("data-card") == 1
    assert "<html" in whole
    assert "<html" not in part


def test_filters_stay_in_every_link(client):
    for _ in range(31):
        ScoreFactory(video__kind="carousel", video__title="猫咪日常")
    page = text_of(client.get("/", {"q": "猫咪", "kind": "carousel"}))

    more = re.search(r'rel="next" href="([^"]+)"', page)
    assert more
    assert "kind=carousel" in more[1]
    assert "q=%E7%8C%AB" in more[1]
    assert 'value="猫咪"' in page


def test_what_an_address_means_nothing_with_is_told(client):
    ScoreFactory()
    response = client.get("/?colour=red&kind=movie&min_views=<script>")
    page = text_of(response)

    assert response.status_code == 200
    assert "There is no such filter" in page
    assert "Must be one of: clip, carousel." in page
    assert "Must be a whole number" in page
    assert "<script>" not in page.split("<main")[1]


def test_the_least_score_is_named_as_the_classic_one(client):
    ScoreFactory(classic=400)
    page = text_of(client.get("/?min_score=300"))

    assert "Least classic score" in page
    assert "not the chance in per cent" in page
    assert "classic score 300.0 or more" in page


def test_a_period_that_ends_before_it_begins_is_told_by_its_label_and_left_out(client):
    ScoreFactory()
    page = text_of(client.get("/?published_after=2036-02-03&published_before=2036-02-01"))

    alert = page.split('role="alert"')[1].split("</ul>")[0]
    assert "<strong>Published from:</strong>" in alert
    assert "The period would end before it begins." in alert
    assert "published_after" not in alert
    assert 'value="2036-02-03"' in page  # what was typed is there to be mended
    assert page.count("data-card") == 1  # as the alert says: left out


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/?cursor=nonsense", 400),
        ("/news/", 400),
        ("/news/?after=x", 400),
        ("/news/?after=99999999999999999999", 400),
        pytest.param(f"/news/?after={'9' * 5000}", 400, id="news after an endless number"),
        ("/videos/1/", 404),
        ("/videos/9223372036854775807/", 404),
        ("/videos/9223372036854775808/", 404),
        ("/videos/-1/", 404),
        ("/videos/abc/", 404),
        ("/authors/1/", 404),
        ("/sounds/9999999999999999999/", 404),
        ("/downloads/zips/00000000-0000-0000-0000-000000000000/", 404),
        ("/downloads/?before=x", 400),
        pytest.param(f"/downloads/?before={'9' * 5000}", 400, id="downloads before an endless number"),
        ("/nothing", 404),
    ],
)
def test_addresses_that_lead_nowhere_say_so_on_a_page(client, path, status):
    response = client.get(path)

    assert response.status_code == status
    assert "See what is rising" in text_of(response)


def test_news_count_what_came_since(client):
    old = ScoreFactory().video
    for _ in range(3):
        ScoreFactory(video__kind="carousel")
    ScoreFactory()

    assert "4 new videos" in text_of(client.get(f"/news/?after={old.pk}"))
    assert "3 new videos" in text_of(client.get(f"/news/?after={old.pk}&kind=carousel"))
    assert text_of(client.get(f"/news/?after={old.pk + 100}")).strip() == ""


def test_hostile_words_stay_words(client):
    evil = '"><img src=x onerror=alert(1)>\u202e'
    author = AuthorFactory(name=evil, handle=evil, bio=evil)
    sound = SoundFactory(title=evil, author_name=evil)
    video = VideoFactory(
        title=evil, author=author, sound=sound, hashtags=[evil], url="https://example.org/v?a=1&b='2'", gone_reason=evil
    )
    ScoreFactory(video=video)

    for path in (
        "/",
        f"/videos/{video.pk}/",
        f"/authors/{author.pk}/",
        f"/sounds/{sound.pk}/",
        f"/?q={evil[:20]}",
        f"/?hashtag={evil}",
    ):
        page = text_of(client.get(path))
        assert "<img src=x" not in page, path


@pytest.mark.parametrize("path", ["/", "/videos/{}/", "/downloads/", "/accounts/login/"])
def test_no_page_has_styles_or_scripts_inside_or_loads_from_elsewhere(client, path):
    score = ScoreFactory(surging=True)
    response = client.get(path.format(score.video_id))
    page = text_of(response)

    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", page)
    loaded = re.findall(r'<(?:link|script|img|video|source|iframe)[^>]*\s(?:href|src|poster)="([^"]+)"', page)
    assert loaded
    assert all(url.startswith("/") and not url.startswith("//") for url in loaded)
    policy = {rule.strip() for rule in response["Content-Security-Policy"].split(";")}
    assert {"script-src 'self'", "style-src 'self'", "object-src 'none'"} <= policy
    assert not any("unsafe" in rule for rule in policy)


def test_a_video_shows_why_it_ranks_and_who_showed_it(client, member, membership):
    video = ScoreFactory(classic=4_410, momentum=0.9, video__views=10_000, video__likes=1_000, video__shares=50).video
    seen_for(video, timedelta(days=1))
    mine, foreign = SourceFactory(workspace=membership.workspace, value="our topic"), SourceFactory(value="their topic")
    for source in (mine, foreign):
        SourceVideoFactory(source=source, video=video)
    for hours, views in ((3, 100), (2, 4_000), (1, 10_000)):
        MetricSnapshotFactory(video=video, observed_at=timezone.now() - timedelta(hours=hours), views=views)

    public, ours = text_of(client.get(f"/videos/{video.pk}/")), text_of(member.get(f"/videos/{video.pk}/"))

    for page in (public, ours):
        assert "4,410" in page
        assert "0.4 × 10K" in page
        assert "+90 % in 24 h" in page
        assert 'class="chart"' in page
        assert "their topic" not in page
    assert "our topic" in ours
    assert "our topic" not in public
    assert "2 sources" in public


def test_growth_in_24_hours_is_claimed_only_of_what_was_seen_so_long(client):
    video = ScoreFactory(surging=True, momentum=0.13).video
    seen_for(video, timedelta(minutes=12))
    card, page = text_of(client.get("/")), text_of(client.get(f"/videos/{video.pk}/"))

    assert "since first seen: surging" in card
    assert page.count("+13 % since first seen") == 2
    assert "in 24 h" not in card + page


def test_robots_are_kept_out_of_what_is_not_for_them(client):
    response = client.get("/robots.txt")

    assert response["Content-Type"].startswith("text/plain")
    for path in ("/admin/", "/api/", "/accounts/"):
        assert f"Disallow: {path}\n" in response.content.decode()


def test_browsers_that_ask_for_the_old_icon_are_led_to_ours(client):
    response = client.get("/favicon.ico")

    assert response.status_code == 302
    assert "icon-192" in response["Location"]


def test_platforms_are_called_by_their_names(client):
    video = ScoreFactory().video

    assert "Original on Douyin" in text_of(client.get(f"/videos/{video.pk}/"))
    page = text_of(client.get("/?platform=douyin"))
    assert "on Douyin" in page
    assert '<option value="douyin" selected>Douyin</option>' in page


def test_a_platform_or_category_that_there_is_not_is_said_to_be_and_left_out(client):
    CategoryFactory(slug="food", name="Food")
    video = ScoreFactory().video

    page = text_of(client.get("/?platform=myspace&category=fod"))

    assert "Part of this address was not understood" in page
    assert "Must be one of: douyin, tiktok." in page
    assert "Must be one of: food." in page
    assert f'href="/videos/{video.pk}/' in page
    assert client.get("/export/videos.csv?category=fod").status_code == 400


def test_a_chart_needs_no_views(client):
    video = VideoFactory(views=None)
    for hours, likes in ((3, 100), (2, 4_000)):
        MetricSnapshotFactory(video=video, observed_at=timezone.now() - timedelta(hours=hours), views=None, likes=likes)

    assert "Growth: Likes" in text_of(client.get(f"/videos/{video.pk}/"))


def test_what_is_kept_can_be_played_and_looked_through(client):
    clip = AssetFactory(object__mime="video/mp4").video
    carousel = VideoFactory(carousel=True)
    for position in range(3):
        AssetFactory(video=carousel, role=AssetRole.SLIDE, quality="", position=position, object__mime="image/webp")

    page, slides = text_of(client.get(f"/videos/{clip.pk}/")), text_of(client.get(f"/videos/{carousel.pk}/"))

    assert re.search(r'<video class="screen" controls[^>]+src="/media/', page)
    assert slides.count('<li class="slide"') == 3
    assert "Slide 3 of 3" in slides


@pytest.mark.parametrize("table", ["downloads_asset", "downloads_downloadjob"])
def test_a_download_that_ends_while_the_page_is_made_is_played_or_looked_for_again(client, table):
    job = DownloadJobFactory(running=True)
    ended = []

    def ends_after_the_first_look(execute, sql, params, many, context):
        answer = execute(sql, params, many, context)
        if f'FROM "{table}"' in sql and not ended:
            ended.append(sql)
            AssetFactory(video=job.video)
            job.delete()
            DownloadJobFactory(completed=True, video=job.video)
        return answer

    with connection.execute_wrapper(ends_after_the_first_look):
        page = text_of(client.get(f"/videos/{job.video_id}/"))

    assert ended
    assert ("<video" in page) or ('http-equiv="refresh"' in page)


@pytest.mark.parametrize("path", ["/", "/videos/{video}/", "/authors/{author}/", "/sounds/{sound}/"])
def test_a_page_asks_no_more_statements_the_more_it_shows(client, path):
    author, sound = AuthorFactory(), SoundFactory()

    def fill(count):
        for _ in range(count):
            score = ScoreFactory(video__author=author, video__sound=sound)
            MetricSnapshotFactory(video=score.video)
            AssetFactory(video=score.video, role=AssetRole.COVER, quality="", object__mime="image/webp")
            DownloadJobFactory(video=score.video)
            SourceVideoFactory(video=score.video)
        return score.video

    def statements(video):
        url = path.format(video=video.pk, author=author.pk, sound=sound.pk)
        client.get(url)
        ordering.forget()  # trusted for seconds only: which load reads it again must not be chance
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        return len(queries)

    few = statements(fill(1))
    many = statements(fill(20))

    assert many <= few
    assert many <= 15


def test_the_manifest_makes_it_an_app_that_takes_shared_links(client):
    manifest = client.get("/manifest.webmanifest").json()

    assert manifest["display"] == "standalone"
    assert manifest["share_target"]["action"] == "/import/"
    assert {icon["sizes"] for icon in manifest["icons"]} == {"any", "192x192", "512x512"}
