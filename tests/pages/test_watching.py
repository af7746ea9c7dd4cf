"""All sources at a glance: health, yield, cost, what is paused; and what is done about many at once."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from crawler.models import CrawlJob, ProviderPause, Source
from tests.factories import CrawlJobFactory, SoundFactory, SourceFactory, SourceVideoFactory
from tests.pages.conftest import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def make(membership):
    return lambda value, **facts: SourceFactory(workspace=membership.workspace, value=value, **facts)


def listed(client, query=""):
    """The values in the order in which they are listed."""
    return re.findall(r'<a href="/sources/\d+/" lang="und">([^<]+)</a>', text_of(client.get(f"/sources/{query}")))


def test_each_source_shows_its_runs_its_yield_and_its_cost(member, make):
    source = make("watched", looked_at=True)
    for n in range(3):
        CrawlJobFactory(source=source, completed=True, counts={"seen": 40, "new": 5 + n, "credits": 2})
    CrawlJobFactory(source=source, failed=True)
    old = CrawlJobFactory(source=source, completed=True, counts={"seen": 500, "new": 500, "credits": 500})
    CrawlJob.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=8))

    page = text_of(member.get("/sources/"))

    assert "18 of 120" in page
    assert "<dt>Credits</dt><dd>6</dd>" in page
    assert page.count('class="good"') == 4
    assert page.count('class="bad"') == 1
    assert "Last 5 scans: 1 failed" in page


def test_they_are_narrowed_by_what_they_are_and_how_they_do(member, make):
    make("fine", looked_at=True)
    make("shut out", blocked=True, kind="hashtag")
    make("asleep", is_active=False, platform="tiktok")
    make("fresh", is_own=True, kind="profile")

    assert listed(member) == ["shut out", "fine", "fresh", "asleep"]
    for query, expected in {
        "?health=ok": ["fine"],
        "?health=troubled": ["shut out"],
        "?health=paused": ["asleep"],
        "?health=never": ["fresh"],
        "?platform=tiktok": ["asleep"],
        "?kind=hashtag": ["shut out"],
        "?own=yes": ["fresh"],
        "?own=no&health=ok": ["fine"],
        "?outcome=blocked": ["shut out"],
        "?q=SLEE": ["asleep"],
        "?health=ok&platform=tiktok": [],
    }.items():
        assert listed(member, query) == expected, query


def test_they_are_put_in_order_by_name_by_yield_and_by_cost(member, make):
    poor, rich, dear = make("a poor"), make("b rich"), make("c dear")
    CrawlJobFactory(source=poor, completed=True, counts={"seen": 9, "new": 1, "credits": 1})
    CrawlJobFactory(source=rich, completed=True, counts={"seen": 9, "new": 9})
    CrawlJobFactory(source=dear, completed=True, counts={"seen": 9, "new": 2, "credits": 7})
    Source.objects.filter(pk=rich.pk).update(last_good_at=timezone.now())

    assert listed(member, "?sort=name") == ["a poor", "b rich", "c dear"]
    assert listed(member, "?sort=yield") == ["b rich", "c dear", "a poor"]
    assert listed(member, "?sort=cost") == ["c dear", "a poor", "b rich"]
    assert listed(member, "?sort=last_good")[-1] == "b rich"


def test_links_that_were_imported_are_a_list_of_their_own(member, make):
    make("watched")
    for n in range(3):
        make(f"https://v.example/{n}", kind="url", platform="link", is_active=False)

    page = text_of(member.get("/sources/"))

    assert listed(member) == ["watched"]
    assert re.search(r'href="/sources/\?kind=url">Links&nbsp;<span class="tally">3<', page)
    assert len(listed(member, "?kind=url")) == 3


@pytest.mark.parametrize(
    "query", ["platform=myspace", "health=fine", "own=maybe", "sort=sideways", "kind=movie", "page=0", "q=%00"]
)
def test_a_list_that_there_is_not(member, query):
    assert member.get(f"/sources/?{query}").status_code == 400


def test_a_paused_provider_is_said_to_those_whom_it_concerns(member, stranger, make):
    make("a topic")
    ProviderPause.objects.create(provider="browser", code="blocked", reason="It wants to be paid.")
    ProviderPause.objects.create(provider="another", code="x", reason="Nobody here asks it.")

    page = text_of(member.get("/sources/"))

    assert "browser is paused: 1 source waits." in page
    assert "It wants to be paid." in page
    assert "Nobody here asks it." not in page
    assert "paused:" not in text_of(stranger.get("/sources/"))


def test_it_costs_the_same_however_many_there_are(member, make, django_assert_max_num_queries):
    for n in range(60):
        CrawlJobFactory(source=make(f"topic {n}"), completed=True, counts={"seen": 1})
    member.get("/sources/")

    with django_assert_max_num_queries(9):
        page = text_of(member.get("/sources/?sort=yield"))

    assert page.count('class="row source-row"') == 50
    assert '<a class="button" rel="next" href="/sources/?sort=yield&amp;page=2">' in page


def act(client, action, *sources, **more):
    return client.post("/sources/bulk/", {"action": action, "ids": [s.pk for s in sources], **more}, follow=True)


def test_many_are_scanned_paused_resumed_and_timed_at_once(member, membership, make):
    one, two, other = make("one", cron="0 * * * *"), make("two"), make("other")
    Source.objects.update(next_run_at=timezone.now() + timedelta(days=9))

    assert "2 sources are scanned" in text_of(act(member, "scan", one, two))
    assert set(CrawlJob.objects.values_list("source_id", "requested_by_id")) == {
        (one.pk, membership.user_id),
        (two.pk, membership.user_id),
    }
    assert "2 sources are paused." in text_of(act(member, "pause", one, two))
    assert set(Source.objects.filter(is_active=True)) == {other}
    act(member, "resume", one)
    assert set(Source.objects.filter(is_active=True)) == {other, one}
    act(member, "interval", one, two, interval_minutes="15")
    one.refresh_from_db()
    assert (one.cron, one.interval_minutes) == ("", 15)
    assert one.next_run_at < timezone.now() + timedelta(minutes=16)
    other.refresh_from_db()
    assert other.interval_minutes == 60


def test_deleting_many_asks_first(member, make):
    one, two, kept = make("one"), make("two"), make("kept")

    page = text_of(act(member, "delete", one, two))

    assert "Stop watching these 2 sources?" in page
    assert page.count('name="ids"') == 2
    assert Source.objects.count() == 3
    act(member, "delete", one, two, confirmed="yes")
    assert list(Source.objects.all()) == [kept]


def test_it_goes_back_to_the_list_it_came_from_and_nowhere_else(member, make):
    one = make("one")

    went = member.post("/sources/bulk/", {"action": "pause", "ids": [one.pk], "back": "health=ok&sort=name&next=//evil.example"})

    assert went["Location"] == "/sources/?health=ok&sort=name"


@pytest.mark.parametrize("action", ["scan", "pause", "resume", "interval", "delete"])
def test_anothers_sources_are_not_touched(stranger, viewer, client, make, action):
    one = make("one")

    page = text_of(act(stranger, action, one, confirmed="yes", interval_minutes="5"))

    assert "Nothing was chosen" in page
    assert act(viewer, action, one, confirmed="yes").status_code == 403
    assert client.post("/sources/bulk/", {"action": action, "ids": [one.pk]})["Location"].startswith("/accounts/login/")
    one.refresh_from_db()
    assert (one.is_active, one.interval_minutes) == (True, 60)
    assert not CrawlJob.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [({"action": "explode"}, 400), ({"action": "scan", "ids": ["x", "9" * 30, "9" * 5000, "-1", ""]}, 302), ({}, 400)],
)
def test_nonsense_does_nothing(member, make, body, status):
    make("one")

    assert member.post("/sources/bulk/", body).status_code == status
    assert not CrawlJob.objects.exists()


@pytest.mark.parametrize("minutes", ["0", "", "x", "-5", "99999999", "1e3"])
def test_an_interval_that_there_is_not_is_refused(member, make, minutes):
    one = make("one")

    assert "The interval must be" in text_of(act(member, "interval", one, interval_minutes=minutes))
    one.refresh_from_db()
    assert one.interval_minutes == 60


def test_many_at_once_need_the_forms_token(membership, make):
    client = Client(enforce_csrf_checks=True)
    client.force_login(membership.user)

    assert client.post("/sources/bulk/", {"action": "pause", "ids": [make("one").pk]}).status_code == 403


def test_a_sound_is_listed_and_found_by_its_title(member, membership):
    sound = SoundFactory(title="Rain on a roof")
    SourceFactory(workspace=membership.workspace, kind="sound", value=sound.external_id, sound=sound)
    page = text_of(member.get("/sources/?q=rain"))

    assert ">Rain on a roof</a>" in page
    assert f">{sound.external_id}<" not in page


def test_a_sound_is_called_by_its_title_wherever_it_is_edited_deleted_or_has_shown_a_video(member, membership):
    sound = SoundFactory(title="Rain on a roof")
    source = SourceFactory(workspace=membership.workspace, kind="sound", value=sound.external_id, sound=sound)
    video = SourceVideoFactory(source=source).video

    assert "sound Rain on a roof</a>" in text_of(member.get(f"/videos/{video.pk}/"))
    for page in (
        member.get(f"/sources/{source.pk}/edit/"),
        member.get(f"/sources/{source.pk}/delete/"),
        member.post("/sources/bulk/", {"action": "delete", "ids": [source.pk]}),
        member.post(f"/sources/{source.pk}/delete/", follow=True),
    ):
        assert "Rain on a roof" in text_of(page)
        assert sound.external_id not in text_of(page)


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (1440, "every day"),
        (2880, "every 2 days"),
        (60, "every hour"),
        (360, "every 6 h"),
        (90, "every 90 min"),
        (1, "every minute"),
    ],
)
def test_an_interval_is_said_in_its_largest_unit(member, membership, minutes, words):
    SourceFactory(workspace=membership.workspace, interval_minutes=minutes)

    assert f"{words}<" in text_of(member.get("/sources/"))
