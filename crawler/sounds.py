"""TikTok sounds that a workspace watches: added by a pasted link, read by runs in the background."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from crawler import outbound
from crawler.access import provider_name
from crawler.links import site_url
from crawler.models import CrawlJob, ProviderPause, Sound, Source, SourceKind
from crawler.orders import REUSE_FOR
from crawler.providers.sound_links import NotASound, ShortLink, SoundLink, read_sound
from crawler.services import ASKED_FOR, scan_now
from jobs import nudge
from jobs.errors import InvalidTransition, JobError, PermanentError
from jobs.models import FINAL, State

PLATFORM = "tiktok"
INTERVAL_MINUTES = 24 * 60
"""Each run is billed, and a sound's rise is told well by a look a day."""
PAGES_PER_RUN = 3
FOLLOW_SECONDS = 8.0
PAGE_BYTES = 4 * 1024 * 1024


class NoSuchSound(PermanentError):
    """What was pasted leads to no sound."""

    code = "no_such_sound"


class Status(StrEnum):
    """How the latest run of a sound stands, in words for people and programs."""

    NEVER = "never"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


def find_sound(text: str) -> SoundLink:
    """The sound that a pasted text names; a short link is followed. Raises NoSuchSound."""
    site = site_url(PLATFORM)
    try:
        found = read_sound(text, site)
        if isinstance(found, ShortLink):
            found = read_sound(_follow(found.url, site), site)
    except NotASound as error:
        raise NoSuchSound(_sentence(error.code), code=error.code) from error
    if isinstance(found, ShortLink):
        raise NoSuchSound(_sentence("no_sound"))
    return found


def _follow(url: str, site: str) -> str:
    """Where a short link leads. The page itself is not read: its address says all."""
    try:
        with outbound.door_to(site).open_stream(url, deadline_seconds=FOLLOW_SECONDS, max_bytes=PAGE_BYTES) as stream:
            return str(stream.headers.get("Location") or stream.url)
    except JobError as error:
        raise NoSuchSound(_("The short link could not be followed: paste the sound's own link."), code="not_followed") from error


def _sentence(code: str) -> str:
    match code:
        case "no_id":
            return _("This link carries the number 0: TikTok gives it to posts whose sound has no page of its own.")
        case "other_page":
            return _("This TikTok link is not a sound's: open the sound on TikTok, then share its page.")
    return _("Paste the link of a TikTok sound, such as https://www.tiktok.com/music/original-sound-7016547803243022337.")


def add_sound(text: str, *, workspace: Any, by: AbstractBaseUser | AnonymousUser | None = None) -> tuple[Source, bool]:
    """Watch the sound that a pasted text names, as `watch` does. Raises NoSuchSound."""
    return watch(find_sound(text), workspace=workspace, by=by)


def watch(link: SoundLink, *, workspace: Any, by: AbstractBaseUser | AnonymousUser | None = None) -> tuple[Source, bool]:
    """Watch a sound and read it at once; return its source, and whether it is new. The same sound again is the same source."""
    sound, _is_new = Sound.objects.get_or_create(
        platform=PLATFORM, external_id=link.id, defaults={"url": link.url(site_url(PLATFORM))}
    )
    if not sound.url:
        Sound.objects.filter(pk=sound.pk, url="").update(url=link.url(site_url(PLATFORM)))
    source, is_new = Source.objects.get_or_create(
        workspace=workspace,
        platform=PLATFORM,
        kind=SourceKind.SOUND,
        value=link.id,
        defaults={
            "sound": sound,
            "interval_minutes": INTERVAL_MINUTES,
            "pages_per_run": PAGES_PER_RUN,
            "next_run_at": timezone.now() + timedelta(minutes=INTERVAL_MINUTES),
        },
    )
    scrape(source, by=by)
    return source, is_new


def scrape(source: Source, *, by: AbstractBaseUser | AnonymousUser | None = None, force: bool = False) -> CrawlJob:
    """Read a sound now; a run that is alive, or that ended well within the last hours, does, unless `force` orders another."""
    last = last_run(source)
    if last is not None and last.state not in FINAL:
        return scan_now(source, by=by)
    if not force:
        if last is not None and last.state == State.FAILED and last.order:
            return retry(source, by=by)
        if last is not None and last.state == State.COMPLETED and is_fresh(last):
            return last
        return scan_now(source, by=by)
    place = {"since": timezone.now().isoformat(), "position": None, "is_anew": True}
    try:
        with transaction.atomic():
            job: CrawlJob = CrawlJob.objects.create(
                source=source, requested_by_id=by.pk if by else None, priority=ASKED_FOR, cursor=place
            )
    except IntegrityError:  # somebody else asked at this moment
        return scan_now(source, by=by)
    nudge.nudge("crawl")
    return job


def retry(source: Source, *, by: AbstractBaseUser | AnonymousUser | None = None) -> CrawlJob:
    """Take the failed run up where it broke off: what was paid for is read, and only what failed as a whole is ordered anew."""
    last = last_run(source)
    if last is None or last.state != State.FAILED:
        return scrape(source, by=by)
    try:
        last.run_again(by=str(by or ""))
    except InvalidTransition:  # somebody else did it at this moment
        return scan_now(source, by=by)
    return last


def last_run(source: Source | int) -> CrawlJob | None:
    job: CrawlJob | None = CrawlJob.objects.filter(source=source).order_by("-pk").first()
    return job


def last_runs(sources: Sequence[int]) -> dict[int, CrawlJob]:
    """The latest run of each of many sources that has one; one query."""
    newest = CrawlJob.objects.filter(source=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    ids = Source.objects.filter(pk__in=sources).values_list(Subquery(newest), flat=True)
    return {job.source_id: job for job in CrawlJob.objects.filter(pk__in=ids)}


def is_fresh(job: CrawlJob) -> bool:
    """Whether its run is young enough to stand for another."""
    return bool(job.order) and job.started_at is not None and timezone.now() - job.started_at < REUSE_FOR


def pause() -> ProviderPause | None:
    """Why no sound is read at present, where its service is the reason: a good run of before stays the latest."""
    return ProviderPause.objects.filter(provider=provider_name(PLATFORM, SourceKind.SOUND)).first()


def status_of(job: CrawlJob | None) -> Status:
    if job is None:
        return Status.NEVER
    if job.state in FINAL:
        return {State.COMPLETED: Status.DONE, State.FAILED: Status.FAILED}.get(State(job.state), Status.CANCELLED)
    return Status.RUNNING if job.order or job.state == State.RUNNING else Status.QUEUED
