"""Looking at sources: when, how far, what is kept, and how it went."""

import contextlib
import logging
import random
from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Greatest, Least, Now
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from crawler import links, orders, outbound, pauses
from crawler.access import platform_of, provider_name, reader_for
from crawler.cleaning import Unusable, clean_external, clean_text
from crawler.looking import look_at
from crawler.models import CrawlJob, Outcome, Source, SourceKind, SourceVideo, Video
from crawler.people import record_profile
from crawler.providers import registry
from crawler.providers.base import Page, Query, VideoData
from crawler.providers.errors import ServiceRefused
from crawler.recording import Recorded, record, record_sound
from crawler.timing import BadCron, next_tick, pause_after
from crawler.trending import record_words
from jobs import nudge
from jobs.errors import JobError, Snooze

logger = logging.getLogger(__name__)

RESUME_WITHIN = timedelta(hours=6)
"""A run that was broken off longer ago begins anew: its place in the listing means nothing any more."""
MOST_ERRORS = 50
MOST_DUE = 500
ASKED_FOR = 10
"""Priority of a look that a person waits for."""


@dataclass(slots=True)
class Run:
    """Where a run stands; kept in the job's cursor, so that a killed one goes on."""

    since: datetime
    position: dict[str, Any] | None = None
    is_over: bool = False
    """The listing has ended: nothing is left but to say so."""
    renamed_to: str = ""
    """What a profile that changed its name is called now."""
    is_anew: bool = False
    """A person wants it read again, though it was read lately and reading costs."""

    @classmethod
    def of(cls, job: CrawlJob, now: datetime) -> "Run":
        """The run to go on with, or a new one."""
        kept = job.cursor if isinstance(job.cursor, dict) else {}
        since = parse_datetime(kept.get("since") or "")
        if since is None or now - since > RESUME_WITHIN:
            job.pages, job.counts, job.errors = 0, {}, []
            return cls(since=now)
        is_over, is_anew = bool(kept.get("is_over")), bool(kept.get("is_anew"))
        renamed_to = str(kept.get("renamed_to") or "")
        return cls(since=since, position=kept.get("position"), is_over=is_over, renamed_to=renamed_to, is_anew=is_anew)

    def as_json(self) -> dict[str, Any]:
        place = {"since": self.since.isoformat(), "position": self.position, "is_over": self.is_over}
        seldom = {"renamed_to": self.renamed_to, "is_anew": self.is_anew}
        return place | {name: value for name, value in seldom.items() if value}


