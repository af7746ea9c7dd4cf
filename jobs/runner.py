"""Does the work of claimed jobs, and is the one place that turns an exception into a state."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from jobs import lifecycle
from jobs.errors import DeadlinePassed, HandedBack, InvalidTransition, LeaseLost, PermanentError, Snooze, TransientError
from jobs.kinds import JobKind, Work
from jobs.lease import LEASE_SECONDS, keeper
from jobs.models import Job, State
from jobs.nudge import nudge

logger = logging.getLogger(__name__)

DATABASE_GONE = (OperationalError, InterfaceError)
ASK_AGAIN_SECONDS = 1.0


def run(job: Job, work: Work, kind: JobKind) -> None:
    """Do the work of a claimed job and record how it ended."""
    run_all([job], work, kind)


def run_all(jobs: Sequence[Job], work: Work, kind: JobKind) -> None:
    """Do the work of jobs that were claimed together, one after the other; record together those that went well."""
    done: list[tuple[Job, str]] = []
    with ExitStack() as leases:
        for job in jobs:
            leases.enter_context(keeper.holding(job, stall_after=kind.stall_after, deadline=kind.deadline))
        _prepare(jobs, kind, leases)
        for job in jobs:
            outcome = _do(job, work, kind)
            if outcome is not None:
                done.append((job, outcome))
        if len(done) == 1:
            [(job, outcome)] = done
            _record(partial(job.complete, outcome), _facts(job, kind))
        elif done:
            _record(partial(_complete_all, done), {"kind": kind.name})


def _prepare(jobs: Sequence[Job], kind: JobKind, until: ExitStack) -> None:
    """What the kind does for jobs together. If that fails, each is done by itself and says why it fails, if it does."""
    prepare = kind.get_prepare()
    if prepare is None or len(jobs) < 2 or lifecycle.is_stopping():
        return
    try:
        until.enter_context(prepare(jobs))
    except DATABASE_GONE:
        logger.warning("Jobs lost the database", extra={"kind": kind.name}, exc_info=True)
    except Exception:
        logger.exception("Jobs could not be prepared together", extra={"kind": kind.name})


def _complete_all(done: list[tuple[Job, str]]) -> None:
    jobs: Any = type(done[0][0])._default_manager
    if missing := len(done) - len(jobs.complete_all(done)):
        raise InvalidTransition(f"{missing} of {len(done)} were changed by someone else")


def _do(job: Job, work: Work, kind: JobKind) -> str | None:
    """Do the work; return its outcome, or None when the job has ended in another way, which is recorded here."""
    facts = _facts(job, kind)
    try:
        if lifecycle.is_stopping():
            raise HandedBack
        keeper.touch(job)
        outcome = work(job) or ""
    except Snooze as error:
        end = partial(_put_off, job, error, kind)
    except PermanentError as error:
        logger.warning("Job failed for good", extra=facts | {"code": error.code})
        end = partial(job.give_up, error.message, code=error.code, outcome=error.outcome)
    except TransientError as error:
        logger.info("Job will be tried again", extra=facts | {"code": error.code})
        end = partial(job.fail, error.message, code=error.code, outcome=error.outcome, retry_after=error.retry_after)
    except DeadlinePassed:
        logger.warning("Job took too long", extra=facts)
        end = partial(job.fail, f"It took longer than {kind.deadline} (h:m:s).", code="deadline")
    except LeaseLost:
        end = None
    except DATABASE_GONE as error:
        logger.warning("Job lost the database", extra=facts, exc_info=True)
        end = partial(job.fail, f"The database failed: {error}", code="database")
    except Exception as error:
        logger.exception("Job failed", extra=facts)
        end = partial(job.fail, f"{type(error).__name__}: {error}", code="internal")
    else:
        return outcome if job.state == State.RUNNING else None  # the work may have completed it in its own transaction
    if end is None:
        logger.warning("Job is no longer ours: nothing was written", extra=facts)
    elif job.state == State.RUNNING:
        _record(end, facts)
    return None


def _put_off(job: Job, reason: Snooze, kind: JobKind) -> None:
    job.snooze(reason.retry_after, error=reason.message, code=reason.code, outcome=reason.outcome)
    if not reason.retry_after:
        nudge(kind.name)


def _record(write: Callable[[], None], facts: dict[str, Any]) -> None:
    """Write how jobs ended. While the database is away, try for as long as the lease may last: then they are rescued."""
    until = time.monotonic() + LEASE_SECONDS
    while True:
        try:
            if connection.errors_occurred:
                connection.close_if_unusable_or_obsolete()
            return write()
        except InvalidTransition:
            return logger.warning("Job is no longer ours: nothing was written", extra=facts, exc_info=True)
        except DATABASE_GONE:
            if time.monotonic() > until:
                return logger.exception("The end of a job could not be recorded", extra=facts)
        time.sleep(ASK_AGAIN_SECONDS)


def _facts(job: Job, kind: JobKind) -> dict[str, Any]:
    return {"kind": kind.name, "job": job.pk, "attempt": job.attempt}


def drain(
    kind: JobKind, *, seconds: float = math.inf, most: float = math.inf, on_claim: Callable[[], object] = lambda: None
) -> int:
    """Claim and do due jobs of one kind until none is due, time is up or `most` are done; return how many.

    Claims nothing once the worker is shutting down. `on_claim` is called when jobs were claimed and before they are done.
    """
    until = time.monotonic() + seconds
    queue: Any = kind.get_model()._default_manager
    work, done = kind.get_work(), 0
    while done < most and time.monotonic() < until and not lifecycle.is_stopping():
        jobs = queue.claim_batch(int(min(kind.batch, most - done)))
        if not jobs:
            break
        on_claim()
        run_all(jobs, work, kind)
        done += len(jobs)
    return done
