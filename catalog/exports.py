"""Any list of videos as a file, streamed: CSV for spreadsheets, JSON for programs.

Which rows is settled first, by one statement, so that what moves in the order meanwhile is neither left out nor written twice;
then they are read some hundred at a time, each batch by a statement of its own: memory is bounded, and nothing is held open in
the database however slowly a client reads. Numbers are those of the videos' latest observation (`last_seen_at`), scores those
of their latest ranking (`ranked_at`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from constance import config
from django.db import connection
from django.utils import timezone
from django.utils.translation import ngettext

from catalog.cards import COLUMNS, JOINS
from catalog.feed import matching
from catalog.filters import Filters

FORMATS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
BATCH = 500
BOM = "\ufeff"
"""Without it Excel reads UTF-8 as the local code page, and Chinese is lost; Python reads it as utf-8-sig, others skip it."""
FORMULA_BEGINS = "=+-@\t\r\n\0＝＋－＠"
"""What a spreadsheet may run when a cell begins with it (OWASP ASVS 1.2.10)."""

# Ids are text: spreadsheets and JavaScript round numbers of 19 digits.
EXPORTED = {
    "id": "v.id::text",
    **{name: COLUMNS[name] for name in ("platform", "external_id", "kind", "url", "title")},
    "author_id": "v.author_id::text",
    "author_external_id": "a.external_id",
    **{name: COLUMNS[name] for name in ("author_handle", "author_name")},
    "author_followers": "a.followers",
    "sound_id": "v.sound_id::text",
    "sound_title": "(SELECT t.title FROM crawler_sound t WHERE t.id = v.sound_id)",
    **{name: COLUMNS[name] for name in ("category", "hashtags", "duration_ms", "width", "height")},
    **{name: COLUMNS[name] for name in ("published_at", "first_seen_at", "last_seen_at", "gone_at")},
    **{name: COLUMNS[name] for name in ("views", "likes", "comments", "shares", "saves")},
    **{name: COLUMNS[name] for name in ("virality", "breakout", "reach", "score", "momentum", "is_surging", "surging_since")},
    "ranked_at": "s.observed_at",
    "download_status": COLUMNS["download_status"],
}
_ROWS = f"""
    WITH page AS MATERIALIZED (SELECT id, place FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS wanted (id, place))
    SELECT {", ".join(EXPORTED.values())} FROM page {JOINS} ORDER BY page.place
"""


@dataclass(frozen=True, slots=True)
class Export:
    """What is to be written: its rows are settled, and not yet read."""

    filters: Filters
    ids: Sequence[int]
    is_capped: bool
    """More match than one export holds; these are the first of their order."""
    at: datetime

    def filename(self, extension: str) -> str:
        capped = f"-first-{len(self.ids)}" if self.is_capped else ""
        return f"groundswell-videos-{self.at:%Y-%m-%d-%H%M}{capped}.{extension}"

    @property
    def note(self) -> str:
        return cap_in_words() if self.is_capped else ""

    def stream(self, extension: str) -> Iterator[bytes]:
        """In parts of some hundred rows. `extension` is one of FORMATS."""
        return self._csv() if extension == "csv" else self._json()

    def _csv(self) -> Iterator[bytes]:
        yield (BOM + _line(list(EXPORTED))).encode()
        for rows in self._batches():
            yield "".join(_line([cell(value) for value in row]) for row in rows).encode()

    def _json(self) -> Iterator[bytes]:
        about = {
            "exported_at": self.at,
            "filters": self.filters.query(),
            "count": len(self.ids),
            "is_capped": self.is_capped,
            "note": self.note,
        }
        yield orjson.dumps(about, option=_OPTIONS)[:-1] + b',"videos":['
        joint = b""
        for rows in self._batches():
            written = (orjson.dumps(dict(zip(EXPORTED, row, strict=True)), option=_OPTIONS) for row in rows)
            if part := b",".join(written):
                yield joint + part
                joint = b","
        yield b"]}"

    def _batches(self) -> Iterator[list[tuple[Any, ...]]]:
        """A video that was deleted since is left out."""
        for begins in range(0, len(self.ids), BATCH):
            with connection.cursor() as cursor:
                cursor.execute(_ROWS, {"ids": list(self.ids[begins : begins + BATCH])})
                yield cursor.fetchall()


_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS


def export(filters: Filters) -> Export:
    """One statement, or two or three for a search. Staff say how many rows one export may hold."""
    most = max(config.EXPORT_MOST_ROWS, 1)
    ids = matching(filters, most=most + 1)
    return Export(filters, ids[:most], len(ids) > most, timezone.now())


def cap_in_words() -> str:
    most = max(config.EXPORT_MOST_ROWS, 1)
    sentence = ngettext(
        "More match than the %(n)d row that one export holds: these are the first of the order. Narrow the list for the others.",
        "More match than the %(n)d rows that one export holds: these are the first of the order. Narrow the list for the others.",
        most,
    )
    return sentence % {"n": most}


def cell(value: Any) -> Any:
    """As a spreadsheet may have it. What is not known is empty; text that could run as a formula is not let begin as one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, list):
        value = orjson.dumps(value).decode()  # a hashtag may hold a space, a comma or a #
    if isinstance(value, str) and value.lstrip(" \u00a0\ufeff")[:1] in tuple(FORMULA_BEGINS):
        return f"'{value}"
    return value


def _line(cells: Sequence[Any]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
