"""How a video ranks now, in a narrow table of its own: the wide video rows are not rewritten by a ranking pass."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crawler.models import Video


class Score(models.Model):
    video = models.OneToOneField(Video, on_delete=models.CASCADE, primary_key=True, related_name="score")
    classic = models.FloatField(_("classic score"))
    momentum = models.FloatField(_("momentum"), null=True, help_text=_("Relative change of the score within 24 h; 0.5 is +50 %."))
    is_surging = models.BooleanField(_("surging"), default=False)
    surging_since = models.DateTimeField(_("surging since"), null=True)
    surged_at = models.DateTimeField(_("last surge seen"), null=True, help_text=_("Stays when the surge is over."))
    observed_at = models.DateTimeField(_("of the observation at"))

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        indexes = [
            models.Index(fields=["-classic", "-video"], name="score_feed"),
            models.Index(fields=["-classic", "-video"], condition=models.Q(is_surging=True), name="score_surging"),
        ]

    def __str__(self) -> str:
        return f"{self.video_id}: {self.classic:.1f}"
