"""Health is judged from what was done: canaries, pulses, objects where their rows say."""

from datetime import timedelta

import pytest
import redis
from django.utils import timezone

from downloads import storage
from monitoring import canaries, health, measures, tasks
from monitoring.models import Canary, Level, Part, Pulse
from tests.factories import (
    CrawlJobFactory,
    DownloadJobFactory,
    ExtractorFactory,
    PausedKindFactory,
    ProviderPauseFactory,
    SourceFactory,
    StoredObjectFactory,
)

pytestmark = pytest.mark.django_db
NOW = timezone.now()  # when the tests were collected, which may be a quarter of an hour before they run


def ago(**duration):
    return NOW - timedelta(**duration)


def canary(**facts):
    return Canary(**{"queue": "crawl", "sent_at": ago(seconds=5), "answered_at": ago(seconds=5), "seconds": 0.1} | facts)


@pytest.mark.parametrize(
    ("bird", "leased", "level"),
    [
        (None, 0, Level.DEGRADED),
        (canary(answered_at=None, unanswered_since=ago(seconds=5)), 0, Level.DEGRADED),
        (canary(), 0, Level.OK),
        (canary(unanswered_since=ago(seconds=89)), 0, Level.OK),
        (canary(unanswered_since=ago(seconds=91)), 0, Level.DOWN),
        (canary(unanswered_since=ago(hours=9), answered_at=None), 0, Level.DOWN),
        (canary(unanswered_since=ago(minutes=14)), 1, Level.OK),
    ],
)
def test_a_queue_is_judged_by_its_canary_or_by_the_lease_of_a_long_job(bird, leased, level):
    assert health.judge_queue("crawl", bird, leased, NOW).level is level


