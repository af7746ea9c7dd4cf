"""The feed: videos narrowed, searched and ordered, page after page by keyset, at the same price at any depth.

A search has no single good plan. Where a term is common, walking down the order finds a page within a few hundred rows;
where it is rare, the grams do. So the walk goes first, with a cap, and the grams only finish what it could not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catalog import cursors
from catalog.cards import DOWNLOAD_STATUS, IS_READY, Card, card, cards, read, with_sparklines
from catalog.cursors import Cursor, InvalidCursor
from catalog.filters import Filters

__all__ = ["MAX_LIMIT", "Card", "FeedPage", "InvalidCursor", "card", "cards", "feed"]

MAX_LIMIT = 100
WALK = 4_000
"""Rows that a search looks at in order before it turns to the grams."""


@dataclass(frozen=True, slots=True)
class FeedPage:
    cards: list[Card]
    next_cursor: str | None
    """None: this is the last page."""


@dataclass(frozen=True, slots=True)
class _Order:
    """Where an ordering walks, and by which expressions: those of an index, `v` being the video and `s` its score."""

    table: str
    key: str
    id: str

    @property
    def needs_score(self) -> bool:
        return self.table.startswith("ranking_score")


# Another head of the ranking (virality, breakout) is another line here, another name in filters.ORDERINGS, and
# another kind of key in cursors.KEYS. Only videos with a score can be ordered by it; the others still have a time.
_ORDERS = {
    "-score": _Order("ranking_score s", "s.classic", "s.video_id"),
    "-published_at": _Order("crawler_video v", "coalesce(v.published_at, v.first_seen_at)", "v.id"),
    "-views": _Order("crawler_video v", "coalesce(v.views, -1)", "v.id"),
}


def feed(filters: Filters, *, cursor: str = "", limit: int = 24, sparklines: bool = True) -> FeedPage:
    """One page by one statement, a second one where a search must finish by its grams, and one for the sparklines.

    Counts nothing. `limit` is held between 1 and MAX_LIMIT. Raises InvalidCursor.
    """
    limit = max(1, min(limit, MAX_LIMIT))
    order = _ORDERS[filters.ordering]
    after = cursors.read(cursor, filters.ordering) if cursor else None
    where, params = _conditions(filters)
    params["limit"] = limit + 1
    keyset = "true"
    if after is not None:
        keyset = f"({order.key}, {order.id}) < (%(after_key)s, %(after_id)s)"
        params |= {"after_key": after.key, "after_id": after.id}
    search = _search if filters.q else _read_page
    found = search(filters, order, [keyset, *where], params)
    shown = [card for _, card in found[:limit]]
    next_cursor = str(Cursor(filters.ordering, found[limit - 1][0], shown[-1].id)) if len(found) > limit else None
    return FeedPage(with_sparklines(shown) if sparklines else shown, next_cursor)


def _read_page(
    filters: Filters, order: _Order, where: list[str], params: dict[str, Any], *, hits: str = ""
) -> list[tuple[Any, Card]]:
    has_score = order.needs_score or filters.surging or filters.min_score is not None
    page = f"""
        {hits} SELECT v.id, {order.key} AS key
        FROM crawler_video v {"" if has_score else "LEFT"} JOIN ranking_score s ON s.video_id = v.id
        {"JOIN hits ON hits.video_id = v.id" if hits else ""}
        WHERE {" AND ".join(where)}
        ORDER BY {order.key} DESC, {order.id} DESC LIMIT %(limit)s
    """
    return read(page, params)


def _search(filters: Filters, order: _Order, where: list[str], params: dict[str, Any]) -> list[tuple[Any, Card]]:
    terms = {f"term{n}": term for n, term in enumerate(filters.terms)}
    has_terms = " AND ".join(f"strpos(t.text, catalog_fold(%({name})s)) > 0" for name in terms)
    grams = " || ".join(f"catalog_term_grams(catalog_fold(%({name})s))" for name in terms)
    params |= terms | {"walk": WALK}
    keyset = where[0] + (" AND s.is_surging" if filters.surging and order.needs_score else "")
    walked = read(
        f"""
        SELECT v.id, walk.key
        FROM (
            SELECT {order.id} AS id, {order.key} AS key FROM {order.table} WHERE {keyset}
            ORDER BY {order.key} DESC, {order.id} DESC LIMIT %(walk)s
        ) AS walk
        JOIN catalog_searchtext t ON t.video_id = walk.id
        JOIN crawler_video v ON v.id = walk.id
        LEFT JOIN ranking_score s ON s.video_id = walk.id
        WHERE {" AND ".join([has_terms, *where])}
        ORDER BY walk.key DESC, walk.id DESC LIMIT %(limit)s
        """,
        params,
    )
    if len(walked) == params["limit"]:
        return walked
    hits = f"""WITH hits AS MATERIALIZED (
        SELECT t.video_id FROM catalog_searchtext t WHERE catalog_grams(t.text) @> ({grams}) AND {has_terms}
    )"""
    return _read_page(filters, order, where, params, hits=hits)


_CONDITIONS = {
    "platform": "v.platform = %(platform)s",
    "kind": "v.kind = %(kind)s",
    "source": "EXISTS (SELECT FROM crawler_sourcevideo w WHERE w.source_id = %(source)s AND w.video_id = v.id)",
    "author": "v.author_id = %(author)s",
    "sound": "v.sound_id = %(sound)s",
    "category": "v.category = %(category)s",
    "min_views": "v.views >= %(min_views)s",
    "min_score": "s.classic >= %(min_score)s",
    "published_after": "v.published_at >= %(published_after)s",
    "published_before": "v.published_at < %(published_before)s",
}


def _conditions(filters: Filters) -> tuple[list[str], dict[str, Any]]:
    """What a video must meet, and the parameters named in it."""
    where = [_CONDITIONS[name] for name in _CONDITIONS if getattr(filters, name) is not None]
    if filters.surging is not None:
        where.append("s.is_surging" if filters.surging else "s.is_surging IS NOT TRUE")
    if filters.hashtag is not None:
        where.append("v.hashtags && %(hashtags)s::varchar[]")
    if filters.download_status == "ready":
        where.append(IS_READY)
    elif filters.download_status is not None:
        where.append(f"{DOWNLOAD_STATUS} = %(download_status)s")
    params = {name: getattr(filters, name) for name in (*_CONDITIONS, "download_status")}
    return where, params | {"hashtags": list({filters.hashtag, (filters.hashtag or "").lower()})}
