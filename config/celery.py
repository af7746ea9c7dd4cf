"""Celery carries nudges; what is to be done stands in rows. Settings begin with CELERY_ in config/settings.py."""

import os
import warnings
from typing import Any

from celery import Celery
from celery.signals import worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Root in a container is the operator's choice; messages are JSON, and hostile media is opened in a sandbox of its own.
warnings.filterwarnings("ignore", "You're running the worker with superuser privileges")

app = Celery("groundswell")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_shutting_down.connect
def hand_back(**_: Any) -> None:
    """The first SIGTERM: claim nothing more, and let running jobs hand themselves back at their next report."""
    from jobs import lifecycle

    lifecycle.stop()
