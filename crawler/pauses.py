"""Providers that are paused: one that refuses all our work (no key, a bad one, no credits) is asked nothing until it is mended.

The first refusal makes the pause and one warning; jobs that need the provider wait without using up their attempts. A look that
a person asks for tries all the same, and its success ends the pause, as do a trial that costs nothing, and staff.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from crawler.access import missing_settings, provider_name, provider_names, reader_by
from crawler.models import CrawlJob, ProviderPause, Source, SourceKind
from crawler.providers import registry
from crawler.providers.errors import NotConfigured, OutOfCredits, ServiceRefused
from jobs import nudge
from jobs.errors import JobError, Snooze

logger = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(hours=1)
"""How long a job waits for a paused provider, unless it is resumed before; and a pause that nothing can test."""
OUTCOME = ServiceRefused.outcome


class Paused(Snooze):
    """The provider is paused: the job waits."""

    code = "service_paused"
    outcome = OUTCOME


def paused() -> dict[str, ProviderPause]:
    """The pauses by provider; one query."""
    return {pause.provider: pause for pause in ProviderPause.objects.all()}


def is_paused(name: str) -> bool:
    return ProviderPause.objects.filter(provider=name).exists()


def pause_of(source: Source) -> ProviderPause | None:
    """Why this source is not read at present, where its provider is the reason."""
    return ProviderPause.objects.filter(provider=provider_name(source.platform, source.kind)).first()


def check(name: str) -> None:
    """Raise Paused while the provider is."""
    if (pause := ProviderPause.objects.filter(provider=name).first()) is not None:
        raise _wait(pause)


def pause(name: str, error: ServiceRefused) -> Paused:
    """Ask this provider nothing more; return what makes the job wait. Only the first of many refusals is told about."""
    now = timezone.now()
    until = None if has_trial(name) or isinstance(error, NotConfigured) else now + LOOK_AGAIN
    facts = {"code": error.code, "reason": error.message[:2000], "since": now, "until": until}
    row, is_new = ProviderPause.objects.get_or_create(provider=name, defaults=facts)
    if is_new:
        logger.warning("A provider is paused", extra={"provider": name, "code": error.code, "reason": error.message})
    elif row.code != error.code or row.reason != facts["reason"]:
        ProviderPause.objects.filter(pk=row.pk).update(code=facts["code"], reason=facts["reason"], until=until)
        row.refresh_from_db()
    return _wait(row)


def _wait(pause: ProviderPause) -> Paused:
    label = registry.PROVIDERS[pause.provider].label if pause.provider in registry.PROVIDERS else pause.provider
    message = _("%(label)s is paused: %(reason)s") % {"label": label, "reason": pause.reason}
    return Paused(message, retry_after=LOOK_AGAIN)


def resume(name: str, *, by: str = "") -> bool:
    """Ask it again, and let those go on that waited for it; return whether it was paused."""
    with transaction.atomic():
        deleted, _rows = ProviderPause.objects.filter(provider=name).delete()
        if not deleted:
            return False
        logger.info("A provider goes on", extra={"provider": name, "by": by})
        waiting = CrawlJob.objects.waiting().filter(outcome=OUTCOME)
        waiting.filter(read_by(name, "source__")).update(scheduled_at=Now())
        nudge.nudge("crawl")
    return True


def resume_after_success(name: str) -> None:
    """It worked, so there is nothing left to pause for."""
    if is_paused(name):
        resume(name, by="success")


def try_again() -> int:
    """See whether what was complained of is mended, by what costs nothing; return how many providers go on."""
    return sum(_try(pause) for pause in ProviderPause.objects.all())


def _try(pause: ProviderPause) -> bool:
    name, now = pause.provider, timezone.now()
    if name not in registry.PROVIDERS:  # a service of a later stage, which says itself until when; or one there is no more
        return (pause.until is None or pause.until <= now) and resume(name, by="time")
    if missing_settings(name):
        return False
    if not has_trial(name):
        return (pause.until is None or pause.until <= now) and resume(name, by="time")
    reader = reader_by(name, _platform_of(name))
    try:
        registry.get_provider(name).check(reader.access)  # type: ignore[attr-defined]  # has_trial
    except ServiceRefused as error:
        ProviderPause.objects.filter(pk=pause.pk).update(code=error.code, reason=error.message[:2000])
        return False
    except JobError as error:
        logger.info("A paused provider cannot be tried", extra={"provider": name, "code": error.code})
        return False
    return resume(name, by="trial")


@dataclass(frozen=True, slots=True)
class ServiceState:
    """How one provider stands, for staff."""

    name: str
    label: str
    missing: list[str]
    """Settings without which it cannot be asked."""
    is_used: bool
    """Settings name it for some kind of source."""
    pause: ProviderPause | None


def states() -> list[ServiceState]:
    """Every provider, in the registry's order; one query."""
    now = paused()
    kinds = ["", *SourceKind.values]
    used = {name for platform in registry.PLATFORMS for kind in kinds for name in provider_names(platform, kind)}
    return [
        ServiceState(name, entry.label, missing_settings(name), name in used, now.get(name))
        for name, entry in registry.PROVIDERS.items()
    ]


def in_words(state: ServiceState) -> str:
    """That a paused provider is, why, which setting is to be looked at, and that it goes on by itself."""
    if state.pause is None:
        return ""
    words = _("%(label)s is paused: %(reason)s.") % {"label": state.label, "reason": state.pause.reason.rstrip(".")}
    entry = registry.PROVIDERS[state.name]
    if not state.missing and (setting := entry.key_setting or entry.base_url_setting):  # else the reason names what is missing
        empty = state.pause.code == OutOfCredits.code
        words += " " + (_("Top up the account of %s, or set another key.") if empty else _("Look at %s.")) % setting
    return words + " " + _("It is tried again by itself.")


def silent_platforms() -> set[str]:
    """Platforms of which nobody can be asked about a single post now: all who could are paused, or lack their settings."""
    away = set(paused())
    return {
        platform
        for platform in registry.PLATFORMS
        if all(name in away or missing_settings(name) for name in provider_names(platform))
    }


def has_trial(name: str) -> bool:
    """Whether the provider can be asked, for nothing, if it would work for us (`check(access)`)."""
    return name in registry.PROVIDERS and hasattr(registry.get_provider(name), "check")


def read_by(names: str | Iterable[str], prefix: str = "") -> Q:
    """The sources that these providers read, as settings are now."""
    wanted = {names} if isinstance(names, str) else set(names)
    found = Q(pk__in=[])
    for platform in registry.PLATFORMS:
        kinds = [kind for kind in SourceKind.values if provider_name(platform, kind) in wanted]
        if kinds:
            found |= Q(**{f"{prefix}platform": platform, f"{prefix}kind__in": kinds})
    return found


def _platform_of(name: str) -> str:
    kinds = ["", *SourceKind.values]
    return next((p for p in registry.PLATFORMS for kind in kinds if provider_name(p, kind) == name), registry.ANY_LINK)
