"""What all kinds of jobs have in common."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from jobs.models import PausedKind, State
from tests.factories.times import now


class JobFactory(DjangoModelFactory[Any]):
    """Rows in a given state, as the transitions would have left them."""

    class Meta:
        abstract = True

    class Params:
        running = factory.Trait(
            state=State.RUNNING,
            attempt=1,
            fence=1,
            worker="test:1:MainThread",
            started_at=factory.LazyFunction(now),
            lease_until=factory.LazyFunction(lambda: timezone.now() + timedelta(seconds=60)),
        )
        lost = factory.Trait(
            state=State.RUNNING,
            attempt=1,
            fence=1,
            worker="gone:1:MainThread",
            started_at=factory.LazyFunction(lambda: timezone.now() - timedelta(minutes=9)),
            lease_until=factory.LazyFunction(lambda: timezone.now() - timedelta(minutes=5)),
        )
        retrying = factory.Trait(
            state=State.RETRYING,
            attempt=1,
            fence=1,
            error_code="unreachable",
            error="The platform did not answer.",
            scheduled_at=factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=5)),
        )
        completed = factory.Trait(
            state=State.COMPLETED, attempt=1, fence=1, progress=100, outcome="ok", finalized_at=factory.LazyFunction(now)
        )
        failed = factory.Trait(
            state=State.FAILED,
            attempt=5,
            fence=5,
            error_code="gone",
            error="The platform no longer has it.",
            finalized_at=factory.LazyFunction(now),
        )
        cancelled = factory.Trait(state=State.CANCELLED, outcome="cancelled", finalized_at=factory.LazyFunction(now))
        paused = factory.Trait(paused_at=factory.LazyFunction(now))


class PausedKindFactory(DjangoModelFactory[PausedKind]):
    class Meta:
        model = PausedKind

    kind = "download"
    reason = "The storage is being moved."
