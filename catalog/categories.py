"""Categories with their counts: how many videos each holds, and what share of the latest ones surged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from analysis.models import Category
from catalog.cards import Card, cards

FRESH = timedelta(days=14)
"""A surge is of a young video; the share is of those published lately."""
EXAMPLES = 3
MOST = 300
MOST_MERGERS = 20

# One pass over the videos that have a category (an index knows them), whatever the number of categories.
_COUNTS = f"""
    WITH counted AS (
        SELECT v.category AS slug, count(*) AS videos,
               count(*) FILTER (WHERE coalesce(v.published_at, v.first_seen_at) > %(since)s) AS fresh,
               count(surge.video_id) FILTER (WHERE coalesce(v.published_at, v.first_seen_at) > %(since)s) AS surged,
               (array_agg(v.id ORDER BY s.virality DESC NULLS LAST, v.id DESC))[:{EXAMPLES}] AS examples
        FROM crawler_video v
        LEFT JOIN ranking_score s ON s.video_id = v.id
        LEFT JOIN (SELECT DISTINCT video_id FROM ranking_surge WHERE alerted_at IS NOT NULL) surge ON surge.video_id = v.id
        WHERE v.category <> '' AND (%(slug)s::text IS NULL OR v.category = %(slug)s)
        GROUP BY v.category
    )
    SELECT slug, coalesce(c.name, slug), coalesce(c.is_from_model, false), coalesce(videos, 0), coalesce(fresh, 0),
           coalesce(surged, 0), coalesce(examples, '{{}}')
    FROM counted
    FULL JOIN (
        SELECT slug, name, is_from_model FROM analysis_category
        WHERE merged_into_id IS NULL AND (%(slug)s::text IS NULL OR slug = %(slug)s)
    ) c USING (slug)
    ORDER BY coalesce(videos, 0) DESC, 2 LIMIT {MOST}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryCounts:
    slug: str
    name: str
    is_from_model: bool
    videos: int
    fresh: int
    """Of them, published within FRESH."""
    surged: int
    """Of the fresh ones, those that were alerted as surging."""
    examples: list[Card]
    """The ones with the best chances."""

    @property
    def share(self) -> float | None:
        """Of the fresh ones; None where there are none."""
        return self.surged / self.fresh if self.fresh else None


def categories(*, examples: bool = True) -> list[CategoryCounts]:
    """All current ones, the fullest first. Two statements, one without examples."""
    return _read(None, examples=examples)


def category(slug: str) -> CategoryCounts | None:
    """One of them, with its counts and without examples. None: neither a category nor a video has this slug."""
    found = _read(slug, examples=False)
    return found[0] if found else None


def leads_to(slug: str) -> str:
    """The slug of the category that this one was merged into, in the end; itself where it was not."""
    for _ in range(MOST_MERGERS):
        further = (
            Category.objects.filter(slug=slug, merged_into__isnull=False).values_list("merged_into__slug", flat=True).first()
        )
        if further is None:
            break
        slug = further
    return slug


def _read(slug: str | None, *, examples: bool) -> list[CategoryCounts]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"since": timezone.now() - FRESH, "slug": slug})
        rows = cursor.fetchall()
    wanted = [video_id for row in rows for video_id in row[-1]] if examples else []
    shown = {card.id: card for card in cards(wanted, sparklines=False)} if wanted else {}
    return [
        CategoryCounts(
            slug=slug,
            name=name,
            is_from_model=is_from_model,
            videos=videos,
            fresh=fresh,
            surged=surged,
            examples=[shown[video_id] for video_id in ids if video_id in shown],
        )
        for slug, name, is_from_model, videos, fresh, surged, ids in rows
    ]
