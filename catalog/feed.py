"""The feed: videos narrowed, searched and ordered, page after page by keyset, at the same price at any depth."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from catalog import cursors
from catalog.cards import DOWNLOAD_STATUS, IS_READY, Card, card, cards, with_sparklines
from catalog.cards import read as read_cards
from catalog.cursors import Cursor, InvalidCursor
from catalog.filters import Filters
from catalog.ordering import ordering_of
from catalog.search_plans import FIRST_WALK, FirstWalk, Way, choose

__all__ = ["MAX_LIMIT", "Card", "FeedPage", "InvalidCursor", "Read", "card", "cards", "feed", "find"]

MAX_LIMIT = 100
Read = Callable[[str, dict[str, Any]], list[tuple[Any, Any]]]
"""From the statement that chooses a page, and its parameters, to sort keys and what is shown: cards.read, documents.reader."""


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


# Only videos with a score row can be ordered by it; the others still have a time. All rows carry the active model's scores
# (ranking.pulse.rescore changes them in the transaction that activates it); what no model has spoken of yet comes last.
_ORDERS = {
    "-virality": _Order("ranking_score s", "coalesce(s.virality, -1)", "s.video_id"),
    "-breakout": _Order("ranking_score s", "coalesce(s.breakout, -1)", "s.video_id"),
    "-score": _Order("ranking_score s", "s.classic", "s.video_id"),
    "-published_at": _Order("crawler_video v", "coalesce(v.published_at, v.first_seen_at)", "v.id"),
    "-views": _Order("crawler_video v", "coalesce(v.views, -1)", "v.id"),
}


def feed(filters: Filters, *, cursor: str = "", limit: int = 24, sparklines: bool = True) -> FeedPage:
    """One page by one statement, a second one where a search must finish by its grams, and one for the sparklines.

    Counts nothing. `limit` is held between 1 and MAX_LIMIT. Raises InvalidCursor.
    """
    shown, next_cursor = find(filters, cursor=cursor, limit=limit, read=read_cards)
    return FeedPage(with_sparklines(shown) if sparklines else shown, next_cursor)


def find(filters: Filters, *, cursor: str, limit: int, read: Read) -> tuple[list[Any], str | None]:
    """A page of whatever `read` makes of its rows, and where the next one begins. Raises InvalidCursor."""
    limit = max(1, min(limit, MAX_LIMIT))
    ordering = ordering_of(filters)
    found = _find(filters, ordering, cursors.read(cursor, ordering) if cursor else None, limit + 1, read)
    shown = [card for _, card in found[:limit]]
    return shown, str(Cursor(ordering, found[limit - 1][0], shown[-1].id)) if len(found) > limit else None


def matching(filters: Filters, *, most: int) -> list[int]:
    """The ids of what matches, in order, up to `most`: by one statement as well, two or three for a search."""
    return [video_id for _, video_id in _find(filters, ordering_of(filters), None, most, _read_ids)]


def _read_ids(page: str, params: dict[str, Any]) -> list[tuple[Any, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f"WITH page AS ({page}) SELECT NULL, id FROM page ORDER BY key DESC, id DESC", params)
        return [(key, video_id) for key, video_id in cursor.fetchall()]


def _find(filters: Filters, ordering: str, after: Cursor | None, limit: int, read: Read) -> list[tuple[Any, Any]]:
    order = _ORDERS[ordering]
    where, params = _conditions(filters)
    params["limit"] = limit
    keyset = "true"
    if after is not None:
        keyset = f"({order.key}, {order.id}) < (%(after_key)s, %(after_id)s)"
        params |= {"after_key": after.key, "after_id": after.id}
    search = _search if filters.q else _read_page
    return search(filters, order, [keyset, *where], params, read)


def newest_id() -> int:
    """Of the video that was recorded last; 0 when there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM crawler_video")
        (newest,) = cursor.fetchone()
    return int(newest)


def count_new(filters: Filters, *, after: int, most: int = 100) -> int:
    """How many matching videos were recorded after the one with this id; counts no further than `most`."""
    order = _ORDERS[ordering_of(filters)]
    where, params = _conditions(filters)
    where.append("v.id > %(after)s")
    text = ""
    if filters.q:
        terms, has_terms = _terms(filters)
        params |= terms
        text = f"JOIN catalog_searchtext t ON t.video_id = v.id AND {has_terms}"
    score = "JOIN ranking_score s ON s.video_id = v.id"
    sql = f"""SELECT count(*) FROM (
        SELECT FROM crawler_video v {score if order.needs_score else f"LEFT {score}"} {text}
        WHERE {" AND ".join(where)} LIMIT %(most)s
    ) AS new"""
    with connection.cursor() as cursor:
        cursor.execute(sql, params | {"after": after, "most": most})
        (count,) = cursor.fetchone()
    return int(count)


