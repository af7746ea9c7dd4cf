"""People whose posts a workspace follows: profile sources, as the capability that the API and the admin offer."""

import time
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils import timezone

from crawler.access import provider_name
from crawler.models import CrawlJob, Source, SourceKind
from crawler.providers import registry
from crawler.services import own_tick, scan_now
from crawler.validators import clean_value
from jobs.models import FINAL

PLATFORMS = ("tiktok", "douyin")
PAID_INTERVAL_MINUTES = 360
"""How often a profile is read by a service that charges for each page, unless staff or editors say otherwise."""
LOOK_EVERY_SECONDS = 0.2
COUNTED = ("seen", "new", "updated", "credits")

By = AbstractBaseUser | AnonymousUser | None


@dataclass(frozen=True, slots=True)
class Added:
    source: Source
    is_new: bool
    """Else the workspace followed it already, and nothing was asked for."""


def add_profile(handle: str, *, is_own: bool | None, workspace: Any, by: By, platform: str = "tiktok") -> Added:
    """Follow a profile by its handle, “@handle” or link; its first page is read as soon as a worker is free.

    `is_own` None: as it was, or not. Raises ValidationError for what cannot be a profile of the platform.
    """
    value = clean_value(platform, SourceKind.PROFILE, handle)
    is_paid = registry.PROVIDERS[provider_name(platform, SourceKind.PROFILE)].is_paid
    settings: dict[str, Any] = {"interval_minutes": PAID_INTERVAL_MINUTES} if is_paid else {}
    source, is_new = Source.objects.get_or_create(
        workspace=workspace,
        platform=platform,
        kind=SourceKind.PROFILE,
        value=value,
        defaults={"is_own": bool(is_own), **settings},
    )
    if is_new:
        scan_now(source, by=by)
    elif is_own is not None and source.is_own != is_own:
        source.is_own = is_own
        source.save(update_fields=["is_own"])
    return Added(source, is_new)


def await_first_page(source: Source, *, within: float) -> None:
    """Return once the newest run of a profile has read a page, has ended or was put off; after `within` seconds in any case."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        run = CrawlJob.objects.filter(source=source).order_by("-pk").only("pages", "state", "error_code").first()
        if run is None or run.pages or run.state in FINAL or run.error_code:
            return
        time.sleep(LOOK_EVERY_SECONDS)


def set_monitoring(source: Source, *, is_enabled: bool) -> None:
    """Whether it is read by its schedule. Switched on, its next time comes by that schedule; off, a wish still reads it."""
    if source.is_active == is_enabled:
        return
    source.is_active = is_enabled
    source.next_run_at = own_tick(source, timezone.now())
    source.save(update_fields=["is_active", "next_run_at"])


def trigger(source: Source, *, by: By, force_recache: bool = False) -> CrawlJob:
    """Read it now, before everything that goes by schedule; `force_recache`: all media of what it shows are fetched again."""
    return scan_now(source, by=by, force_recache=force_recache)


def counts_of(job: CrawlJob) -> dict[str, int]:
    """What a run counted so far: pages, videos seen, new ones, known ones observed again, entries that were bad, credits."""
    counted = {name: int(job.counts.get(name, 0)) for name in COUNTED}
    return {"pages": job.pages, **counted, "errors": int(job.counts.get("malformed", 0))}
