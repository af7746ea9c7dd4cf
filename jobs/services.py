"""What keeps the job rows moving when messages and workers are lost."""

import logging
from collections import Counter

from django.db import connection

from jobs import kinds, nudge
from jobs.models import Job
from jobs.retry import BASE_SECONDS

logger = logging.getLogger(__name__)

WORKER_LOST = "The worker stopped without saying how the job went."


def rescue() -> Counter[str]:
    """Take back the jobs whose lease ran out; return how many, by kind.

    Those with attempts left are retried soon, the others have failed: a job that kills its workers ends.
    Many rescuers at once do no harm.
    """
    rescued: Counter[str] = Counter()
    for kind in kinds.all_kinds():
        rescued[kind.name] = _rescue_table(kind.get_model())
        if rescued[kind.name]:
            logger.warning("Jobs rescued", extra={"kind": kind.name, "count": rescued[kind.name]})
    return rescued


def _rescue_table(model: type[Job]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH lost AS MATERIALIZED (
                SELECT id FROM "{model._meta.db_table}"
                WHERE state = 'running' AND lease_until < now()
                FOR UPDATE SKIP LOCKED
            )
            UPDATE "{model._meta.db_table}" AS job SET
                state = CASE WHEN attempt < max_attempts THEN 'retrying' ELSE 'failed' END,
                finalized_at = CASE WHEN attempt < max_attempts THEN NULL ELSE now() END,
                scheduled_at = now() + make_interval(
                    secs => %(base)s * power(2, least(attempt, 8) - 1) * (0.5 + random() / 2)
                ),
                lease_until = NULL, error_code = 'worker_lost', error = %(error)s, outcome = '',
                history = history || jsonb_build_array(jsonb_build_object(
                    'at', now(), 'event', 'worker lost', 'attempt', attempt, 'by', worker,
                    'code', 'worker_lost'
                ))
            FROM lost WHERE job.id = lost.id
            """,
            {"base": BASE_SECONDS["worker_lost"], "error": WORKER_LOST},
        )
        return cursor.rowcount


def dispatch() -> dict[str, int]:
    """One upkeep round: rescue, then a nudge for each kind with due rows. Returns counts for its record."""
    counts = {f"rescued_{name}": count for name, count in rescue().items() if count}
    for kind in kinds.all_kinds():
        due = kind.get_model().objects.due()[:1].count()
        if due and nudge.send(kind.name):
            counts[f"nudged_{kind.name}"] = 1
    return counts
