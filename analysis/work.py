"""Reading one carousel: pictures from our storage, an engine's answer, and the old result replaced by the new one at once."""

import time
from datetime import timedelta

from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from analysis import categories, engines
from analysis.analyzers import gemini
from analysis.analyzers.base import Carousel, Picture, Reading, Usage
from analysis.models import Analysis, AnalysisJob, Category, SlideText
from analysis.pictures import Slide, Slides, pictures_of, slides_of
from analysis.signals import carousel_read
from crawler.cleaning import clean_text
from crawler.models import Video, VideoKind
from crawler.providers.errors import RateLimited, ServiceRefused
from jobs.errors import PermanentError, Snooze

PATIENCE = timedelta(hours=6)
"""So long a request waits for slides that are on their way; then it reads those that came."""
LOOK_AGAIN = timedelta(seconds=30)


def analyze(job: AnalysisJob) -> str:
    """Read one carousel. See JobKind.work. Outcomes: done, or partly where a slide could not be had or decoded."""
    video = job.video
    if video.kind != VideoKind.CAROUSEL:
        raise PermanentError(_("Only carousels are read: this is a clip."), code="not_a_carousel")
    slides = _stored_slides(job, video)
    engine = engines.analyzer(engines.engine_of(job))
    begun = time.monotonic()
    pictures = _pictures(job, slides.stored)
    if not pictures:
        raise PermanentError(_("None of its pictures can be decoded."), code="no_pictures")
    carousel = Carousel(pictures=pictures, title=video.title, hashtags=video.hashtags, categories=categories.known())

    def progress(read: int) -> None:
        job.report(progress=100 * read // len(pictures), note=_("slide %(n)d of %(all)d") % {"n": read, "all": len(pictures)})

    try:
        reading = engine.read(carousel, progress=progress, spend=lambda usage: _charge(job, usage))
    except (ServiceRefused, RateLimited) as error:
        raise engines.note_refusal(error) from error
    outcome = "done" if len(pictures) >= slides.expected else "partly"
    _record(job, reading, {slide.position: slide.sha256 for slide in slides.stored}, time.monotonic() - begun, outcome)
    return outcome


def _stored_slides(job: AnalysisJob, video: Video) -> Slides:
    slides = slides_of(video)
    if slides.is_waiting and timezone.now() - job.created_at < PATIENCE:
        raise Snooze(_("Its slides are not stored yet."), retry_after=LOOK_AGAIN, code="waiting_for_slides")
    if not slides.stored:
        raise PermanentError(_("None of its slides could be stored."), code="no_pictures")
    return slides


def _pictures(job: AnalysisJob, slides: list[Slide]) -> list[Picture]:
    """Those that can be decoded; one that cannot costs nobody else its text."""
    found = []
    for number, picture in enumerate(pictures_of(slides), start=1):
        job.report(note=_("opening slide %(n)d of %(all)d") % {"n": number, "all": len(slides)})
        if picture is not None:
            found.append(picture)
    return found


def _charge(job: AnalysisJob, usage: Usage) -> None:
    """Written at once: what was paid for is known even if nothing comes of the answer."""
    changes = {"tokens_in": F("tokens_in") + usage.tokens_in, "tokens_out": F("tokens_out") + usage.tokens_out}
    if usage.cost_micros is not None:
        changes["cost_micros"] = Coalesce(F("cost_micros"), Value(0)) + usage.cost_micros
    AnalysisJob.objects.filter(pk=job.pk).update(**changes)


def _record(job: AnalysisJob, reading: Reading, hashes: dict[int, str], seconds: float, outcome: str) -> None:
    category, is_new = _category(reading)
    texts = [
        SlideText(
            video_id=job.video_id,
            position=slide.position,
            text=clean_text(slide.text, 8_000)[0],
            description=clean_text(slide.description, 1_000, one_line=True)[0],
            type=slide.type.value,
            confidence=slide.confidence,
            language=slide.language,
            sha256=hashes[slide.position],
        )
        for slide in reading.slides
    ]
    facts = {
        "category": category,
        "confidence": reading.category_confidence if category else None,
        "is_new": is_new,
        "engine": reading.engine,
        "model": reading.model,
        "tokens_in": reading.usage.tokens_in,
        "tokens_out": reading.usage.tokens_out,
        "cost_micros": reading.usage.cost_micros,
        "duration_ms": round(seconds * 1000),
        "finish": reading.finish[:30],
        "read_at": timezone.now(),
    }
    with job.fenced():
        before = Analysis.objects.filter(video=job.video_id).select_related("category").first()
        _follow(job.video_id, before.category if before else None, category)
        SlideText.objects.filter(video=job.video_id).exclude(position__in=hashes).delete()
        SlideText.objects.bulk_create(
            texts,
            update_conflicts=True,
            unique_fields=["video", "position"],
            update_fields=["text", "description", "type", "confidence", "language", "sha256"],
        )
        Analysis.objects.update_or_create(video_id=job.video_id, defaults=facts)
        carousel_read.send_robust(Analysis, video_id=job.video_id)
        job.complete(outcome)


def _category(reading: Reading) -> tuple[Category | None, bool]:
    """The category that an engine named; a model's new one is made, and marked as the model's."""
    if not clean_text(reading.category, 60, one_line=True)[0].strip():
        return None, False
    if reading.engine != gemini.ENGINE:  # by rule: of the known ones, or none
        return categories.find(reading.category), False
    return categories.find_or_create(reading.category, is_from_model=True)


def _follow(video_id: int, before: Category | None, now: Category | None) -> None:
    """The video's category follows its reading, unless a person chose another one."""
    if now is None:
        return
    replaceable = ["", before.slug] if before else [""]
    Video.objects.filter(pk=video_id, category__in=replaceable).update(category=now.slug)
