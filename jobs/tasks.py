"""Celery's side of the jobs: messages that only say "look"."""

from typing import Any

from celery import shared_task

from jobs import kinds, nudge
from jobs.runner import drain

# A message claims for this long, then passes the word on: a shutting-down worker waits for its messages.
MESSAGE_SECONDS = 5.0


@shared_task(ignore_result=True)
def drain_kind(kind_name: str) -> None:
    """Do due jobs of a kind, if there are any. Extra calls are harmless."""
    try:
        kind = kinds.get(kind_name)
    except KeyError:
        return  # an old or forged message
    queue: Any = kind.get_model()._default_manager
    woken = False

    def wake_another() -> None:
        """Each worker that finds work wakes one more. One that finds none wakes nobody, or they would never sleep."""
        nonlocal woken
        if not woken and queue.due().exists():
            nudge.send(kind_name)
        woken = True

    nudge.received(kind_name)
    if drain(kind, seconds=MESSAGE_SECONDS, on_claim=wake_another):
        nudge.send(kind_name)
