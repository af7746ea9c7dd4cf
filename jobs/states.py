"""The states of a job, what happens to it, and which of that makes sense when."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    PENDING = "pending", _("pending")  # may run at scheduled_at
    RUNNING = "running", _("running")  # a worker holds the lease
    RETRYING = "retrying", _("retrying")  # failed, will try again at scheduled_at
    COMPLETED = "completed", _("completed")
    FAILED = "failed", _("failed")  # gave up, wants a person
    CANCELLED = "cancelled", _("cancelled")  # a person stopped it


class Event(models.TextChoices):
    """The entries of a job's history."""

    COMPLETED = "completed", _("completed")
    FAILED = "failed", _("failed")
    GAVE_UP = "gave up", _("given up")
    SNOOZED = "snoozed", _("put off")
    WORKER_LOST = "worker lost", _("worker lost")
    CANCELLED = "cancelled", _("cancelled")
    PAUSED = "paused", _("paused")
    RESUMED = "resumed", _("resumed")
    RUN_AGAIN = "run again", _("run again")


CLAIMABLE = (State.PENDING, State.RETRYING)
LIVE = (*CLAIMABLE, State.RUNNING)
FINAL = (State.COMPLETED, State.FAILED, State.CANCELLED)

POSSIBLE_IN: dict[Event, tuple[State, ...]] = {
    Event.COMPLETED: (State.RUNNING,),
    Event.FAILED: (State.RUNNING,),
    Event.GAVE_UP: (State.RUNNING,),
    Event.SNOOZED: (State.RUNNING,),
    Event.WORKER_LOST: (State.RUNNING,),
    Event.CANCELLED: LIVE,
    Event.PAUSED: CLAIMABLE,
    Event.RESUMED: CLAIMABLE,
    Event.RUN_AGAIN: (*CLAIMABLE, *FINAL),
}
"""By event, not by pair of states: a completed job may be run again by a person, but never put off by its late worker."""
