"""Passes, and when they run."""

from __future__ import annotations

from datetime import timedelta

import factory
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from factory.django import DjangoModelFactory

from monitoring.models import Pass
from tests.factories.times import now


class PassFactory(DjangoModelFactory[Pass]):
    class Meta:
        model = Pass

    name = "cleanup"
    started_at = factory.LazyFunction(lambda: timezone.now() - timedelta(seconds=2))
    ended_at = factory.LazyFunction(now)


class IntervalScheduleFactory(DjangoModelFactory[IntervalSchedule]):
    class Meta:
        model = IntervalSchedule
        django_get_or_create = ("every", "period")

    every = 60
    period = IntervalSchedule.SECONDS


class PeriodicTaskFactory(DjangoModelFactory[PeriodicTask]):
    class Meta:
        model = PeriodicTask

    name = factory.Sequence(lambda n: f"Task {n}")
    task = "monitoring.tasks.dispatch_jobs"
    interval = factory.SubFactory(IntervalScheduleFactory)
