"""Does the work of claimed jobs, and is the one place that turns an exception into a state."""

import logging
import time

from jobs import lifecycle
from jobs.errors import InvalidTransition, LeaseLost, PermanentError, Snooze, TransientError
from jobs.kinds import JobKind, Work
from jobs.lease import keeper
from jobs.models import Job, State

logger = logging.getLogger(__name__)


def run(job: Job, work: Work, kind: JobKind) -> None:
    """Do the work of a claimed job and record how it ended. Raises nothing but what kills the process."""
    facts = {"kind": kind.name, "job": job.pk, "attempt": job.attempt}
    with keeper.holding(job, stall_after=kind.stall_after, deadline=kind.deadline):
        try:
            try:
                outcome = work(job)
            except Snooze as error:
                job.snooze(error.retry_after, error=error.message, code=error.code, outcome=error.outcome)
            except PermanentError as error:
                logger.warning("Job failed for good", extra=facts | {"code": error.code})
                job.give_up(error.message, code=error.code, outcome=error.outcome)
            except TransientError as error:
                logger.info("Job will be tried again", extra=facts | {"code": error.code})
                job.fail(error.message, code=error.code, outcome=error.outcome, retry_after=error.retry_after)
            except (LeaseLost, InvalidTransition):
                raise
            except Exception as error:
                logger.exception("Job failed", extra=facts)
                job.fail(f"{type(error).__name__}: {error}"[:2000], code="internal")
            else:
                if job.state == State.RUNNING:  # the work may have completed it inside its own transaction
                    job.complete(outcome or "")
        except (LeaseLost, InvalidTransition):
            logger.warning("Job is no longer ours: nothing was written", extra=facts)


def drain(kind: JobKind, *, seconds: float | None = None, most: int | None = None) -> int:
    """Claim and do due jobs of one kind until none is due, time is up or `most` are done; return how many.

    Stops claiming when the worker is shutting down.
    """
    until = None if seconds is None else time.monotonic() + seconds
    model, done = kind.get_model(), 0
    while not lifecycle.is_stopping():
        if (until is not None and time.monotonic() >= until) or (most is not None and done >= most):
            break
        jobs = model.objects.claim_batch(kind.batch, kind=kind.name)
        if not jobs:
            break
        work = kind.get_work()
        for job in jobs:
            run(job, work, kind)
        done += len(jobs)
    return done
