"""What the house knows of its own running: passes, pulses, canaries, the parts of its health, and bytes nobody claims."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Pass(models.Model):
    """One run of an upkeep task, with what it did. Frequent tasks leave one only when they did something."""

    name = models.CharField(_("pass"), max_length=60)
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    counts = models.JSONField(_("counts"), default=dict, blank=True)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("upkeep pass")
        verbose_name_plural = _("upkeep passes")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["name", "-id"], name="pass_latest")]

    def __str__(self) -> str:
        return f"{self.name} {self.started_at:%Y-%m-%d %H:%M}"


class Pulse(models.Model):
    """When an upkeep task last ran, whether or not it left a row: one row per task, however often it runs."""

    name = models.CharField(_("pass"), max_length=60, primary_key=True)
    ended_at = models.DateTimeField(_("last run"))
    ended_well_at = models.DateTimeField(_("last good run"), null=True)
    seconds = models.FloatField(_("took, seconds"))
    counts = models.JSONField(_("counts"), default=dict)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        verbose_name = _("pulse")
        verbose_name_plural = _("pulses")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Canary(models.Model):
    """A tiny task sent through a queue, and whether a worker did it. Proves work, where a process id only proves a process."""

    queue = models.CharField(_("queue"), max_length=30, primary_key=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    unanswered_since = models.DateTimeField(_("unanswered since"), null=True)
    answered_at = models.DateTimeField(_("answered"), null=True)
    seconds = models.FloatField(_("took, seconds"), null=True)
    worker = models.CharField(_("worker"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("canary")
        verbose_name_plural = _("canaries")
        ordering = ["queue"]

    def __str__(self) -> str:
        return self.queue


class Level(models.TextChoices):
    OK = "ok", _("ok")
    DEGRADED = "degraded", _("degraded")
    DOWN = "down", _("down")


class Part(models.Model):
    """One part of the house as the last monitoring pass found it."""

    name = models.CharField(_("part"), max_length=40, primary_key=True)
    level = models.CharField(_("state"), max_length=10, choices=Level)
    sentence = models.CharField(_("finding"), max_length=300)
    facts = models.JSONField(_("facts"), default=dict)
    checked_at = models.DateTimeField(_("checked"))
    since = models.DateTimeField(_("since"), help_text=_("When it came into this state."))

    class Meta:
        verbose_name = _("health check")
        verbose_name_plural = _("health checks")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class UnclaimedObject(models.Model):
    """Bytes in the media storage that no row names. They are deleted when that has been so for two days."""

    key = models.CharField(_("key"), max_length=200, primary_key=True)
    size = models.PositiveBigIntegerField(_("size, bytes"))
    since = models.DateTimeField(_("unclaimed since"), default=timezone.now)
    was_released = models.BooleanField(_("released by us"), help_text=_("Off: found in the storage without a row."))

    class Meta:
        verbose_name = _("unclaimed object")
        verbose_name_plural = _("unclaimed objects")
        ordering = ["since", "key"]

    def __str__(self) -> str:
        return self.key[-12:]
