"""What keeps the job rows moving when messages and workers are lost."""

import logging
from typing import Any

from jobs import kinds, nudge
from jobs.models import PausedKind

logger = logging.getLogger(__name__)


def rescue() -> dict[str, int]:
    """Take back the jobs whose lease ran out; return how many, by kind. Many rescuers at once do no harm.

    Those with attempts left are retried soon, the others have failed: a job that kills its workers ends.
    """
    rescued = {}
    for kind in kinds.all_kinds():
        queue: Any = kind.get_model()._default_manager
        if jobs := queue.rescue():
            rescued[kind.name] = len(jobs)
            logger.warning("Jobs rescued", extra={"kind": kind.name, "count": len(jobs)})
    return rescued


def dispatch() -> dict[str, int]:
    """One upkeep round: rescue, then a nudge for each kind with due rows. Returns counts for its record."""
    counts = {f"rescued_{name}": count for name, count in rescue().items()}
    paused = set(PausedKind.objects.values_list("kind", flat=True))
    for kind in kinds.all_kinds():
        queue: Any = kind.get_model()._default_manager
        if kind.name not in paused and queue.due().exists() and nudge.send(kind.name):
            counts[f"nudged_{kind.name}"] = 1
    return counts
