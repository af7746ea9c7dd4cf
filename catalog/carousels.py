"""A carousel as people look through it: each slide with its picture, or why there is none, and what was read on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from catalog.cards import PICTURE, StoredFile, picture
from catalog.filters import fold
from crawler.models import Video
from downloads.filenames import filename_for
from jobs.states import State

NOT_READ, QUEUED, RUNNING, READ = "none", "queued", "running", "done"
REFUSED, CUT_OFF, FAILED = "refused", "cut_off", "failed"
LIVE = (QUEUED, RUNNING)

# A slide is known by its picture, by its text, or by both; one that was only listed by the platform waits for its picture.
_SLIDES = f"""
    SELECT position, a.state, a.error_code, {PICTURE.format("o")},
           t.text, t.description, t.type, t.confidence, t.language
    FROM (SELECT position, state, error_code, object_id FROM downloads_asset WHERE video_id = %(video)s AND role = 'slide') a
    FULL JOIN (SELECT * FROM analysis_slidetext WHERE video_id = %(video)s) t USING (position)
    FULL JOIN generate_series(0, %(listed)s - 1) AS listed (position) USING (position)
    LEFT JOIN downloads_storedobject o ON o.id = a.object_id
    LEFT JOIN downloads_storedobject o_small ON o_small.id = o.small_id
    LEFT JOIN downloads_storedobject o_medium ON o_medium.id = o.medium_id
    ORDER BY position
"""

# The latest job says how things stand, the reading what was found; either may be missing.
_READING = """
    SELECT job.state, job.outcome, job.error_code, job.error, job.scheduled_at, job.progress,
           done.video_id IS NOT NULL, done.engine, done.model, done.read_at, done.confidence, done.is_new,
           c.name, c.slug
    FROM (SELECT 1) AS one
    LEFT JOIN analysis_analysis done ON done.video_id = %(video)s
    LEFT JOIN analysis_category c ON c.id = done.category_id
    LEFT JOIN LATERAL (
        SELECT * FROM analysis_analysisjob j WHERE j.video_id = %(video)s ORDER BY j.id DESC LIMIT 1
    ) AS job ON true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slide:
    position: int
    """From 0."""
    state: str
    """Of its picture: ready, wanted, failed or removed."""
    error_code: str = ""
    file: StoredFile | None = None
    text: str | None = None
    """None: not read. Empty: read, and nothing stands on it."""
    description: str = ""
    type: str = ""
    confidence: float | None = None
    language: str = ""
    is_hit: bool = False
    """All words that were searched for, or some of them, stand on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How far the reading of a carousel is; an earlier result stays while a new one is made."""

    state: str
    """One of analysis.status.STATUSES."""
    has_result: bool
    error: str = ""
    error_code: str = ""
    next_at: datetime | None = None
    """Of one that waits for another attempt."""
    progress: int = 0
    engine: str = ""
    model: str = ""
    read_at: datetime | None = None
    category: str = ""
    category_slug: str = ""
    confidence: float | None = None
    is_new_category: bool = False

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Carousel:
    slides: list[Slide]
    reading: Reading

    @property
    def hits(self) -> list[Slide]:
        return [slide for slide in self.slides if slide.is_hit]

    @property
    def waiting(self) -> int:
        """Slides whose pictures are still to come."""
        return sum(slide.state == "wanted" for slide in self.slides)

    @property
    def all_text(self) -> str:
        """Of all slides in order, a blank line between two."""
        return "\n\n".join(slide.text for slide in self.slides if slide.text)

    @property
    def signature(self) -> str:
        """Changes whenever the slides or their texts do; not with every percent of progress."""
        ready = sum(slide.file is not None for slide in self.slides)
        read = self.reading.read_at
        return f"{len(self.slides)}-{ready}-{int(read.timestamp() * 1000) if read else 0}"


def carousel(video: Video, terms: Sequence[str] = ()) -> Carousel:
    """Two statements. `terms`: what was searched for, as Filters.terms has it."""
    given = {"video": video.pk, "listed": len(video.slides)}
    with connection.cursor() as cursor:
        cursor.execute(_SLIDES, given)
        slides = [_slide(video, row, terms) for row in cursor.fetchall()]
        cursor.execute(_READING, given)
        reading = _reading(cursor.fetchone())
    return Carousel(slides=slides, reading=reading)


def _slide(video: Video, row: tuple[Any, ...], terms: Sequence[str]) -> Slide:
    position, state, error_code, *shown, text, description, kind, confidence, language = row
    name = f"{filename_for(video.title, video.external_id, '').removesuffix('.')} {position + 1:02d}"
    folded = fold(text or "")
    return Slide(
        position=position,
        state=state or "wanted",
        error_code=error_code or "",
        # One that is fetched again is shown as it was until then.
        file=picture(shown, name) if state != "removed" else None,
        text=text,
        description=description or "",
        type=kind or "",
        confidence=confidence,
        language=language or "",
        is_hit=any(term in folded for term in terms),
    )


def _reading(row: tuple[Any, ...]) -> Reading:
    state, outcome, error_code, error, scheduled_at, progress, has_result, *found = row
    engine, model, read_at, confidence, is_new, category, slug = found
    word = _word(state, {outcome, error_code}, has_result)
    return Reading(
        state=word,
        has_result=has_result,
        error=error if word in (QUEUED, REFUSED, CUT_OFF, FAILED) else "",
        error_code=error_code or "",
        next_at=scheduled_at if word == QUEUED and error else None,
        progress=progress or 0,
        engine=engine or "",
        model=model or "",
        read_at=read_at,
        category=category or "",
        category_slug=slug or "",
        confidence=confidence,
        is_new_category=bool(is_new),
    )


def _word(state: str | None, words: set[str | None], has_result: bool) -> str:
    if state in (State.PENDING, State.RETRYING):
        return QUEUED
    if state == State.RUNNING:
        return RUNNING
    for word in (REFUSED, CUT_OFF):
        if word in words:
            return word
    if state == State.FAILED:
        return FAILED
    return READ if has_result else NOT_READ
