"""Real workers, killed and stopped for real. Starting them is what takes the time."""

import signal
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from celery import Celery
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from config import engines
from jobs.models import PausedKind, State
from tests.jobs.app.models import Chore, Entry
from tests.jobs.conftest import lose, make_due, until


def states():
    return Counter(Chore.objects.values_list("state", flat=True))


def entries():
    return sorted(Entry.objects.values_list("chore", flat=True))


def work_here():
    """Another worker: this process."""
    call_command("work", "chore", "--drain")


def connections_of_others():
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""
        )
        return cursor.fetchone()[0]


DRAIN = ("manage.py", "work", "chore", "--drain")
CELERY = ("-m", "celery", "-A", "config", "worker", "-Q", "upkeep", "-c", "2", "--without-gossip", "--without-mingle")


@dataclass(frozen=True)
class Waiting:
    """Makes a job that says that it began, and waits until it may end."""

    began: Path
    may_end: Path

    def make(self) -> Chore:
        job: Chore = Chore.objects.create(act="wait", facts={"began": str(self.began), "may_end": str(self.may_end)})
        return job


@pytest.fixture
def waiting(tmp_path: Path) -> Waiting:
    return Waiting(tmp_path / "began", tmp_path / "may end")


def test_two_workers_do_two_thousand_jobs_and_none_twice(start_worker):
    """Without SKIP LOCKED a worker finds nothing while the other one claims, and its share is small."""
    Chore.objects.bulk_create([Chore(priority=n % 7) for n in range(2000)])
    PausedKind.objects.create(kind="chore")  # until both are there
    workers = [start_worker(), start_worker()]
    until(lambda: connections_of_others() == 2)
    PausedKind.objects.all().delete()

    until(lambda: not Chore.objects.live().exists())

    assert states() == {State.COMPLETED: 2000}
    assert entries() == sorted(Chore.objects.values_list("pk", flat=True))
    assert set(Chore.objects.values_list("attempt", "fence")) == {(1, 1)}
    shares = Counter(name.split(":")[1] for name in Entry.objects.values_list("worker", flat=True))
    assert sorted(shares) == sorted(str(worker.process.pid) for worker in workers)
    for worker in workers:
        worker.send(signal.SIGTERM)
        assert worker.wait() == 0


def test_a_worker_killed_in_the_middle_of_a_job_is_replaced(start_worker, waiting):
    job = waiting.make()
    victim = start_worker()
    until(waiting.began.exists)
    assert int(waiting.began.read_text()) == victim.process.pid

    victim.send(signal.SIGKILL)
    victim.wait()
    assert states() == {State.RUNNING: 1}
    waiting.may_end.touch()
    lose(job)
    make_due()
    work_here()

    row = Chore.objects.get()
    assert (row.state, row.attempt, row.fence, entries()) == (State.COMPLETED, 2, 2, [job.pk])
    assert [entry["event"] for entry in row.history] == ["worker lost", "completed"]


def test_a_worker_that_slept_through_its_rescue_writes_nothing_when_it_wakes(start_worker, waiting):
    job = waiting.make()
    sleeper = start_worker()
    until(waiting.began.exists)
    sleeper.send(signal.SIGSTOP)
    lose(job)
    make_due()
    waiting.may_end.touch()
    work_here()
    assert entries() == [job.pk]

    sleeper.send(signal.SIGCONT)
    sleeper.send(signal.SIGTERM)
    assert sleeper.wait() == 0

    assert entries() == [job.pk]
    assert Chore.objects.get().fence == 2
    assert "no longer ours" in sleeper.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_told_to_stop_hands_its_job_back_within_seconds(start_worker, waiting, number):
    job, other = waiting.make(), Chore.objects.create(priority=90)
    worker = start_worker()
    until(waiting.began.exists)

    worker.send(number)
    assert worker.wait() == 0

    row = Chore.objects.get(pk=job.pk)
    assert (row.state, row.attempt, row.error_code) == (State.PENDING, 0, "handed_back")
    assert Chore.objects.get(pk=other.pk).attempt == 0
    assert "Jobs done: chore 1." in worker.log.read_text()
    waiting.may_end.touch()
    work_here()
    assert states() == {State.COMPLETED: 2}


