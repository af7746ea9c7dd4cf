"""What a workspace watches: seen by its members, changed by its editors, unknown to everybody else."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from crawler.models import CrawlJob, Source
from crawler.providers.base import HotWord, Page
from crawler.trending import record_words
from tests.factories import CrawlJobFactory, ScoreFactory, SourceFactory, SourceVideoFactory

pytestmark = pytest.mark.django_db

FORM = {
    "platform": "douyin",
    "kind": "topic",
    "value": "街头美食",
    "interval_minutes": "30",
    "pages_per_run": "2",
    "kinds": ["clip"],
    "auto_download": "none",
}


def text_of(response):
    return response.content.decode()


@pytest.fixture
def source(membership):
    return SourceFactory(workspace=membership.workspace, value="our topic")


@pytest.mark.parametrize(("path", "kind"), [("/sources/", "topic"), ("/sources/{}/", "topic"), ("/sounds/{}/", "sound")])
@pytest.mark.parametrize(("is_active", "said"), [(True, "in 3 h"), (False, "–")])
def test_the_next_look_is_told_and_none_of_what_is_paused(member, membership, path, kind, is_active, said):
    at = timezone.now() + timedelta(hours=3, minutes=1)
    source = SourceFactory(
        workspace=membership.workspace, platform="tiktok", kind=kind, value="7", is_active=is_active, next_run_at=at
    )

    page = text_of(member.get(path.format(source.pk)))

    [told] = re.findall(r"<dt>Next (?:scan|run)</dt>\s*<dd>\s*(.*?)\s*</dd>", page, re.DOTALL)
    assert re.sub(r"<[^>]+>", "", told) == said


PLACES = [
    ("get", "/sources/{}/"),
    ("get", "/sources/{}/runs/"),
    ("get", "/sources/{}/edit/"),
    ("post", "/sources/{}/edit/"),
    ("get", "/sources/{}/delete/"),
    ("post", "/sources/{}/delete/"),
    ("post", "/sources/{}/scan/"),
    ("post", "/sources/{}/pause/"),
]


@pytest.mark.parametrize(("method", "path"), PLACES)
def test_another_workspaces_source_does_not_exist(stranger, source, method, path):
    assert getattr(stranger, method)(path.format(source.pk)).status_code == 404
    source.refresh_from_db()
    assert source.is_active
    assert not CrawlJob.objects.exists()


@pytest.mark.parametrize(
    ("method", "path"), [*PLACES, ("get", "/sources/"), ("get", "/sources/new/"), ("get", "/import/"), ("get", "/account/")]
)
def test_who_is_not_signed_in_is_asked_to(client, source, method, path):
    response = getattr(client, method)(path.format(source.pk))

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize(
    ("method", "path"), [*PLACES[2:], ("get", "/sources/new/"), ("post", "/sources/new/"), ("post", "/import/")]
)
def test_a_viewer_may_look_only(viewer, source, method, path):
    assert viewer.get(f"/sources/{source.pk}/").status_code == 200
    assert getattr(viewer, method)(path.format(source.pk)).status_code == 403
    assert Source.objects.count() == 1
    assert "Scan now" not in text_of(viewer.get("/sources/"))


def test_a_new_source_is_watched_and_scanned_at_once(member, membership):
    response = member.post("/sources/new/", FORM, follow=True)

    source = Source.objects.get()
    assert (source.workspace, source.value, source.interval_minutes, source.kinds) == (
        membership.workspace,
        "街头美食",
        30,
        ["clip"],
    )
    assert CrawlJob.objects.get().requested_by == membership.user
    assert "is watched now" in text_of(response)
    assert "every 3s" in text_of(response)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"value": ""}, "This field is required."),
        ({"value": "a" * 501}, "at most 500 characters"),
        ({"value": "evil\u202etxt"}, "Remove invisible and control characters."),
        ({"cron": "every day"}, "Not a cron line"),
        ({"cron": "0 0 31 2 *"}, "Not a cron line"),
        ({"interval_minutes": "0"}, "greater than or equal to 1"),
        ({"pages_per_run": "101"}, "less than or equal to 100"),
        ({"min_views": "-1"}, "greater than or equal to 0"),
        ({"min_views": "9" * 30}, "less than or equal to"),
        ({"kinds": []}, "This field is required."),
        ({"kinds": ["movie"]}, "Select a valid choice"),
        ({"platform": "myspace"}, "Select a valid choice"),
        ({"platform": "link"}, "This platform reads only links."),
        ({"kind": "url", "value": "http://127.0.0.1/video"}, "address"),
        ({"kind": "url", "value": "file:///etc/passwd"}, "http"),
        ({"value": "https://www.tiktok.com/about"}, "nothing that can be watched"),
        ({"value": "https://v.douyin.com/abc/"}, "short link"),
    ],
)
def test_what_cannot_be_watched_is_said_at_its_field(member, changes, words):
    response = member.post("/sources/new/", FORM | changes)

    assert response.status_code == 422
    assert words in text_of(response)
    assert not Source.objects.exists()


def test_the_same_thing_is_watched_once(member, membership):
    known = SourceFactory(workspace=membership.workspace, value="街头美食")
    SourceFactory(value="街头美食")

    response = member.post("/sources/new/", FORM)

    assert response.status_code == 422
    assert "already exists" not in text_of(response)
    assert text_of(response).count("You watch this already.") == 1
    assert f'<a href="/sources/{known.pk}/"' in text_of(response)


def test_an_empty_value_is_told_once(member):
    page = text_of(member.post("/sources/new/", FORM | {"value": ""}))

    assert page.count('id="id_value_error"') == 1


def test_an_edit_changes_the_next_scan_but_not_what_is_watched(member, source):
    Source.objects.filter(pk=source.pk).update(next_run_at=timezone.now() + timedelta(days=3))

    member.post(f"/sources/{source.pk}/edit/", FORM | {"value": "something else", "cron": "*/10 * * * *"})

    source.refresh_from_db()
    assert source.value == "our topic"
    assert source.cron == "*/10 * * * *"
    assert source.next_run_at <= timezone.now() + timedelta(minutes=10)


def test_pause_and_resume(member, source):
    member.post(f"/sources/{source.pk}/pause/", {"active": "off", "from": "list"})
    source.refresh_from_db()
    assert not source.is_active

    member.post(f"/sources/{source.pk}/pause/", {"active": "on"})
    source.refresh_from_db()
    assert source.is_active


def test_deleting_asks_first_and_keeps_the_videos(member, source):
    video = SourceVideoFactory(source=source, video=ScoreFactory().video).video

    assert "Stop watching" in text_of(member.get(f"/sources/{source.pk}/delete/"))
    member.post(f"/sources/{source.pk}/delete/")

    assert not Source.objects.exists()
    video.refresh_from_db()


def test_blocked_is_not_shown_as_empty(member, membership):
    SourceFactory(workspace=membership.workspace, value="shut out", blocked=True)
    SourceFactory(workspace=membership.workspace, value="nothing there", outcome="empty", last_good_at=timezone.now())
    SourceFactory(value="a strangers")

    page = text_of(member.get("/sources/"))

    assert "The platform shows a verification page." in page
    assert "9 h ago" in page
    assert page.count("outcome bad") == 1
    assert page.count("empty-outcome") == 1
    assert "a strangers" not in page
    assert "shut out" in text_of(member.get("/sources/?outcome=blocked"))
    assert "nothing there" not in text_of(member.get("/sources/?outcome=blocked"))


@pytest.mark.parametrize("query", ["kind=movie", "outcome=fine", "page=0", "page=x", "page=99999999", "q=%00"])
def test_a_list_that_there_is_not(member, query):
    assert member.get(f"/sources/?{query}").status_code == 400


def test_a_source_shows_its_runs_with_reasons_page_by_page(member, source):
    for n in range(21):
        CrawlJobFactory(source=source, completed=True, counts={"seen": n, "new": 1, "live": 2}, errors=["an entry without id"])
    CrawlJobFactory(source=source, retrying=True)

    page = text_of(member.get(f"/sources/{source.pk}/"))

    assert "The platform did not answer." in page
    assert "Next attempt" in page
    assert "live 2" in page
    assert "an entry without id" in page
    assert f"/sources/{source.pk}/?before=" in page
    assert "every 3s" in page
    assert member.get(f"/sources/{source.pk}/?before=x").status_code == 400


def test_what_a_scan_left_out_and_how_it_ended_is_said_in_words(member, source):
    counts = {"seen": 3, "new": 1, "filtered": 3, "malformed": 2, "live": 0, "credits": 7}
    CrawlJobFactory(source=source, completed=True, outcome="rate_limited", counts=counts)

    page = text_of(member.get(f"/sources/{source.pk}/"))

    assert "not wanted 3, unreadable 2<" in re.sub(r"\s*<", "<", page)
    assert "rate limited" in page
    assert "rate_limited" not in page


def test_what_a_scan_changes_is_refreshed_with_its_run(member, source):
    notice = "It is scanned as soon as a worker is free."
    page = text_of(member.post(f"/sources/{source.pk}/scan/", follow=True))
    assert page.count(notice) == 1
    assert notice in text_of(member.get(f"/sources/{source.pk}/"))  # not a message that is shown once
    assert "hx-swap-oob" not in page
    waiting = text_of(member.get(f"/sources/{source.pk}/runs/"))
    assert notice in waiting
    assert "Not scanned yet" in waiting
    assert 'id="shown"' not in waiting

    CrawlJob.objects.update(state="completed", outcome="ok", finalized_at=timezone.now())
    Source.objects.update(outcome="ok", last_good_at=timezone.now())
    SourceVideoFactory(source=source, video=ScoreFactory(video__title="seen just now").video)
    ended = text_of(member.get(f"/sources/{source.pk}/runs/"))

    assert notice not in ended
    assert "every 3s" not in ended
    assert "seen just now" in ended
    assert "outcome ok" in ended
    for part in ("source-lead", "source-facts", "shown"):
        assert re.search(rf'id="{part}"[^>]* hx-swap-oob="true"', ended)
        assert f'id="{part}"' in page


def test_a_link_is_imported_in_the_background(member, membership, settings):
    settings.DOUYIN_URL = "http://localhost:9"

    response = member.post("/import/", {"url": "http://localhost:9/video/7300000000000000001"})

    source = Source.objects.get()
    assert response["Location"] == f"/sources/{source.pk}/"
    assert (source.kind, source.workspace, source.is_active) == ("url", membership.workspace, False)
    SourceVideoFactory(source=source, video=ScoreFactory(video__title="what it shows").video)
    assert "what it shows" in text_of(member.get(response["Location"]))


def test_an_imported_link_has_no_schedule_unless_it_is_watched_repeatedly(member, membership):
    link = SourceFactory(workspace=membership.workspace, kind="url", value="https://www.douyin.com/video/1", is_active=False)
    page, row = text_of(member.get(f"/sources/{link.pk}/")), text_of(member.get("/sources/?kind=url"))

    for words in ("Paused", "Resume", "Next scan", "Schedule</dt>", "every hour"):
        assert words not in page, words
    assert "every hour" not in row

    member.post(f"/sources/{link.pk}/pause/", {"active": "on"})
    page = text_of(member.get(f"/sources/{link.pk}/"))

    for words in ("Next scan", "Schedule</dt>", "every hour"):
        assert words in page, words


def test_a_link_that_a_phone_shares_is_filled_in(member):
    shown = text_of(member.get("/import/", {"text": "look at this https://v.example/1 !"}))

    assert re.search(r"<textarea[^>]*>\s*https://v.example/1</textarea>", shown)


def test_a_list_of_links_is_imported_line_by_line_and_what_cannot_be_stays_in_the_form(member, membership, settings):
    settings.DOUYIN_URL = "http://localhost:9"
    good = [f"http://localhost:9/video/730000000000000000{n}" for n in range(3)]

    response = member.post("/import/", {"url": "\r\n".join([*good, good[0], "", "no link here", "http://10.0.0.1/clip.mp4"])})

    assert response.status_code == 422
    assert set(Source.objects.values_list("value", flat=True)) == set(good)
    assert all(source.workspace == membership.workspace for source in Source.objects.all())
    shown = text_of(response)
    assert "3 links are on their way" in shown
    assert "2 lines were not imported" in shown
    assert "There is no link in this text." in shown
    assert re.search(r"<textarea[^>]*>\s*no link here\s+http://10.0.0.1/clip.mp4</textarea>", shown)


def test_a_list_that_is_all_good_leaves_an_empty_form(member, settings):
    settings.DOUYIN_URL = "http://localhost:9"

    response = member.post(
        "/import/", {"url": "http://localhost:9/video/7300000000000000001\nhttp://localhost:9/video/7300000000000000002"}
    )

    assert response.status_code == 200
    assert Source.objects.count() == 2
    assert re.search(r"<textarea[^>]*>\s*</textarea>", text_of(response))


def test_no_more_links_than_one_call_can_take_are_looked_at(member, settings):
    settings.DOUYIN_URL = "http://localhost:9"
    many = "\r\n".join(f"http://localhost:9/video/73000000000000{n:05}" for n in range(60))

    response = member.post("/import/", {"url": many})

    assert Source.objects.count() == 50
    assert "10 lines were not looked at yet" in text_of(response)
    assert "7300000000000000059" in text_of(response)


def test_a_share_text_of_several_lines_is_one_import(member, settings):
    settings.DOUYIN_URL = "http://localhost:9"

    response = member.post("/import/", {"url": "看看\r\nhttp://localhost:9/video/7300000000000000001\r\n复制打开"})

    assert response["Location"] == f"/sources/{Source.objects.get().pk}/"


def test_a_share_text_without_a_link_is_refused_where_it_was_typed(member):
    response = member.post("/import/", {"url": "看看这个视频"})

    assert response.status_code == 422
    assert "There is no link in this text." in text_of(response)


def test_no_form_works_without_its_token(membership, source):
    client = Client(enforce_csrf_checks=True)
    client.force_login(membership.user)

    for path in (f"/sources/{source.pk}/scan/", "/sources/new/", "/import/", "/account/tokens/", "/downloads/zips/"):
        response = client.post(path, FORM)
        assert response.status_code == 403
        assert "Please try once more" in text_of(response)


def test_a_pasted_link_chooses_platform_and_kind_by_itself(member):
    page = text_of(member.post("/sources/new/", FORM | {"value": "https://www.tiktok.com/@some.one?lang=en"}, follow=True))

    source = Source.objects.get()
    assert (source.platform, source.kind, source.value) == ("tiktok", "profile", "some.one")
    assert "Recognised as: TikTok profile." in page


def test_the_form_offers_what_there_is_and_chooses_what_the_url_names(member):
    page = text_of(member.get("/sources/new/?kind=profile&platform=tiktok&value=someone"))

    assert '<option value="tiktok" selected>' in page
    assert '<option value="profile" selected>' in page
    assert 'value="someone"' in page
    assert re.search(r'<p class="help"[^>]*data-offer="tiktok:profile"[^>]*data-example="@someone"(?! hidden)\s*>', page)
    assert re.search(r'data-offer="douyin:topic"[^>]* hidden', page)
    assert '<option value="sound" selected>' in text_of(member.get("/sources/new/?kind=sound"))
    assert '<option value="topic" selected>' in text_of(member.get("/sources/new/?kind=movie&platform=myspace"))


@pytest.mark.parametrize(("timing", "is_warned"), [({"cron": "* * * * *"}, True), ({"interval_minutes": "2"}, True), ({}, False)])
def test_who_scans_every_minute_is_told_what_it_means(member, timing, is_warned):
    page = text_of(member.post("/sources/new/", FORM | timing, follow=True))

    assert Source.objects.exists()
    assert ("platforms may block who asks so often" in page) is is_warned


def test_our_own_is_asked_of_profiles_only(member, membership):
    profile = SourceFactory(workspace=membership.workspace, kind="profile", value="MS4wLjABAAAA")
    topic = SourceFactory(workspace=membership.workspace)

    assert 'name="is_own"' in text_of(member.get(f"/sources/{profile.pk}/edit/"))
    assert 'name="is_own"' not in text_of(member.get(f"/sources/{topic.pk}/edit/"))


def test_a_hot_list_is_shown_with_places_heat_and_what_was_found(member, membership):
    source = SourceFactory(workspace=membership.workspace, kind="trending", value="hot")
    words = (HotWord(word="猫咪", position=1, heat=8_782_523), HotWord(word="second", position=2))
    record_words(source, Page(videos=(), cursor=None, words=words), [], at=timezone.now())

    shown = text_of(member.get(f"/sources/{source.pk}/"))

    assert "The list now" in shown
    assert shown.index("猫咪") < shown.index("8.7M") < shown.index("second")


@pytest.mark.parametrize(("outcome", "is_alarming"), [("renamed", False), ("private", True)])
def test_a_new_name_is_no_alarm_where_the_profile_is_still_read(member, membership, outcome, is_alarming):
    source = SourceFactory(workspace=membership.workspace, outcome=outcome, outcome_detail="What happened to it.")

    for path in ("/sources/", f"/sources/{source.pk}/"):
        page = text_of(member.get(path))
        assert "What happened to it." in page
        assert ("outcome bad" in page) == is_alarming
        assert ("outcome doubt" in page) == (not is_alarming)
    assert ("note warning" in page) == is_alarming
