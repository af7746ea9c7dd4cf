"""Rows of the tests: a job that is told what to do, and a ledger of what was done."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from jobs.models import FINAL, Job, JobQuerySet


class Chore(Job):
    act = models.CharField(max_length=20, default="work")
    facts = models.JSONField(default=dict)
    name = models.CharField(max_length=20, default="")

    objects: ClassVar[Any] = JobQuerySet.as_manager()

    class Meta(Job.Meta):
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                fields=["name"], condition=~Q(state__in=FINAL) & ~Q(name=""), name="one_live_chore_of_a_name"
            ),
        ]


class Entry(models.Model):
    """One line per chore done, written in the transaction that completes it."""

    chore = models.BigIntegerField()
    fence = models.BigIntegerField()
    worker = models.CharField(max_length=120)

    objects: ClassVar[Any] = models.Manager()

    def __str__(self) -> str:
        return f"{self.chore} by {self.worker}"
