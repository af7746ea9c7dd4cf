"""The pages of watched sounds: who sees them, what they say of a run, and what of its videos."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from crawler.models import CrawlJob, SoundSnapshot, Source
from tests.factories import CrawlJobFactory, ProviderPauseFactory, SoundFactory, SourceFactory, SourceVideoFactory, VideoFactory
from tests.pages.conftest import text_of

pytestmark = pytest.mark.django_db
SOUND = "7016547803243022337"
LINK = f"https://www.tiktok.com/music/wave-{SOUND}"


@pytest.fixture
def watched(membership):
    sound = SoundFactory(platform="tiktok", external_id=SOUND, title="Wave", author_name="Sea", url=LINK, uses=12_345)
    return SourceFactory(workspace=membership.workspace, platform="tiktok", kind="sound", value=SOUND, sound=sound)


def show(watched, *views, **changes):
    made = [VideoFactory(platform="tiktok", views=view, sound=watched.sound, **changes) for view in views]
    for video in made:
        SourceVideoFactory(source=watched, video=video)
    return made


def test_a_pasted_link_leads_to_the_sounds_page_with_its_run_queued(member, membership):
    response = member.post("/sounds/new/", {"url": f"look {LINK}"}, follow=True)

    source = Source.objects.get()
    assert response.redirect_chain == [(f"/sounds/{source.pk}/", 302)]
    assert (source.workspace, CrawlJob.objects.get().source) == (membership.workspace, source)
    page = text_of(response)
    assert '<li class="now">Queued</li>' in page
    assert f'hx-get="/sounds/{source.pk}/part/?seen=0' in page
    assert "The videos appear here by themselves" in page


@pytest.mark.parametrize("text", ["", "nothing", "https://www.tiktok.com/music/original-0", "https://www.tiktok.com/@a/video/1"])
def test_what_is_no_sound_is_said_at_the_field(member, text):
    response = member.post("/sounds/new/", {"url": text})

    assert response.status_code == 422
    assert 'class="error"' in text_of(response)
    assert not Source.objects.exists()


def test_the_form_is_filled_from_a_page_that_shows_the_sound(member):
    assert f'value="{LINK}"' in text_of(member.get("/sounds/new/", {"url": LINK}))


@pytest.mark.parametrize("path", ["", "part/", "scrape/"])
def test_another_workspaces_sound_does_not_exist(stranger, watched, path):
    method = stranger.post if path == "scrape/" else stranger.get

    assert method(f"/sounds/{watched.pk}/{path}").status_code == 404
    assert method(f"/sounds/999999/{path}").status_code == 404
    assert not CrawlJob.objects.exists()
    assert "Wave" not in text_of(stranger.get("/sounds/"))


def test_nobody_signed_in_is_asked_to(client, watched):
    for path in ("/sounds/", "/sounds/new/", f"/sounds/{watched.pk}/"):
        assert client.get(path)["Location"].startswith("/accounts/login/")


def test_somebody_who_may_only_look_looks(viewer, watched):
    assert viewer.get(f"/sounds/{watched.pk}/").status_code == 200
    assert viewer.post(f"/sounds/{watched.pk}/scrape/").status_code == 403
    assert viewer.get("/sounds/new/").status_code == 403


def test_a_source_of_another_kind_is_no_sound(member, membership):
    other = SourceFactory(workspace=membership.workspace)

    assert member.get(f"/sounds/{other.pk}/").status_code == 404


def test_totals_average_median_and_the_greatest_first(member, watched):
    show(watched, 100, 200, 900_000)
    CrawlJobFactory(source=watched, completed=True, order="Run1", counts={"seen": 3, "new": 3, "errors": 1, "malformed": 1})

    page = text_of(member.get(f"/sounds/{watched.pk}/"))

    assert "<dt>Median views</dt><dd>200</dd>" in page
    assert "<dt>Average views</dt><dd>300K</dd>" in page
    assert "<dt>Videos on TikTok</dt><dd>12.3K</dd>" in page
    assert "<dt>Could not be read</dt><dd>2</dd>" in page
    assert re.findall(r'<td class="number">([\d,]+)</td><td class="number">1,000</td>', page) == ["900,000", "200", "100"]


@pytest.mark.parametrize("sort", ["views", "likes", "comments", "shares", "published"])
def test_videos_are_sorted_by_what_was_chosen(member, watched, sort):
    low, high = show(watched, 1, 2)
    counts = {"likes": 0, "comments": 0, "shares": 0}
    type(low).objects.filter(pk=low.pk).update(title="lowest", published_at=timezone.now() - timedelta(days=9), **counts)
    type(low).objects.filter(pk=high.pk).update(title="highest")

    page = text_of(member.get(f"/sounds/{watched.pk}/?sort={sort}"))

    assert page.index(">highest<") < page.index(">lowest<")
    assert member.get(f"/sounds/{watched.pk}/?sort=nonsense").status_code == 200


def test_growth_of_use_is_drawn_from_two_counts_on(member, watched):
    show(watched, 5, 6, published_at=timezone.now() - timedelta(days=3))
    show(watched, 7)
    SoundSnapshot.objects.create(sound=watched.sound, observed_at=timezone.now() - timedelta(days=1), uses=10_000)
    assert "The curve begins with the next run" in text_of(member.get(f"/sounds/{watched.pk}/"))
    SoundSnapshot.objects.create(sound=watched.sound, observed_at=timezone.now(), uses=12_345)

    page = text_of(member.get(f"/sounds/{watched.pk}/"))

    assert 'id="uses-title"' in page
    assert 'id="published-title"' in page


def test_a_failed_run_says_why_and_is_retried(member, watched):
    job = CrawlJobFactory(source=watched, failed=True, order="Run1", error="The run at Apify failed: no proxy")

    page = text_of(member.get(f"/sounds/{watched.pk}/"))
    assert "The run at Apify failed: no proxy" in page
    assert "Retry</button>" in page
    member.post(f"/sounds/{watched.pk}/scrape/")

    job.refresh_from_db()
    assert (job.state, CrawlJob.objects.count()) == ("pending", 1)


def test_a_young_run_is_ordered_again_only_knowingly(member, watched):
    CrawlJobFactory(source=watched, completed=True, order="Run1", started_at=timezone.now())
    assert "less than six hours old" in text_of(member.get(f"/sounds/{watched.pk}/"))

    member.post(f"/sounds/{watched.pk}/scrape/")
    assert CrawlJob.objects.count() == 1
    member.post(f"/sounds/{watched.pk}/scrape/", {"force": "on"})

    assert CrawlJob.objects.count() == 2


@pytest.mark.parametrize("path", ["", "{pk}/", "{pk}/part/"])
def test_a_service_that_refuses_its_key_is_told_beside_a_young_good_run(member, watched, path):
    CrawlJobFactory(source=watched, completed=True, order="Run1", started_at=timezone.now())
    address = f"/sounds/{path.format(pk=watched.pk)}"
    said = "The service that reads this is paused: The token is refused. It goes on by itself"
    assert said not in text_of(member.get(address))

    ProviderPauseFactory(provider="apify", reason="The token is refused.")

    assert said in text_of(member.get(address))


def test_what_waits_for_a_paused_service_says_so_once(member, watched):
    CrawlJobFactory(source=watched, error_code="service_paused", error="TikTok sounds (Apify) is paused: The token is refused.")
    ProviderPauseFactory(provider="apify", reason="The token is refused.")

    assert text_of(member.get(f"/sounds/{watched.pk}/")).count("The token is refused.") == 1


def test_the_part_follows_the_run_and_brings_videos_when_there_are_more(member, watched):
    job = CrawlJobFactory(source=watched, running=True, counts={"seen": 2})
    show(watched, 1, 2)

    same = text_of(member.get(f"/sounds/{watched.pk}/part/?seen=2"))
    more = text_of(member.get(f"/sounds/{watched.pk}/part/?seen=0"))
    CrawlJob.objects.filter(pk=job.pk).update(state="completed", finalized_at=timezone.now(), lease_until=None)
    over = text_of(member.get(f"/sounds/{watched.pk}/part/?seen=2"))

    assert "hx-get" in same
    assert "sound-content" not in same
    assert 'id="sound-content" class="sound-content" hx-swap-oob="true"' in more
    assert "hx-get" not in over
    assert "sound-content" in over


def test_a_page_of_many_videos_asks_no_more_than_one_of_few(member, watched, django_assert_max_num_queries):
    show(watched, *range(60))
    CrawlJobFactory(source=watched, completed=True)
    member.get(f"/sounds/{watched.pk}/")

    with django_assert_max_num_queries(12):
        member.get(f"/sounds/{watched.pk}/")


def test_the_list_shows_each_sound_with_its_state_page_by_page(member, membership, django_assert_max_num_queries):
    for number in range(53):
        sound = SoundFactory(platform="tiktok", title=f"Tune {number}.")
        source = SourceFactory(
            workspace=membership.workspace, platform="tiktok", kind="sound", value=str(number + 1), sound=sound
        )
        CrawlJobFactory(source=source, failed=not number % 2, completed=bool(number % 2))
        SourceVideoFactory(source=source)
    member.get("/sounds/")

    with django_assert_max_num_queries(9):
        first = text_of(member.get("/sounds/"))
    older = first.split('rel="next" href="')[1].split('"')[0]
    second = text_of(member.get(f"/sounds/{older}"))

    assert "Tune 52." in first
    assert "Tune 2." not in first
    assert "Tune 2." in second
    assert "The platform no longer has it." in first
    assert member.get("/sounds/?before=x").status_code == 400


def test_an_empty_list_says_how_to_begin(member):
    assert "No sound is watched yet" in text_of(member.get("/sounds/"))


def test_other_pages_lead_to_the_feed_and_members_to_the_watched_sound(member, client, watched, stranger):
    [video] = show(watched, 5)
    feed = f'href="/?sound={watched.sound_id}"'

    assert feed in text_of(client.get(f"/videos/{video.pk}/"))
    assert f'href="/sounds/{watched.pk}/"' in text_of(member.get(f"/videos/{video.pk}/"))
    theirs = text_of(stranger.get(f"/videos/{video.pk}/"))
    assert f"/sounds/{watched.pk}/" not in theirs
    assert "Watch this sound" in theirs
    assert client.get(f"/?sound={watched.sound_id}").status_code == 200