def crawl(job: CrawlJob) -> str | None:
    """Look at a source once, page by page, each committed with the place to go on from; return the outcome."""
    source, begun_at = job.source, timezone.now()
    run = Run.of(job, begun_at)
    try:
        with contextlib.closing(_pages(job, run)) as pages:
            for page in pages:
                if not page.is_mark:  # which is kept in any case, though the worker should be about to stop
                    job.report(progress=100 * job.pages // max(source.pages_per_run, 1), note=f"page {job.pages + 1}")
                _commit(job, run, page)
    except ServiceRefused as error:
        waits = pauses.pause(provider_name(source.platform, source.kind), error)
        _note_pause(job, waits)
        raise waits from error
    except pauses.Paused as error:
        _note_pause(job, error)
        raise
    except JobError as error:
        orders.hurry(job, error, since=begun_at)
        if error.outcome:
            _note_failure(job, error)
        raise
    return _finish(job, run)


def _pages(job: CrawlJob, run: Run) -> Generator[Page, None, None]:
    """The pages of a run. A paused provider is asked only where a person wants it; that it answers ends the pause."""
    source, is_asked_for = job.source, job.priority <= ASKED_FOR
    if run.is_over:
        return
    name, left = provider_name(source.platform, source.kind), source.pages_per_run - job.pages
    if registry.PROVIDERS[name].works_in_background:
        if orders.take_up(job, run):
            return
        left = source.pages_per_run
    if left <= 0:
        return
    if source.kind == SourceKind.URL:
        video, charged = look_at(source.platform, source.value, is_asked_for=is_asked_for)
        yield Page(videos=(video,), cursor=None, credits=charged)
        return
    was_paused = is_asked_for and pauses.is_paused(name)
    if not is_asked_for:
        pauses.check(name)
    reader = reader_for(source.platform, source.kind)
    query = Query(
        kind=source.kind,
        value=source.value,
        author_id=source.author.external_id if source.author else "",
        video_kinds=tuple(source.kinds),
        url=source.sound.url if source.sound else "",
    )
    with contextlib.closing(reader.provider.crawl(query, reader.access, cursor=run.position, pages=left)) as pages:
        for page in pages:
            if was_paused and not page.is_mark:
                was_paused = not pauses.resume(name, by="success")
            yield page


def _commit(job: CrawlJob, run: Run, page: Page) -> Recorded:
    """One page: its videos, what was left out, and the place to go on from, all or nothing."""
    now = timezone.now()
    counts = Counter(job.counts) + Counter(page.skipped)
    kept, errors = _clean(page.videos, now, counts)
    wanted = [video for video in kept if job.source.wants(video, now)]
    counts["seen"] += len(kept)
    counts["filtered"] += len(kept) - len(wanted)
    counts.update(video.kind for video in wanted)
    counts["credits"] += page.credits
    with job.fenced():
        if page.sound is not None:
            record_sound(page.sound, job.source, at=now)
        is_forced = CrawlJob.objects.values_list("force_recache", flat=True).get(pk=job.pk)  # it may be wished meanwhile
        recorded = record(wanted, source=job.source, at=now, since=run.since, is_forced=is_forced)
        record_words(job.source, page, recorded.video_ids, at=now)
        if page.author is not None and job.source.kind == SourceKind.PROFILE:
            record_profile(page.author, job.source, at=now, since=run.since)
        counts["new"] += recorded.new
        counts["updated"] += recorded.updated
        run.renamed_to = page.renamed_to or run.renamed_to
        run.position = dict(page.cursor) if page.cursor is not None else None
        run.is_over = page.cursor is None
        job.cursor, job.pages, job.counts = run.as_json(), job.pages + (not page.is_mark), dict(+counts)
        job.errors = [*job.errors, *(clean_text(e, 300)[0] for e in page.errors), *errors][:MOST_ERRORS]
        job.order = page.order if page.is_mark else job.order
        job.save(update_fields=["cursor", "pages", "counts", "errors", "order"])
    return recorded


def _clean(videos: Iterable[VideoData], now: datetime, counts: Counter[str]) -> tuple[list[VideoData], list[str]]:
    """The videos fit to store; one that is not fails alone, and is counted."""
    kept, errors = [], []
    for video in videos:
        try:
            kept.append(clean_external(video, now))
        except Unusable as error:
            counts["malformed"] += 1
            errors.append(str(error))
    return kept, errors


def _finish(job: CrawlJob, run: Run) -> str:
    has_seen = bool(job.counts.get("seen"))
    outcome, detail = Outcome.OK if has_seen else Outcome.EMPTY, ""
    if run.renamed_to:
        outcome = Outcome.RENAMED
        detail = _("The profile is called “%(name)s” now. It is still read, by its lasting id.") % {"name": run.renamed_to[:100]}
    now = timezone.now()
    changes: dict[str, Any] = {"outcome": outcome, "outcome_detail": detail, "failures_in_a_row": 0, "last_run_at": now}
    if has_seen:
        changes["last_good_at"] = now
    # Ended in the same transaction that forgets the place: a crash in between would look at everything again.
    with job.fenced():
        source = Source.objects.get(pk=job.source_id)  # as it is now: its schedule may have been changed meanwhile
        # What pushed the next look away is over: the source's own schedule holds again.
        changes["next_run_at"] = Least(F("next_run_at"), own_tick(source, now))
        Source.objects.filter(pk=source.pk).update(**changes)
        CrawlJob.objects.filter(pk=job.pk).update(cursor=None)
        job.complete(outcome.value)
    return outcome.value


def _note_pause(job: CrawlJob, error: JobError) -> None:
    """It was not looked at, for no fault of the source's: it says why, and its schedule stands."""
    with job.fenced():
        Source.objects.filter(pk=job.source_id).update(outcome=Outcome.SERVICE_REFUSED, outcome_detail=error.message[:2000])


def _note_failure(job: CrawlJob, error: JobError) -> None:
    """Show on the source how it went, and stay away for a while where that is what was asked for."""
    source, now = job.source, timezone.now()
    outcome = error.outcome if error.outcome in Outcome.values else Outcome.FAILED.value
    failures = source.failures_in_a_row + 1
    earliest = now
    if outcome in (Outcome.BLOCKED, Outcome.LOGIN_REQUIRED):
        earliest += pause_after(failures, source.interval_minutes, random.random())
    with job.fenced():
        Source.objects.filter(pk=source.pk).update(
            outcome=outcome,
            outcome_detail=error.message[:2000],
            failures_in_a_row=failures,
            last_run_at=now,
            next_run_at=Greatest(F("next_run_at"), earliest),
        )
        if isinstance(error, Snooze):
            _rest(source.platform, now + error.retry_after)


def _rest(platform: str, until: datetime) -> None:
    """Nothing of a platform starts by itself before it wants to be asked again. What a person asks for anew does."""
    CrawlJob.objects.waiting().filter(source__platform=platform).update(scheduled_at=Greatest(F("scheduled_at"), until))
    Source.objects.filter(platform=platform, is_active=True, next_run_at__lt=until).update(next_run_at=until)


# -- when ----------------------------------------------------------------------------------------------


def dispatch_due_sources() -> int:
    """Start a look at every source that is due, and set its next time; return how many were started.

    Safe in many copies at once. Ticks missed while nothing ran are not made up for. Sources of a paused provider stay due.
    """
    with transaction.atomic():
        now = timezone.now()
        due = list(
            Source.objects.filter(is_active=True, next_run_at__lte=now)
            .exclude(pauses.read_by(pauses.paused()))
            .order_by("next_run_at", "pk")
            .select_for_update(skip_locked=True)[:MOST_DUE]
        )
        alive = set(CrawlJob.objects.live().filter(source__in=due).values_list("source_id", flat=True))
        for source in due:
            try:
                source.next_run_at = next_tick(source.cron, source.interval_minutes, now)
            except BadCron as error:  # written past the form; the interval holds meanwhile
                source.next_run_at = next_tick("", source.interval_minutes, now)
                source.outcome_detail = str(error)
        Source.objects.bulk_update(due, ["next_run_at", "outcome_detail"], batch_size=MOST_DUE)
        fresh = [CrawlJob(source=source) for source in due if source.pk not in alive]
        CrawlJob.objects.bulk_create(fresh, ignore_conflicts=True)
        if fresh:
            nudge.nudge("crawl")
    return len(fresh)


def own_tick(source: Source, now: datetime) -> datetime:
    """The next time by the source's own schedule; by its interval where its cron line cannot be followed."""
    try:
        return next_tick(source.cron, source.interval_minutes, now)
    except BadCron:
        return next_tick("", source.interval_minutes, now)


def scan_now(source: Source, *, by: AbstractBaseUser | AnonymousUser | None = None, force_recache: bool = False) -> CrawlJob:
    """Look at a source as soon as a worker is free, before all looks by schedule; if one is under way or waiting, that one.

    `force_recache`: all media of what is seen are fetched again; of a look under way, from its next page on.
    """
    job: CrawlJob | None
    try:
        with transaction.atomic():
            job = CrawlJob.objects.create(
                source=source, requested_by_id=by.pk if by else None, priority=ASKED_FOR, force_recache=force_recache
            )
    except IntegrityError:
        job = CrawlJob.objects.live().filter(source=source).first()
        if job is None:  # it ended this moment
            return scan_now(source, by=by, force_recache=force_recache)
        if force_recache:
            CrawlJob.objects.live().filter(pk=job.pk).update(force_recache=True)
        CrawlJob.objects.waiting().filter(pk=job.pk).update(scheduled_at=Now(), priority=ASKED_FOR)
        job.refresh_from_db()
    nudge.nudge("crawl")
    return job


def look_again_signed_in(platform: str) -> int:
    """There are new cookies: what wanted a login is due at once, whatever pause it had earned. Return how many sources are."""
    wanting = Source.objects.filter(platform=platform, is_active=True, outcome=Outcome.LOGIN_REQUIRED)
    return wanting.update(next_run_at=Now())


# -- what ----------------------------------------------------------------------------------------------


def load_topics(
    path: Path, workspace: Any, *, platform: str = "douyin", interval_minutes: int = 60, pages_per_run: int = 3
) -> tuple[int, int]:
    """Watch every topic of a file, one per line, `#` before remarks; return how many are new and how many there are.

    Raises OSError or UnicodeDecodeError for a file that cannot be read, ValidationError for a line that cannot be a topic.
    """
    topics = []
    for number, line in enumerate(path.read_text("utf-8-sig").splitlines(), start=1):
        topic = "" if line.startswith("#") else clean_text(line, 10_000, one_line=True)[0]
        if len(topic) > 500:
            raise ValidationError(f"Line {number} of {path} is too long for a topic.")
        if topic:
            topics.append(topic)
    wanted = dict.fromkeys(topics)
    watched = Source.objects.filter(workspace=workspace, platform=platform, kind=SourceKind.TOPIC)
    before = set(watched.filter(value__in=wanted).values_list("value", flat=True))
    Source.objects.bulk_create(
        [
            Source(
                workspace=workspace,
                platform=platform,
                kind=SourceKind.TOPIC,
                value=topic,
                interval_minutes=interval_minutes,
                pages_per_run=pages_per_run,
            )
            for topic in wanted
            if topic not in before
        ],
        ignore_conflicts=True,
    )
    return len(wanted) - len(before), len(wanted)


def import_url(text: str, *, workspace: Any, by: AbstractBaseUser | AnonymousUser | None = None) -> CrawlJob:
    """Fetch what a link shows, in the background: the job's `imported_video` is there once it is completed.

    `text` is the link, or a share text with the link inside. One post is one source, however its link was written.
    Raises outbound.ForbiddenAddress for a link that the house does not follow, FetchError for a host nobody knows.
    """
    found = links.settle(links.link_in(text))
    platform = found.platform if found.platform != registry.ANY_LINK else platform_of(found.url)
    if platform == registry.ANY_LINK:
        outbound.check_url(found.url)
    kept = {"workspace": workspace, "platform": platform, "kind": SourceKind.URL}
    source = _watched_link(kept, found)
    if source is None:
        source, _created = Source.objects.get_or_create(**kept, value=found.url, defaults={"is_active": False})
    return scan_now(source, by=by)


def _watched_link(kept: dict[str, Any], found: links.Settled) -> Source | None:
    """The source of the same post under another address: a note is a video too, and a handle in it may have changed."""
    if not found.post_id:
        return None
    same = Source.objects.filter(**kept, value__regex=rf"/{found.post_id}/?($|[?#])")
    return same.order_by("pk").first()


def imported_video(job: CrawlJob) -> Video | None:
    """What an import found."""
    seen = SourceVideo.objects.filter(source_id=job.source_id).select_related("video").order_by("-last_seen_at").first()
    return seen.video if seen else None
