"""Cards as JSON, spelled by the database: for programs, who take a hundred at a time and look at none of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from catalog.cards import COLUMNS, JOINS, StoredFile
from catalog.feed import Read
from catalog.filters import MAX_BIGINT

AUTHOR = "author_"


@dataclass(frozen=True, slots=True)
class Document:
    id: int
    json: str
    """An object with the names that were asked for, in that order."""
    cover: StoredFile | None
    """Not in the object: its link is made when it is asked for."""


def reader(names: Sequence[str]) -> Read:
    """Reads a page's rows as documents with these names of COLUMNS; `author` holds all that begin with `author_`, or null.

    For `feed.find`.
    """
    statement = f"""
        WITH page AS MATERIALIZED ({{page}})
        SELECT page.key, v.id, json_build_object({", ".join(f"'{name}', {_value(name)}" for name in names)})::text,
               cover.sha256, cover.mime
        FROM page {JOINS}
        ORDER BY page.key DESC, page.id DESC
    """

    def read(page: str, params: dict[str, Any]) -> list[tuple[Any, Document]]:
        with connection.cursor() as cursor:
            cursor.execute(statement.format(page=page), params)
            return [
                (key, Document(pk, json, StoredFile(sha256, mime, f"cover-{pk}") if sha256 else None))
                for key, pk, json, sha256, mime in cursor.fetchall()
            ]

    return read


def document(video_id: int, read: Read) -> Document | None:
    """One video's document. None: there is no such video."""
    if not 0 <= video_id <= MAX_BIGINT:
        return None
    found = read("SELECT %(id)s::bigint AS id, 0 AS key", {"id": video_id})
    return found[0][1] if found else None


def _value(name: str) -> str:
    if name != "author":
        return COLUMNS[name]
    parts = [f"'{name.removeprefix(AUTHOR)}', {value}" for name, value in COLUMNS.items() if name.startswith(AUTHOR)]
    return f"CASE WHEN a.id IS NOT NULL THEN json_build_object({', '.join(parts)}) END"