def test_a_job_that_kills_its_workers_ends_and_takes_no_other_with_it(start_worker):
    poison = Chore.objects.create(act="die", max_attempts=3, priority=10)
    others = Chore.objects.bulk_create([Chore() for _ in range(5)])
    workers = 0

    while Chore.objects.live().filter(pk=poison.pk).exists():
        assert workers < 4
        workers += 1
        assert start_worker(*DRAIN).wait() == -signal.SIGKILL
        lose(poison)
        make_due()
    work_here()

    row = Chore.objects.get(pk=poison.pk)
    assert (workers, row.state, row.attempt, row.error_code) == (3, State.FAILED, 3, "worker_lost")
    assert entries() == sorted(job.pk for job in others)


def test_flushing_redis_in_the_middle_loses_nothing(start_worker, settings):
    Chore.objects.bulk_create([Chore() for _ in range(300)])
    worker = start_worker(*DRAIN)
    until(lambda: Entry.objects.count() > 50)

    for url in (engines.redis_url(), settings.CACHES["default"]["LOCATION"]):  # not the cache of tests that run beside this one
        with redis.Redis.from_url(url) as client:
            client.flushdb()

    assert worker.wait() == 0
    assert states() == {State.COMPLETED: 300}


def test_a_database_that_restarts_in_the_middle_loses_nothing(start_worker):
    """As the worker sees it: its connections end."""
    Chore.objects.bulk_create([Chore() for _ in range(300)])
    worker = start_worker()

    for least in (50, 150):
        until(lambda least=least: Entry.objects.count() > least)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s",
                [connection.connection.info.backend_pid],
            )
        # in one statement: what its reader saw running may have been handed back and done since
        Chore.objects.filter(state=State.RUNNING).update(lease_until=Now())
        make_due()
        if worker.process.poll() is not None:
            worker = start_worker()

    def is_done() -> bool:
        make_due()  # those that failed with the connection
        return not Chore.objects.live().exists()

    until(is_done)
    assert states() == {State.COMPLETED: 300}
    assert entries() == sorted(Chore.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_a_message_sets_a_celery_worker_going_and_stopping_it_hands_back(start_worker, waiting, own_redis, pool):
    """In a prefork pool only the parent hears the signal; the child that works has to be told."""
    Chore.objects.bulk_create([Chore(priority=10) for _ in range(20)])
    job = waiting.make()
    worker = start_worker(*CELERY, "-P", pool, REDIS_URL=own_redis.url)
    with Celery(set_as_current=False, broker=f"redis+socket://{own_redis.socket}") as sender:
        sender.send_task("jobs.tasks.drain_kind", ["chore"], queue="upkeep")
        sender.send_task("jobs.tasks.drain_kind", ["a kind of another version"], queue="upkeep")
    until(waiting.began.exists)
    until(lambda: Entry.objects.count() == 20)

    worker.send(signal.SIGTERM)
    assert worker.wait() == 0

    row = Chore.objects.get(pk=job.pk)
    assert (row.state, row.attempt, row.error_code) == (State.PENDING, 0, "handed_back")


@pytest.mark.django_db(transaction=True)
def test_the_command_says_what_it_did_and_leaves_the_rest(capsys):
    Chore.objects.bulk_create([Chore() for _ in range(3)])
    Chore.objects.create(scheduled_at=timezone.now() + timedelta(hours=1))

    call_command("work", "chore", "--drain")

    assert capsys.readouterr().out == "Jobs done: chore 3.\n"


@pytest.mark.django_db
def test_an_unknown_kind_is_an_error_that_names_the_known_ones():
    with pytest.raises(CommandError, match=r"Unknown kind: chores\. Known: .*chore.*crawl"):
        call_command("work", "chores", "--drain")
