"""A carousel as people look through it: each slide with its picture, or why there is none, and what was read on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.models import Analysis, AnalysisJob, SlideText
from analysis.status import AnalysisStatus, status_from
from catalog.filters import fold
from catalog.kept import PENDING, READY, Kept
from crawler.models import Video


@dataclass(frozen=True, slots=True, kw_only=True)
class Slide:
    picture: Kept
    read: SlideText | None
    """None: not read. With an empty text: read, and nothing stands on it."""
    is_hit: bool = False
    """Words that were searched for stand on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carousel:
    slides: list[Slide]
    status: AnalysisStatus
    """Of the latest wish to have it read."""
    analysis: Analysis | None
    """The latest reading that went well, with its category at hand; it stays while a new one is made."""

    @property
    def is_live(self) -> bool:
        """Something of it will change by itself."""
        return self.status.status in ("queued", "running") or self.waiting > 0

    @property
    def hits(self) -> list[Slide]:
        return [slide for slide in self.slides if slide.is_hit]

    @property
    def waiting(self) -> int:
        """Slides whose pictures are still to come."""
        return sum(slide.picture.state == PENDING for slide in self.slides)

    @property
    def all_text(self) -> str:
        """Of all slides in order, a blank line between two."""
        return "\n\n".join(slide.read.text for slide in self.slides if slide.read and slide.read.text)

    @property
    def signature(self) -> str:
        """Changes whenever the slides or their texts do; not with every percent of progress."""
        states = [slide.picture.state for slide in self.slides]
        read = int(self.analysis.read_at.timestamp() * 1000) if self.analysis else 0
        return f"{len(states)}-{states.count(READY)}-{states.count(PENDING)}-{read}"


def carousel(video: Video, pictures: Sequence[Kept], terms: Sequence[str] = ()) -> Carousel:
    """Three statements. `pictures` as catalog.detail has them; `terms`: what was searched for, as Filters.terms has it.

    In an order in which a reading that ends in between is not lost: what is shown as over brings its texts, and texts are
    never older than the signature under which they are shown.
    """
    job = AnalysisJob.objects.filter(video=video).order_by("-pk").first()
    analysis = Analysis.objects.filter(video=video).select_related("category").first()
    texts = {text.position: text for text in SlideText.objects.filter(video=video)}
    return Carousel(
        slides=[_slide(picture, texts.get(picture.position), terms) for picture in pictures],
        status=status_from(job, analysis is not None),
        analysis=analysis,
    )


def _slide(picture: Kept, read: SlideText | None, terms: Sequence[str]) -> Slide:
    folded = fold(read.text) if read else ""
    return Slide(picture=picture, read=read, is_hit=any(term in folded for term in terms))
