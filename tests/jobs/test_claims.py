"""Claiming: order, pause, batches, plans, and many claimers at once."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from jobs import queue, statements
from jobs.models import PausedKind, State
from tests.jobs.app.models import Chore
from tests.jobs.conftest import expire, make_due


def fill(count, **fields):
    return Chore.objects.bulk_create([Chore(**fields) for _ in range(count)])


def fill_ended(count):
    [model] = fill(1, state=State.COMPLETED, finalized_at=timezone.now())
    columns = ", ".join(f'"{field.column}"' for field in Chore._meta.concrete_fields if not field.primary_key)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO chores_chore ({columns}) SELECT {columns} FROM chores_chore, generate_series(2, %s) WHERE id = %s",
            [count, model.pk],
        )


@pytest.mark.django_db
def test_a_claimed_job_is_whole_as_if_read_by_the_orm():
    made = Chore.objects.create(facts={"list": [1, None]}, max_attempts=3)

    job = Chore.objects.claim(worker="w1")

    row = Chore.objects.get(pk=made.pk)
    names = [field.attname for field in Chore._meta.concrete_fields]
    assert {name: getattr(job, name) for name in names} == {name: getattr(row, name) for name in names}
    assert (job.state, job.attempt, job.fence, job.worker, job.facts) == (State.RUNNING, 1, 1, "w1", {"list": [1, None]})
    assert job.history == []
    assert timedelta(seconds=59) < job.lease_until - job.started_at <= timedelta(seconds=60)


@pytest.mark.django_db
def test_the_most_urgent_is_claimed_first_then_the_oldest():
    now = timezone.now()
    order = [(10, 0), (50, -60), (50, -5), (50, -5), (90, -999)]
    made = [Chore.objects.create(priority=p, scheduled_at=now + timedelta(seconds=s)) for p, s in order]

    assert [Chore.objects.claim().pk for _ in made] == [job.pk for job in made]


@pytest.mark.django_db
def test_a_batch_comes_most_urgent_first_and_no_larger_than_asked():
    late, urgent = Chore.objects.create(priority=90), Chore.objects.create(priority=10)
    fill(3)

    batch = Chore.objects.claim_batch(4)

    assert len(batch) == 4
    assert (batch[0], late in batch) == (urgent, False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields",
    [
        {"scheduled_at": timezone.now() + timedelta(days=1)},  # counted from when the tests were collected
        {"paused_at": timezone.now()},
        {"state": State.COMPLETED, "finalized_at": timezone.now()},
        {"state": State.RUNNING, "lease_until": timezone.now() - timedelta(hours=1)},
    ],
    ids=["not due", "paused", "ended", "lost but not rescued"],
)
def test_what_may_not_run_is_not_claimed(fields):
    job = Chore.objects.create(**fields)

    assert Chore.objects.claim() is None
    assert Chore.objects.claim(only=job.pk) is None
    assert Chore.objects.claim_batch(10) == []


@pytest.mark.django_db
def test_while_its_kind_is_paused_nothing_is_claimed_and_what_runs_goes_on():
    running, waiting = fill(2)
    running = Chore.objects.claim(only=running.pk)
    pause = PausedKind.objects.create(kind="chore", reason="painters")

    assert Chore.objects.claim() is None
    assert Chore.objects.claim_batch(10) == []
    assert Chore.objects.claim(only=waiting.pk) is None
    running.report(progress=50)
    running.complete()

    pause.delete()
    assert Chore.objects.claim() == waiting


@pytest.mark.django_db
def test_pausing_another_kind_stops_nobody_else():
    fill(1)
    PausedKind.objects.create(kind="download")

    assert Chore.objects.claim() is not None


@pytest.mark.django_db
def test_one_certain_job_can_be_claimed_out_of_order():
    _first, second = fill(2)

    assert Chore.objects.claim(only=second.pk) == second
    assert Chore.objects.claim(only=second.pk) is None


@pytest.mark.django_db
def test_a_job_that_lost_its_worker_is_claimed_alone_and_its_neighbours_keep_their_attempts():
    fill(5)
    batch = Chore.objects.claim_batch(5)
    for job in batch:
        expire(job)  # one of them killed the worker of all
    Chore.objects.rescue()
    fill(2, priority=10)
    fill(2, priority=90)
    make_due()

    sizes = [len(Chore.objects.claim_batch(5)) for _ in range(8)]

    assert sizes == [2, 1, 1, 1, 1, 1, 2, 0]


@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_has_locked_is_passed_over_and_one_that_is_only_referred_to_is_not():
    locked, referred = fill(2)

    with psycopg.connect(**address()) as other:
        other.execute("SELECT 1 FROM chores_chore WHERE id = %s FOR UPDATE", [locked.pk])
        other.execute("SELECT 1 FROM chores_chore WHERE id = %s FOR KEY SHARE", [referred.pk])
        assert [job.pk for job in Chore.objects.claim_batch(5)] == [referred.pk]

    assert Chore.objects.claim() == locked


# -- the front of the queue ----------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_job_put_in_before_the_front_is_found_when_nothing_else_is_left():
    fill(2)
    Chore.objects.claim()
    early = Chore.objects.create(scheduled_at=timezone.now() - timedelta(days=1))

    assert Chore.objects.claim() != early  # the claim began where the last one ended
    assert Chore.objects.claim() == early
    assert Chore.objects.claim() is None


@pytest.mark.django_db
def test_a_job_put_in_before_the_front_waits_for_a_second_at_most(time_machine):
    fill(2)
    Chore.objects.claim()
    early = Chore.objects.create(scheduled_at=timezone.now() - timedelta(days=1))
    front, _until = queue._fronts[Chore]
    queue._fronts[Chore] = (front, 0.0)  # the second is over

    assert Chore.objects.claim() == early


# -- plans and costs -----------------------------------------------------------------------------------


def explain(sql, parameters):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF) {sql}", parameters)
        return "\n".join(row[0] for row in cursor.fetchall())


@pytest.mark.django_db
def test_a_claim_walks_the_partial_index_however_many_jobs_have_ended():
    fill_ended(100_000)
    fill(50)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE chores_chore")
    sql = statements.claim("chores_chore", ("id",), 1)

    plan = explain(sql, {"kind": "chore", "front": "-infinity", "worker": "w", "lease": 60})

    assert "Index Scan using chore_due" in plan
    assert "Sort" not in plan
    assert "Seq Scan" not in plan
    assert "Rows Removed" not in plan


@pytest.mark.django_db
def test_finding_lost_jobs_does_not_walk_those_that_ended():
    fill_ended(20_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE chores_chore")

    plan = explain(statements.rescue("chores_chore", ("id",)), {"base": 2, "error": "", "entry": "{}"})

    assert "Index Scan using chore_state" in plan


def commits():
    """How many transactions this database has committed, read-only ones and this question included."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


