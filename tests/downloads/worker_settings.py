"""Settings of workers that tests start, and may kill at a named step (FAULT_POINT)."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

from django.dispatch import receiver

from jobs.signals import job_changed
from tests.settings import *  # noqa: F403

TEMP_DIR = Path(os.environ["TEST_TEMP_DIR"])


def _die(*_args: Any, **_kwargs: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@receiver(job_changed, weak=False)
def _arm(**_: Any) -> None:
    """At the claim, when everything is loaded: put death in the way of one step."""
    from downloads import objects

    store = objects.store

    def store_then_die(*args: Any, **kwargs: Any) -> None:
        store(*args, **kwargs)
        _die()

    match os.environ.get("FAULT_POINT"):
        case "before_put":
            vars(objects)["store"] = _die
        case "after_put":
            vars(objects)["store"] = store_then_die
        case "after_commit":
            vars(shutil)["rmtree"] = _die
