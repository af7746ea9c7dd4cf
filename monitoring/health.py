"""Whether each part of the house works, judged from what it did rather than from what it says.

Cheap checks run whenever somebody asks; the others are kept by the monitoring pass (`look`) once a minute.
"""

import logging
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import kombu.exceptions
import redis
from celery import current_app
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from crawler import pauses
from crawler.models import Outcome
from crawler.providers import registry
from downloads import failover, storage
from downloads.errors import StorageError
from downloads.models import StoredObject
from jobs import kinds
from monitoring import measures
from monitoring.measures import KindCounts
from monitoring.models import Canary, Level, Part, Pulse

logger = logging.getLogger(__name__)

ANSWER_WITHIN = timedelta(seconds=90)
"""A queue whose canary (sent every 30 s) is not answered for so long does no work."""
UPKEEP_WITHIN = timedelta(seconds=90)
LOOK_WITHIN = timedelta(minutes=3)
WAIT_AT_MOST = timedelta(minutes=15)
FEW_BYTES = 5 * 1024**3
TOO_FEW_BYTES = 1024**3
DISPATCH = "jobs"
"""The pass that runs most often: its pulse is beat's and the upkeep worker's."""
LEVELS = [Level.OK, Level.DEGRADED, Level.DOWN]
REASONS_NAMED = 4
WHAT_TO_DO = {
    Outcome.LOGIN_REQUIRED: _lazy("Give it new cookies under Browser sessions."),
    Outcome.BLOCKED: _lazy("Blocked ones are tried again by themselves; if it lasts, ask less often or change the proxy."),
    Outcome.CHANGED: _lazy("The platform answers in a new shape: update Groundswell."),
    Outcome.UNREACHABLE: _lazy("Look at the network and the proxy; they are tried again by themselves."),
    Outcome.RATE_LIMITED: _lazy("They are tried again by themselves; if it lasts, ask less often."),
    Outcome.FAILED: _lazy("Read why under Crawls."),
}
"""Of every outcome that is trouble."""


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    level: Level
    sentence: str
    facts: dict[str, Any] = field(default_factory=dict)
    """For staff: numbers, names of machines."""
    at: datetime | None = None
    """When the monitoring pass found it; None: it was looked at just now."""


def worst(levels: Iterable[str]) -> Level:
    return max((Level(level) for level in levels), key=LEVELS.index, default=Level.OK)


def report() -> list[Finding]:
    """All parts: database, Redis, queues and upkeep as they are now, the others as the last pass found them."""
    database = check_database()
    if database.level is Level.DOWN:
        return [database, check_redis()]
    return [database, check_redis(), check_upkeep(), *check_queues(), *kept()]


