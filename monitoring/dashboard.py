"""What staff see first: what is wrong, what waits, what failed and why. A dozen queries, whatever there is."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.models import LogEntry
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crawler import pauses
from crawler.models import Outcome
from crawler.providers import registry
from jobs import kinds
from monitoring import health, measures, passes
from monitoring.models import Level, Part, Pulse

OUTCOME_ORDER = [
    *measures.TROUBLE,
    *(Outcome.SERVICE_REFUSED, Outcome.GONE, Outcome.PRIVATE, Outcome.RENAMED),
    *(Outcome.EMPTY, Outcome.OK),
]


def callback(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK: adds to what the index page shows."""
    rows = _kinds()
    services = [state for state in pauses.states() if state.is_used or state.pause]
    findings, paused = health.report(), [*_paused(rows), *_paused_services(services)]
    findings = [finding for finding in findings if finding.name != "services"]  # said as it is now, not as a minute ago
    parts = {finding.name: finding for finding in findings}
    worst = health.worst(finding.level for finding in findings)
    headline = str(HEADLINES[worst])
    if worst is Level.OK and paused:  # the pauses are all there is to say
        worst, headline = Level.DEGRADED, " ".join(str(finding.sentence) for finding in paused)
    elif paused:
        findings = [*findings, *paused]
    context["dashboard"] = {
        "level": worst,
        "headline": headline,
        "wrong": sorted(
            (
                Wrong(finding.level, finding.name, finding.sentence, _ways(finding))
                for finding in findings
                if finding.level is not Level.OK
            ),
            key=lambda wrong: -health.LEVELS.index(wrong.level),
        ),
        "counted_at": timezone.now(),
        "checked_at": max((finding.at for finding in findings if finding.at), default=None),
        "kinds": rows,
        "failures": _failures(),
        "sources": _sources(),
        "services": services,
        "queues": [finding for name, finding in parts.items() if name.startswith("queue:")],
        "workers": parts["workers"].facts.get("names", []) if "workers" in parts else [],
        "assets": changelist("downloads.asset"),
        "library": parts["library"].facts if "library" in parts else {},
        "library_at": parts["library"].at if "library" in parts else None,
        "disk": parts["disk"].facts if "disk" in parts else {},
        "passes": [_pulse(pulse) for pulse in Pulse.objects.all()],
        "acts": LogEntry.objects.select_related("user", "content_type")[:8],
        "may_resume": request.user.has_perm("crawler.delete_providerpause"),
        "may_pause": request.user.has_perms(["jobs.add_pausedkind", "jobs.delete_pausedkind"]),
    }
    return context


@dataclass(frozen=True, slots=True)
class Wrong:
    """A finding of the banner, and where in the admin something can be done about it."""

    level: Level
    name: str
    sentence: str
    links: list[tuple[str, str]]
    """Text and address."""


def _ways(finding: health.Finding) -> list[tuple[str, str]]:
    """The lists to go to, filtered to what the finding speaks of."""
    if finding.name == "extractors":
        return [(str(_("Extractors")), changelist("downloads.extractor"))]
    if finding.name != "sources":
        return []
    links, platforms, troubles = [], dict(registry.choices()), measures.count_troubles()
    for platform, outcome, count in troubles[: health.REASONS_NAMED]:
        query = urlencode({"platform__exact": platform, "outcome__exact": outcome, "is_active__exact": 1})
        text = f"{platforms.get(platform, platform)}: {count} {Outcome(outcome).label}"
        links.append((text, changelist("crawler.source", f"?{query}")))
    if any(outcome == Outcome.LOGIN_REQUIRED for _platform, outcome, _count in troubles):
        links.append((str(_("Browser sessions")), changelist("crawler.browsersession")))
    return links


HEADLINES = {
    Level.OK: _("All is well."),
    Level.DEGRADED: _("Working, but something needs a look."),
    Level.DOWN: _("Something stands still."),
}


def _paused(rows: list[dict[str, Any]]) -> list[health.Finding]:
    """What stands still because it was told to: no fault, and yet not all is well."""
    return [
        health.Finding(row["counts"].kind, Level.DEGRADED, _("%(kind)s are paused.") % {"kind": row["label"]})
        for row in rows
        if row["counts"].is_paused
    ]


def _paused_services(services: list[pauses.ServiceState]) -> list[health.Finding]:
    return [health.Finding(state.label, Level.DEGRADED, pauses.in_words(state)) for state in services if state.pause is not None]


def changelist(label: str, query: str = "") -> str:
    """The address of a model's list in the admin, or nothing where it has none."""
    try:
        return reverse(f"admin:{label.lower().replace('.', '_')}_changelist") + query
    except NoReverseMatch:
        return ""


def _kinds() -> list[dict[str, Any]]:
    rows = []
    for counts in measures.count_jobs():
        kind = kinds.get(counts.kind)
        rows.append(
            {
                "counts": counts,
                "label": kind.label,
                "age": health.in_words(timedelta(seconds=counts.oldest_seconds)) if counts.waiting else "",
                "is_late": counts.oldest_seconds > health.WAIT_AT_MOST.total_seconds(),
                "list": changelist(kind.model),
            }
        )
    return rows


def _pulse(pulse: Pulse) -> dict[str, Any]:
    facts = {"name": pulse.name, "error": pulse.error, "seconds": pulse.seconds, "ended_at": pulse.ended_at}
    return facts | {"did": passes.in_words(pulse.counts)}


def _failures() -> list[dict[str, Any]]:
    rows = []
    for failure in measures.recent_failures():
        kind = kinds.get(failure.kind)
        query = f"?state__exact=failed&error_code={failure.error_code}"
        rows.append({"failure": failure, "label": kind.label, "list": changelist(kind.model, query)})
    return rows


def _sources() -> dict[str, Any]:
    counts = measures.count_sources()
    outcomes = [
        {
            "label": outcome.label,
            "count": counts[outcome.value],
            "is_good": outcome == Outcome.OK,
            "is_trouble": outcome in measures.TROUBLE,
            "is_blocked": outcome in (Outcome.BLOCKED, Outcome.LOGIN_REQUIRED),
            "list": changelist("crawler.source", f"?outcome__exact={outcome.value}"),
        }
        for outcome in OUTCOME_ORDER
        if counts.get(outcome.value)
    ]
    return {"counts": counts, "outcomes": outcomes, "never": counts.get("never", 0), "list": changelist("crawler.source")}


def trouble(request: HttpRequest) -> dict[str, int]:
    """Numbers for the sidebar, from the last monitoring pass: one query per page, and none on the dashboard's account."""
    counts: dict[str, int] = {}
    for part in Part.objects.filter(name__in=["sources", "jobs"]):
        if part.name == "sources":
            counts["crawler.source"] = part.facts.get("in_trouble", 0)
            continue
        for name, facts in part.facts.items():
            try:
                counts[kinds.get(name).model.lower()] = facts["failed_today"]
            except KeyError:
                continue  # a kind that this code does not know any more
    return counts
