"""Who wants to know that a job changed. Receivers may only write a row or a nudge, under a savepoint."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.dispatch import Signal

if TYPE_CHECKING:
    from jobs.models import Job

# Arguments: job (the instance as this process knows it). The sender is its model class.
job_changed = Signal(use_caching=True)


def announce(jobs: "Sequence[Job]") -> None:
    """Tell it after the commit, of jobs of one kind; a receiver that fails harms neither the job nor the others."""
    if jobs and job_changed.has_listeners(sender := type(jobs[0])):
        transaction.on_commit(lambda: [job_changed.send_robust(sender, job=job) for job in jobs], robust=True)