def _read_page(filters: Filters, order: _Order, where: list[str], params: dict[str, Any], read: Read) -> list[tuple[Any, Any]]:
    page = f"""
        SELECT {order.id} AS id, {order.key} AS key FROM {order.table} {_joins(order.table, order.id, where)}
        WHERE {" AND ".join(where)} ORDER BY {order.key} DESC, {order.id} DESC LIMIT %(limit)s
    """
    return read(page, params)


def _joins(table: str, video_id: str, where: list[str]) -> str:
    """What the conditions need besides `table`: a row more to fetch for each video looked at, so only where needed."""
    joins = {"crawler_video v": f"JOIN crawler_video v ON v.id = {video_id}"}
    joins["ranking_score s"] = f"LEFT JOIN ranking_score s ON s.video_id = {video_id}"
    text = " ".join(where)
    return " ".join(join for name, join in joins.items() if name != table and re.search(rf"\b{name[-1]}\.", text))


def _search(filters: Filters, order: _Order, where: list[str], params: dict[str, Any], read: Read) -> list[tuple[Any, Any]]:
    terms, has_terms = _terms(filters)
    grams = " || ".join(f"catalog_term_grams(catalog_fold(%({name})s))" for name in terms)
    params |= terms
    keyset, others = where[0], where[1:]
    in_order = f"ORDER BY {order.key} DESC, {order.id} DESC"
    if filters.surging and order.needs_score:
        keyset += " AND s.is_surging"
    walk = f"(SELECT {order.id} AS id, {order.key} AS key FROM {order.table} WHERE {keyset} {in_order} LIMIT %(walk)s) AS walk"
    texts = "JOIN catalog_searchtext t ON t.video_id = walk.id"
    # MATERIALIZED: else the planner may look at texts in order after all, and for a rare term that is the whole table.
    hits = f"""WITH hits AS MATERIALIZED (
        SELECT t.video_id FROM catalog_searchtext t WHERE catalog_grams(t.text) @> ({grams}) AND {has_terms}
    )"""

    def walked(rows: int, what: str, matches: str, *, before: str = "") -> list[tuple[Any, Any]]:
        conditions = " AND ".join([matches, *others])
        page = f"""{before} SELECT walk.id, walk.key FROM {walk} {what} {_joins("", "walk.id", others)} WHERE {conditions}
                   ORDER BY walk.key DESC, walk.id DESC LIMIT %(limit)s"""
        return read(page, params | {"walk": rows})

    found = walked(FIRST_WALK, texts, has_terms)
    if len(found) == params["limit"]:
        return found
    with connection.cursor() as cursor:
        count = f"(SELECT count(*) FROM {walk} {texts} WHERE {has_terms})" if others else "%(found)s"
        sql = f"SELECT {count}, (SELECT reltuples FROM pg_class WHERE oid = 'catalog_searchtext'::regclass)"
        cursor.execute(sql, params | {"walk": FIRST_WALK, "found": len(found)})
        has, videos = cursor.fetchone()
    seen = FirstWalk(has_terms=has, found=len(found))
    way, rows = choose(seen, limit=params["limit"], videos=max(int(videos), FIRST_WALK), narrowed=bool(others))
    if way is Way.LOOKING:
        found = walked(rows, texts, has_terms)
    elif way is Way.PASSING:
        # IS TRUE keeps this a question to a hash table, asked of each row in order until the page is full.
        found = walked(rows, "", "(walk.id IN (SELECT video_id FROM hits)) IS TRUE", before=hits)
    if way is not Way.GATHERING and len(found) == params["limit"]:
        return found
    gathered = f"""
        {hits} SELECT {order.id} AS id, {order.key} AS key
        FROM hits JOIN {order.table} ON {order.id} = hits.video_id {_joins(order.table, order.id, where)}
        WHERE {" AND ".join(where)} {in_order} LIMIT %(limit)s
    """
    return read(gathered, params)


def _terms(filters: Filters) -> tuple[dict[str, str], str]:
    """The search's words as parameters, and the condition that all of them are in the text `t`."""
    terms = {f"term{n}": term for n, term in enumerate(filters.terms)}
    return terms, " AND ".join(f"strpos(t.text, catalog_fold(%({name})s)) > 0" for name in terms)


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
