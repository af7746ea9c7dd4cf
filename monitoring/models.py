"""What the house knows of its own running: one row per upkeep pass."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Pass(models.Model):
    """One run of an upkeep task, with what it did."""

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
