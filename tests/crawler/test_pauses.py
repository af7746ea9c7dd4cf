"""A service that refuses us is paused once for all its sources, tried again for nothing, and resumed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crawler import pauses, services
from crawler.models import CrawlJob, Outcome, ProviderPause
from crawler.providers.errors import KeyRefused, OutOfCredits
from jobs import kinds
from jobs.models import State
from jobs.runner import drain
from tests.crawler.looks import look, work
from tests.factories import CrawlJobFactory, SourceFactory

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "sample-scrapecreators-key"
BUSY = "meonhabo"


def watched(value, **changes):
    return SourceFactory(platform="tiktok", kind="profile", value=value, **changes)


def test_a_thousand_sources_without_credits_make_one_pause_and_no_failure(tiktok, caplog):
    sources = [watched(f"someone{n}") for n in range(5)]
    tiktok.set_fault("no_credits", places=["scrapecreators"])
    assert services.dispatch_due_sources() == 5

    drain(kinds.get("crawl"))

    pause = ProviderPause.objects.get()
    assert (pause.provider, pause.code) == ("scrapecreators", "out_of_credits")
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == ["A provider is paused"]
    assert set(CrawlJob.objects.values_list("state", "outcome", "attempt")) == {(State.PENDING, "service_refused", 0)}
    for source in sources:
        source.refresh_from_db()
        assert source.outcome == Outcome.SERVICE_REFUSED
        assert "credits" in source.outcome_detail
        assert source.failures_in_a_row == 0


def test_nothing_starts_by_itself_for_a_paused_service_and_others_go_on(tiktok):
    paused, other = watched(BUSY), SourceFactory()
    pauses.pause("scrapecreators", OutOfCredits("none left"))

    assert services.dispatch_due_sources() == 1
    assert CrawlJob.objects.get().source == other
    paused.refresh_from_db()
    assert paused.next_run_at <= timezone.now()


def test_what_a_person_asks_for_is_tried_and_its_success_ends_the_pause(tiktok):
    waiting = CrawlJobFactory(source=watched("trammay"))
    pauses.pause("scrapecreators", OutOfCredits("none left"))
    work()
    waiting.refresh_from_db()
    assert waiting.outcome == "service_refused"
    assert waiting.scheduled_at > timezone.now() + timedelta(minutes=30)

    job = look(watched(BUSY, pages_per_run=1))

    assert (job.outcome, ProviderPause.objects.count()) == ("ok", 0)
    waiting.refresh_from_db()
    assert waiting.scheduled_at <= timezone.now() + timedelta(seconds=1)


def test_the_service_is_tried_for_nothing_until_it_would_work(tiktok, settings):
    pauses.pause("scrapecreators", KeyRefused("bad key"))
    settings.SCRAPECREATORS_API_KEY = "wrong"
    assert pauses.try_again() == 0
    assert ProviderPause.objects.get().code == "key_refused"

    settings.SCRAPECREATORS_API_KEY = KEY
    before = tiktok.get("/control/state.json")["scrapecreators_credits"]
    assert pauses.try_again() == 1
    assert not ProviderPause.objects.exists()
    assert tiktok.get("/control/state.json")["scrapecreators_credits"] == before


def test_without_a_key_it_waits_and_goes_on_once_there_is_one(tiktok, settings):
    settings.SCRAPECREATORS_API_KEY = ""
    source = watched(BUSY, pages_per_run=1)
    job = CrawlJobFactory(source=source)
    work()
    job.refresh_from_db()
    assert (job.state, job.outcome) == (State.PENDING, "service_refused")
    assert ProviderPause.objects.get().code == "not_configured"
    assert pauses.try_again() == 0

    settings.SCRAPECREATORS_API_KEY = KEY
    assert pauses.try_again() == 1
    work()

    job.refresh_from_db()
    assert (job.state, job.outcome) == (State.COMPLETED, "ok")


def test_staff_end_a_pause_on_the_dashboard(staff_client):
    pauses.pause("scrapecreators", OutOfCredits("none left"))
    shown = staff_client.get("/admin/").content.decode()
    assert "none left" in shown

    staff_client.post("/admin/services/scrapecreators/resume/")

    assert not ProviderPause.objects.exists()