def test_a_canary_that_is_answered_clears_the_question(time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    canaries.send()
    assert Canary.objects.get(queue="crawl").unanswered_since is not None

    tasks.answer_canary("crawl", timezone.now().timestamp() - 2)

    answered = Canary.objects.get(queue="crawl")
    assert answered.unanswered_since is None
    assert answered.seconds == pytest.approx(2)


def test_a_second_question_does_not_make_the_first_younger():
    canaries.send()
    first = Canary.objects.get(queue="crawl").unanswered_since

    canaries.send()

    assert Canary.objects.get(queue="crawl").unanswered_since == first


def test_every_queue_with_a_kind_of_job_gets_a_canary():
    canaries.send()

    assert {"crawl", "download", "upkeep"} <= set(Canary.objects.values_list("queue", flat=True))


def test_a_queue_without_workers_is_down_although_its_beat_goes_on():
    now = timezone.now()
    Canary.objects.create(queue="download", sent_at=now, unanswered_since=now - timedelta(seconds=120))

    finding = {found.name: found for found in health.check_queues()}["queue:download"]

    assert finding.level is Level.DOWN


def test_a_job_whose_lease_ran_out_does_not_speak_for_its_queue():
    now = timezone.now()
    asked = {"sent_at": now, "answered_at": now - timedelta(hours=1), "unanswered_since": now - timedelta(minutes=9)}
    Canary.objects.create(queue="crawl", **asked)
    CrawlJobFactory(lost=True)
    assert {found.name: found.level for found in health.check_queues()}["queue:crawl"] is Level.DOWN

    CrawlJobFactory(running=True)
    assert {found.name: found.level for found in health.check_queues()}["queue:crawl"] is Level.OK


@pytest.mark.parametrize(("seconds", "level"), [(10, Level.OK), (89, Level.OK), (95, Level.DOWN)])
def test_upkeep_that_stands_still_is_noticed(seconds, level, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    Pulse.objects.create(name="jobs", ended_at=timezone.now() - timedelta(seconds=seconds), seconds=0.1)

    assert health.check_upkeep().level is level


def test_upkeep_that_fails_is_noticed():
    Pulse.objects.create(name="jobs", ended_at=timezone.now(), seconds=0.1, error="ValueError: bad")

    assert health.check_upkeep().level is Level.DEGRADED


def test_an_object_missing_from_the_storage_is_noticed():
    StoredObjectFactory()

    assert health.check_storage().level is Level.DOWN


def test_an_empty_storage_is_well():
    assert health.check_storage().level is Level.OK


def test_a_storage_that_does_not_answer_is_down_and_its_error_is_not_public(monkeypatch):
    from downloads.errors import StorageError

    class Broken:
        def size_of(self, key):
            raise StorageError("connection to 10.0.0.7 refused")

    monkeypatch.setattr(storage, "media", Broken)

    finding = health.check_storage()

    assert finding.level is Level.DOWN
    assert "10.0.0.7" not in finding.sentence


def test_redis_that_does_not_answer_degrades(settings):
    settings.CACHES = {"default": {"LOCATION": "redis://127.0.0.1:1/0"}}

    assert health.check_redis().level is Level.DEGRADED


def test_redis_that_answers_is_well():
    assert health.check_redis().level is Level.OK


@pytest.mark.parametrize(("free", "level"), [(2**40, Level.OK), (2 * 2**30, Level.DEGRADED), (2**29, Level.DOWN)])
def test_a_full_disk_is_noticed_before_it_is_full(monkeypatch, free, level):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": free}))

    assert health.check_disk().level is level


def test_blocked_sources_are_counted_and_paused_ones_are_not():
    SourceFactory(blocked=True)
    SourceFactory(looked_at=True, next_run_at=timezone.now() + timedelta(hours=1))
    SourceFactory(blocked=True, is_active=False)

    finding = health.check_sources()

    assert finding.level is Level.DEGRADED
    assert finding.facts["blocked"] == 1
    assert finding.facts["paused"] == 1


def test_trouble_is_said_by_platform_and_reason_with_the_next_step():
    SourceFactory.create_batch(3, outcome="login_required")
    SourceFactory.create_batch(2, blocked=True)
    SourceFactory(platform="tiktok", outcome="changed")
    SourceFactory(platform="tiktok", outcome="changed", is_active=False)

    sentence = health.check_sources().sentence

    assert sentence.startswith("6 sources are in trouble: Douyin: 3 login required, 2 blocked; TikTok: 1 answer changed. ")
    assert "Give it new cookies under Browser sessions." in sentence


def test_every_reason_of_trouble_has_a_next_step():
    assert set(health.WHAT_TO_DO) == set(measures.TROUBLE)


def test_a_paused_service_names_the_variable_and_that_it_goes_on_by_itself(settings):
    settings.SCRAPECREATORS_API_KEY = "k"
    ProviderPauseFactory()

    sentence = health.check_services().sentence

    assert "no credits left. Top up the account of SCRAPECREATORS_API_KEY, or set another key." in sentence
    assert sentence.endswith("It is tried again by itself.")


def rests(name, **facts):
    until = timezone.now() + timedelta(minutes=5)
    return ExtractorFactory(name=name, failures=1, cooling_until=until, last_error="not_media: It is a page.", **facts)


def test_ways_that_all_rest_are_noticed_with_what_they_last_said():
    way = rests("ytdlp")
    ExtractorFactory(name="browser_page")  # never tried: it may not suit the platform
    finding = health.check_extractors()

    assert finding.level is Level.DEGRADED
    assert finding.sentence == (
        f"Every way to download from Douyin rests until {way.cooling_until:%H:%M} UTC: last said not_media."
    )


@pytest.mark.parametrize(("awake", "level"), [("crawl_url", Level.DEGRADED), ("browser_page", Level.OK)])
def test_a_way_that_is_left_is_enough_unless_it_is_only_what_crawls_found(awake, level):
    rests("ytdlp")
    ExtractorFactory(name=awake, successes=3)

    finding = health.check_extractors()

    assert finding.level is level
    assert finding.sentence == "Of the ways to download from Douyin, ytdlp rests: last said not_media."


def test_ways_that_are_awake_again_or_switched_off_do_not_rest():
    rests("ytdlp", is_enabled=False)
    ExtractorFactory(name="crawl_url", failures=9, cooling_until=timezone.now() - timedelta(seconds=1))

    assert health.check_extractors().sentence == "No way to download rests."


def test_sources_that_nobody_looks_at_in_time_are_noticed():
    SourceFactory(looked_at=True, next_run_at=timezone.now() - timedelta(hours=2))

    assert health.check_sources().facts["overdue"] == 1
    assert health.check_sources().level is Level.DEGRADED


def test_jobs_that_wait_too_long_are_noticed_unless_their_kind_is_paused():
    DownloadJobFactory(scheduled_at=timezone.now() - timedelta(minutes=20))
    tasks.look()
    assert Part.objects.get(name="jobs").level == Level.DEGRADED

    PausedKindFactory(kind="download")
    tasks.look()
    assert Part.objects.get(name="jobs").level == Level.OK


def test_the_monitoring_pass_keeps_its_findings_and_since_when():
    tasks.look()
    first = Part.objects.get(name="sources")
    tasks.look()
    second = Part.objects.get(name="sources")
    SourceFactory(blocked=True)
    tasks.look()
    third = Part.objects.get(name="sources")

    assert (first.level, second.level, third.level) == ("ok", "ok", "degraded")
    assert first.since == second.since < third.since
    assert second.checked_at > first.checked_at


def test_old_findings_count_as_degraded():
    tasks.look()
    Part.objects.update(checked_at=timezone.now() - timedelta(minutes=5))

    assert {finding.level for finding in health.kept()} == {Level.DEGRADED}


@pytest.mark.parametrize(
    ("levels", "worst"),
    [([], Level.OK), (["ok", "ok"], Level.OK), (["ok", "degraded"], Level.DEGRADED), (["down", "degraded"], Level.DOWN)],
)
def test_the_whole_is_as_well_as_its_worst_part(levels, worst):
    assert health.worst(levels) is worst


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=95), "95 s"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(days=9), "216 h"),
    ],
)
def test_durations_are_said_in_words(age, words):
    assert health.in_words(age) == words


def test_canaries_that_cannot_be_sent_stay_unanswered(monkeypatch):
    def refuse(*args, **options):
        raise redis.exceptions.ConnectionError

    monkeypatch.setattr(tasks.answer_canary, "apply_async", refuse)

    assert canaries.send() == 0
    assert Canary.objects.get(queue="crawl").unanswered_since is not None
