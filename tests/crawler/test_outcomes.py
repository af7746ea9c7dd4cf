"""How a look went, as its source shows it, and when the next one comes by it. Blocked is not empty."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crawler.models import CrawlJob, Outcome
from crawler.providers.errors import Blocked, Changed, Gone, LoginRequired, RateLimited, Unreachable
from jobs.models import State
from tests.crawler.looks import look, work
from tests.crawler.told import told_source, video
from tests.factories import CrawlJobFactory, SourceFactory

# The claim goes by the database's clock, which stands still within a transaction.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("error", "state", "outcome"),
    [
        (Blocked("captcha"), State.FAILED, Outcome.BLOCKED),
        (LoginRequired("sign in"), State.FAILED, Outcome.LOGIN_REQUIRED),
        (Changed("shape"), State.FAILED, Outcome.CHANGED),
        (Gone("removed"), State.FAILED, Outcome.GONE),
        (Unreachable("dns"), State.RETRYING, Outcome.UNREACHABLE),
        (RateLimited("slower", retry_after=timedelta(minutes=7)), State.PENDING, Outcome.RATE_LIMITED),
    ],
)
def test_each_failure_is_its_own_outcome_and_never_empty(told, error, state, outcome):
    told.pages = [error]
    source = told_source()

    job = look(source)

    assert (job.state, job.outcome, job.error_code) == (state, error.outcome, error.code)
    assert (source.outcome, source.outcome_detail, source.failures_in_a_row) == (outcome, error.message, 1)
    assert source.last_run_at is not None
    assert source.last_good_at is None


def test_a_failure_of_our_own_shows_on_the_source_once_it_is_final(told):
    told.pages = [ZeroDivisionError("ours")]
    source = told_source()
    job = CrawlJobFactory(source=source, max_attempts=1)

    work()

    source.refresh_from_db()
    job.refresh_from_db()
    assert (job.state, job.error_code) == (State.FAILED, "internal")
    assert source.outcome == Outcome.FAILED
    assert "ZeroDivisionError" in source.outcome_detail


@pytest.mark.parametrize("error", [Blocked("x"), LoginRequired("x")])
def test_a_refused_source_stays_away_for_longer_each_time(told, error):
    told.pages = [error]
    source = told_source(interval_minutes=60)
    waits = []
    for _ in range(3):
        look(source)
        waits.append(source.next_run_at - source.last_run_at)

    for wait, hours in zip(waits, (2, 4, 8), strict=True):
        assert timedelta(hours=hours) <= wait <= timedelta(hours=hours * 1.25)


def test_a_good_look_ends_the_row_of_failures(told):
    source = told_source(blocked=True)
    told.pages = [(video(1),)]

    look(source)

    assert (source.outcome, source.outcome_detail, source.failures_in_a_row) == (Outcome.OK, "", 0)


@pytest.mark.parametrize("cron", ["", "*/10 * * * *", "nonsense"])
@pytest.mark.parametrize("pages", [[(video(1),)], [()]])
def test_a_look_that_went_well_brings_the_schedule_back(told, cron, pages):
    told.pages = [Blocked("captcha")]
    source = told_source(cron=cron, interval_minutes=10)
    look(source)
    look(source)
    assert source.next_run_at > timezone.now() + timedelta(minutes=30)

    told.pages = pages
    look(source)

    assert source.failures_in_a_row == 0
    assert timedelta(0) < source.next_run_at - source.last_run_at <= timedelta(minutes=10)


def test_a_look_that_went_well_puts_off_nothing(told):
    told.pages = [(video(1),)]
    soon = timezone.now() + timedelta(minutes=2)
    source = told_source(interval_minutes=60, next_run_at=soon)

    look(source)

    assert source.next_run_at == soon


def test_a_platform_that_asks_for_rest_gets_it_and_no_other_does(told):
    told.pages = [RateLimited("slower", retry_after=timedelta(minutes=30))]
    source, sibling, other = told_source(), told_source(), SourceFactory()
    waiting = CrawlJobFactory(source=sibling)
    elsewhere = CrawlJobFactory(source=other)
    before = timezone.now()

    look(source)

    for row in (waiting, elsewhere, sibling, other):
        row.refresh_from_db()
    assert waiting.scheduled_at >= before + timedelta(minutes=30)
    assert sibling.next_run_at >= before + timedelta(minutes=30)
    assert elsewhere.scheduled_at < before + timedelta(minutes=1)
    assert other.next_run_at < before + timedelta(minutes=1)
    assert CrawlJob.objects.get(source=source).attempt == 0