def kept() -> list[Finding]:
    """What the last monitoring pass found. Old news is no news: it counts as degraded."""
    now, findings = timezone.now(), []
    for part in Part.objects.all():
        if now - part.checked_at > LOOK_WITHIN:
            since = _("Last looked at %(minutes)d minutes ago: ") % {"minutes": (now - part.checked_at).total_seconds() // 60}
            level, sentence = worst([part.level, Level.DEGRADED]), since + part.sentence
        else:
            level, sentence = Level(part.level), part.sentence
        findings.append(Finding(part.name, level, sentence, part.facts, part.checked_at))
    return findings


def look() -> dict[str, Any]:
    """The monitoring pass: check what is not checked on asking, keep the findings, and say what changed."""
    counted = measures.count_jobs()
    sources = [check_sources(), check_services(), check_extractors()]
    findings = [check_storage(), check_disk(), *sources, check_jobs(counted), check_workers(), measure_library(counted)]
    before = {part.name: part for part in Part.objects.all()}
    now, changed = timezone.now(), []
    for finding in findings:
        old = before.get(finding.name)
        if old is None or old.level != finding.level:
            changed.append(f"{finding.name} {finding.level}")
        if old is not None and old.level != finding.level:
            log = logger.info if finding.level is Level.OK else logger.warning
            log("A part of the house changed: %s", finding.sentence, extra={"part": finding.name, "level": finding.level})
        Part.objects.update_or_create(
            name=finding.name,
            defaults={
                "level": finding.level,
                "sentence": Truncator(finding.sentence).chars(300),
                "facts": finding.facts,
                "checked_at": now,
                "since": old.since if old is not None and old.level == finding.level else now,
            },
        )
    Part.objects.filter(checked_at__lt=now - timedelta(days=1)).delete()  # parts that exist no more
    live = [check_redis(), check_upkeep(), *check_queues()]
    not_ok = [finding.name for finding in [*live, *findings] if finding.level is not Level.OK]
    return {"parts": len(live) + len(findings), "not_ok": not_ok, "changed": changed}


# -- on asking -------------------------------------------------------------------------------------


def check_database() -> Finding:
    started = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return Finding("database", Level.DOWN, _("The database does not answer."))
    took = round((time.monotonic() - started) * 1000, 1)
    return Finding("database", Level.OK, _("The database answers."), {"milliseconds": took})


def check_redis() -> Finding:
    started = time.monotonic()
    location = str(settings.CACHES["default"]["LOCATION"])
    client = redis.Redis.from_url(location, socket_timeout=1, socket_connect_timeout=1)
    try:
        client.ping()
    except (redis.RedisError, OSError):
        # Degraded, not down: pages work and jobs are found by passes, only later.
        return Finding("redis", Level.DEGRADED, _("Redis does not answer: work starts late and live pages stand still."))
    finally:
        client.close()
    return Finding("redis", Level.OK, _("Redis answers."), {"milliseconds": round((time.monotonic() - started) * 1000, 1)})


def check_upkeep() -> Finding:
    pulse = Pulse.objects.filter(name=DISPATCH).first()
    if pulse is None:
        return Finding("upkeep", Level.DEGRADED, _("No upkeep pass has run yet."))
    age = timezone.now() - pulse.ended_at
    facts = {"last_run_at": pulse.ended_at.isoformat(), "error": pulse.error}
    if age > UPKEEP_WITHIN:
        sentence = _("No upkeep pass for %(age)s: beat or the upkeep worker stands still.") % {"age": in_words(age)}
        return Finding("upkeep", Level.DOWN, sentence, facts)
    if pulse.error:
        return Finding("upkeep", Level.DEGRADED, _("The last upkeep pass failed."), facts)
    return Finding("upkeep", Level.OK, _("Upkeep runs."), facts)


def queues() -> list[str]:
    return sorted({kind.queue for kind in kinds.all_kinds()} | {"upkeep"})


def check_queues() -> list[Finding]:
    now = timezone.now()
    canaries = {canary.queue: canary for canary in Canary.objects.all()}
    leased: dict[str, int] = {}
    for kind in kinds.all_kinds():
        held = kind.get_model().objects.filter(state="running", lease_until__gt=now).count()
        leased[kind.queue] = leased.get(kind.queue, 0) + held
    return [judge_queue(queue, canaries.get(queue), leased.get(queue, 0), now) for queue in queues()]


def judge_queue(queue: str, canary: Canary | None, leased: int, now: datetime) -> Finding:
    """A long job may keep a canary waiting; its lease, which only a living worker renews, speaks for the queue then."""
    name = f"queue:{queue}"
    if canary is None or canary.sent_at is None:
        return Finding(name, Level.DEGRADED, _("Nothing has been sent through this queue yet."))
    facts = {
        "answered_at": canary.answered_at and canary.answered_at.isoformat(),
        "seconds": canary.seconds,
        "worker": canary.worker,
        "running": leased,
    }
    since = canary.unanswered_since
    if since is None or now - since <= ANSWER_WITHIN:
        if canary.answered_at is None:
            return Finding(name, Level.DEGRADED, _("Its workers have not answered yet."), facts)
        return Finding(name, Level.OK, _("Answered in %.2f s.") % (canary.seconds or 0.0), facts)
    if leased:
        sentence = ngettext("Its workers are busy with %d job.", "Its workers are busy with %d jobs.", leased) % leased
        return Finding(name, Level.OK, sentence, facts)
    return Finding(name, Level.DOWN, _("No worker has answered for %(age)s.") % {"age": in_words(now - since)}, facts)


# -- by the pass -----------------------------------------------------------------------------------


def check_storage() -> Finding:
    """The newest object is where its row says; in an empty storage, an object that cannot exist is denied."""
    newest = StoredObject.objects.order_by("-pk").first()
    started = time.monotonic()
    try:
        size = storage.media().size_of(newest.key if newest else storage.key_of("0" * 64))
    except StorageError as error:
        return Finding("storage", Level.DOWN, _("The media storage does not answer."), {"error": error.message})
    facts = {"milliseconds": round((time.monotonic() - started) * 1000, 1)}
    if newest and size != newest.size:
        return Finding("storage", Level.DOWN, _("An object that has a row is missing from the media storage."), facts)
    return Finding("storage", Level.OK, _("The media storage answers."), facts)


def check_disk() -> Finding:
    free = {"data": shutil.disk_usage(settings.DATA_DIR).free}
    try:
        room = storage.media().free_bytes()
    except StorageError:
        room = None  # the storage's own finding says so
    if room is not None:
        free["media"] = room
    least = min(free.values())
    facts = {f"{name}_free_bytes": count for name, count in free.items()}
    if least < TOO_FEW_BYTES:
        return Finding("disk", Level.DOWN, _("The disk is full."), facts)
    if least < FEW_BYTES:
        return Finding("disk", Level.DEGRADED, _("The disk is nearly full."), facts)
    return Finding("disk", Level.OK, _("There is room on the disk."), facts)


def check_sources() -> Finding:
    """Which platforms' sources fail, why, and what to do about the most frequent reasons."""
    counts, troubles = measures.count_sources(), measures.count_troubles()
    trouble, overdue = counts["in_trouble"], counts["overdue"]
    if trouble:
        sentence = ngettext("%d source is in trouble:", "%d sources are in trouble:", trouble) % trouble
        return Finding("sources", Level.DEGRADED, f"{sentence} {_reasons(troubles)}", counts)
    if overdue:
        sentence = ngettext("%d source is overdue.", "%d sources are overdue.", overdue) % overdue
        return Finding("sources", Level.DEGRADED, sentence, counts)
    return Finding("sources", Level.OK, _("Every active source was read well."), counts)


def _reasons(troubles: list[tuple[str, str, int]]) -> str:
    """“Douyin: 7 login required, 4 blocked. Give it new cookies …”: the most frequent of each, for there is little room."""
    by_platform: dict[str, list[str]] = {}
    for platform, outcome, count in troubles[:REASONS_NAMED]:
        by_platform.setdefault(platform, []).append(f"{count} {Outcome(outcome).label}")
    labels = dict(registry.choices())
    named = "; ".join(f"{labels.get(platform, platform)}: {', '.join(reasons)}" for platform, reasons in by_platform.items())
    if more := sum(count for _platform, _outcome, count in troubles[REASONS_NAMED:]):
        named += _("; %d for other reasons") % more
    advice = dict.fromkeys(str(WHAT_TO_DO[Outcome(outcome)]) for _platform, outcome, _count in troubles)
    return " ".join([f"{named}.", *list(advice)[:2]])


def check_services() -> Finding:
    """The services that collect for us: which of them are paused."""
    away = [state for state in pauses.states() if state.pause is not None]
    facts = {state.name: {"code": state.pause.code, "reason": state.pause.reason} for state in away if state.pause}
    if not away:
        return Finding("services", Level.OK, _("No service is paused."))
    return Finding("services", Level.DEGRADED, " ".join(pauses.in_words(state) for state in away), facts)


def check_extractors() -> Finding:
    """Which ways to the bytes rest, by platform. Trouble is where none is left but the addresses that crawls found."""
    now, level, sentences = timezone.now(), Level.OK, []
    facts: dict[str, Any] = {}
    labels = dict(registry.choices())
    for platform, ways in failover.ways().items():
        resting = [way for way in ways if way.cooling_until and way.cooling_until > now]
        if not resting:
            continue
        latest = max(resting, key=lambda way: way.cooling_until or now)
        until = min(way.cooling_until for way in resting if way.cooling_until)
        facts[platform] = {way.name: way.last_error[:200] for way in resting}
        said = {
            "platform": labels.get(platform, platform),
            "until": f"{until:%H:%M}",
            "code": latest.last_error.partition(":")[0],
        }
        if len(resting) == len(ways):
            sentence = _("Every way to download from %(platform)s rests until %(until)s UTC: last said %(code)s.") % said
        else:
            said |= {"resting": ", ".join(way.name for way in resting)}
            sentence = _("Of the ways to download from %(platform)s, %(resting)s rests: last said %(code)s.") % said
        sentences.append(sentence)
        if {way.name for way in ways} - {way.name for way in resting} <= {failover.BY_CRAWL}:
            level = Level.DEGRADED
    return Finding("extractors", level, " ".join(sentences) or _("No way to download rests."), facts)


def check_jobs(counted: list[KindCounts]) -> Finding:
    facts = {counts.kind: counts.as_dict() for counts in counted}
    late = [one for one in counted if not one.is_paused and one.oldest_seconds > WAIT_AT_MOST.total_seconds()]
    if late:
        longest = max(late, key=lambda one: one.oldest_seconds)
        age = in_words(timedelta(seconds=longest.oldest_seconds))
        label = kinds.get(longest.kind).label
        return Finding("jobs", Level.DEGRADED, _("%(kind)s wait for %(age)s already.") % {"kind": label, "age": age}, facts)
    failed = sum(one.failed_today for one in counted)
    sentence = ngettext("%d job failed in 24 hours.", "%d jobs failed in 24 hours.", failed) % failed
    return Finding("jobs", Level.OK, sentence if failed else _("No job failed in 24 hours."), facts)


def check_workers() -> Finding:
    """Which workers answer a call to all. Says who is there; whether they work, the canaries say."""
    try:
        answers = current_app.control.ping(timeout=1.0) or []
    except (kombu.exceptions.OperationalError, redis.RedisError, OSError):
        return Finding("workers", Level.DEGRADED, _("The workers cannot be asked without Redis."))
    names = sorted(name for answer in answers for name in answer)
    if not names:
        return Finding("workers", Level.DEGRADED, _("No worker answers a call to all."), {"names": []})
    sentence = ngettext("%d worker answers.", "%d workers answer.", len(names)) % len(names)
    return Finding("workers", Level.OK, sentence, {"names": names})


def measure_library(counted: list[KindCounts]) -> Finding:
    library = measures.count_library()
    sentence = ngettext("%d video is known.", "%d videos are known.", library["videos"]) % library["videos"]
    return Finding("library", Level.OK, sentence, {**library, "ended": measures.count_ended(counted)})


def in_words(age: timedelta) -> str:
    """A duration in words: “95 s”, “12 min”, “3 h”."""
    seconds = int(age.total_seconds())
    if seconds < 120:
        return _("%d s") % seconds
    if seconds < 7200:
        return _("%d min") % (seconds // 60)
    return _("%d h") % (seconds // 3600)
