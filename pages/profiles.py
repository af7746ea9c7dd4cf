"""What is shown of a profile, on the author's public page and on the page of the source that watches it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog.cards import cards
from catalog.profiles import Performance, Profile, profile
from crawler.models import Author, Source, SourceKind, Video
from pages import charts
from pages.rising import Choice
from pages.templatetags.groundswell import human
from pages.templatetags.ranking import times

BEST = 6
MOST_ROWS = 25
SORTS: dict[str, Any] = {
    "newest": gettext_lazy("Newest"),
    "count": gettext_lazy("Most seen"),
    "times": gettext_lazy("Against the median"),
    "engagement": gettext_lazy("Engagement"),
}
SORT = "sort"
"""The URL's parameter."""


def profile_context(request: HttpRequest, author_id: int) -> dict[str, Any]:
    """Empty where there is no such author. What an unknown `sort` in the URL says is as good as nothing."""
    found = profile(author_id)
    if found is None:
        return {}
    sort = request.GET.get(SORT, "")
    sort = sort if sort in SORTS else "newest"
    followers = charts.growth([(point.at, point.value) for point in found.followers])
    return {
        "profile": found,
        "metric": _("views") if found.metric == "views" else _("likes"),
        "followers_chart": {"metric": _("Followers"), "svg": followers} if followers else None,
        "scatter": _scatter(found),
        "weeks": charts.bars(found.rhythm.weeks) if found.rhythm else [],
        "outliers": [*((video, "above") for video in found.above), *((video, "below") for video in found.below)],
        "best": cards([video.id for video in sorted(found.videos, key=_count_of(found), reverse=True)[:BEST]]),
        "compared_rows": _sorted(found, sort)[:MOST_ROWS],
        "sorts": [Choice(str(words), f"?{SORT}={name}#compared", name == sort) for name, words in SORTS.items()],
        "posts": gap_in_words(found.rhythm.gap.total_seconds() / 3600) if found.rhythm else "",
    }


def author_of(source: Source) -> int | None:
    """Whose profile a source watches, once it was read. None: it is no profile, or not read yet."""
    if source.kind != SourceKind.PROFILE:
        return None
    if source.author_id is not None:
        return source.author_id
    own = Author.objects.filter(platform=source.platform, handle=source.value).order_by("-last_seen_at")
    found = own.values_list("pk", flat=True).first()
    if found is None:
        shown = Video.objects.filter(sightings__source=source, author__isnull=False).order_by("-pk")
        found = shown.values_list("author", flat=True).first()
    return found


def _count_of(found: Profile) -> Callable[[Performance], int]:
    return lambda video: getattr(video, found.metric) or 0


def _sorted(found: Profile, sort: str) -> list[Performance]:
    keys: dict[str, Callable[[Performance], float]] = {
        "newest": lambda video: video.published_at.timestamp(),
        "count": _count_of(found),
        "times": lambda video: video.verdict.times if video.verdict else -1.0,
        "engagement": lambda video: video.engagement or -1.0,
    }
    return sorted(found.videos, key=keys[sort], reverse=True)


def _scatter(found: Profile) -> charts.Scatter | None:
    """Each video at the moment it was published; those that stand out are told apart."""
    things = []
    for video in reversed(found.videos):
        count = getattr(video, found.metric)
        if count is not None:
            words = f"{video.title[:60] or video.id} · {human(count)}"
            kind = ""
            if video.verdict and (video.verdict.is_above or video.verdict.is_below):
                words += " · " + _("%(times)s the median") % {"times": times(video.verdict.times)}
                kind = "above" if video.verdict.is_above else "below"
            things.append((video.published_at, count, words, kind))
    return charts.scatter(things, usual=found.median)


def gap_in_words(hours: float) -> str:
    """How often is posted."""
    if hours < 36:
        per_day = max(round(24 / max(hours, 0.1)), 1)
        return ngettext("about %(n)d a day", "about %(n)d a day", per_day) % {"n": per_day}
    days = round(hours / 24)
    return ngettext("about every %(n)d day", "about every %(n)d days", days) % {"n": days}