def address():
    given = connection.get_connection_params()
    return {name: given[name] for name in ("dbname", "host", "port", "user", "password") if name in given}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("size", "most"), [(1, 2.0), (10, 0.2)])
def test_a_job_costs_two_commits_and_a_fifth_of_one_in_batches(size, most):
    costs = []
    for _ in range(3):  # others may commit meanwhile, which can only add
        fill(100)
        before = commits()
        while jobs := Chore.objects.claim_batch(size):
            if size == 1:
                jobs[0].complete()
            else:
                Chore.objects.complete_all([(job, "ok") for job in jobs])
        costs.append((commits() - before) / 100)

    assert Chore.objects.filter(state=State.COMPLETED).count() == 300
    assert min(costs) <= most + 0.1  # the last claim finds nothing, and there are the questions


@pytest.mark.django_db
def test_a_claim_and_its_end_are_one_statement_each(django_assert_num_queries):
    fill(1)
    executed = []
    original = statements.execute

    def counted(sql, parameters):
        executed.append(sql.split()[0])
        return original(sql, parameters)

    with pytest.MonkeyPatch.context() as patch, django_assert_num_queries(0):
        patch.setattr(statements, "execute", counted)
        Chore.objects.claim().complete("ok")

    assert executed == ["WITH", "UPDATE"]


# -- many at once --------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("size", [1, 7])
def test_many_claimers_never_claim_one_job_twice(size):
    """Fails without the row locks; without SKIP LOCKED alone the next test fails."""
    fill(600)
    barrier = threading.Barrier(8)

    def claim_all() -> list[tuple[int, int]]:
        try:
            barrier.wait(240)
            mine = []
            while jobs := Chore.objects.claim_batch(size):
                mine += [(job.pk, job.fence) for job in jobs]
            return mine
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        claimed = [pair for future in [pool.submit(claim_all) for _ in range(8)] for pair in future.result(240)]

    assert Counter(claimed) == Counter((pk, 1) for pk in Chore.objects.values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_claimer_does_not_wait_for_another_ones_row():
    """Fails without SKIP LOCKED."""
    first, second = fill(2)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")

    with psycopg.connect(**address()) as other:
        other.execute(
            statements.claim("chores_chore", ("id",), 1), {"kind": "chore", "front": "-infinity", "worker": "other", "lease": 60}
        )
        assert Chore.objects.claim() == second
        other.rollback()

    assert Chore.objects.claim() == first


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_is_rolled_back_never_was():
    [job] = fill(1)

    with transaction.atomic():
        assert Chore.objects.claim() == job
        transaction.set_rollback(True)

    row = Chore.objects.get()
    assert (row.state, row.attempt, row.fence) == (State.PENDING, 0, 0)


@pytest.mark.django_db
def test_completing_many_keeps_each_ones_outcome_and_skips_those_that_are_lost():
    fill(3)
    a, b, c = Chore.objects.claim_batch(3)
    Chore.objects.get(pk=b.pk).cancel()

    completed = Chore.objects.complete_all([(a, "good"), (b, "good"), (c, "x" * 99)])

    assert completed == [a, c]
    assert list(Chore.objects.order_by("pk").values_list("state", "outcome")) == [
        (State.COMPLETED, "good"),
        (State.CANCELLED, "cancelled"),
        (State.COMPLETED, "x" * 30),
    ]
    assert (a.state, a.finalized_at, b.state) == (State.COMPLETED, Chore.objects.get(pk=a.pk).finalized_at, State.RUNNING)
    assert a.history[-1]["event"] == "completed"
