"""What a search looks through. Beside the video rows, which every observation writes anew, with all their indexes."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crawler.models import Video


class SearchText(models.Model):
    """The folded title of a video, and what stands on its slides. Written, and deleted, by the database itself, so that no
    writer can forget it."""

    video = models.OneToOneField(Video, on_delete=models.DO_NOTHING, primary_key=True, related_name="+")
    text = models.TextField(_("text"))

    class Meta:
        verbose_name = _("search text")
        verbose_name_plural = _("search texts")

    def __str__(self) -> str:
        return self.text[:60]
