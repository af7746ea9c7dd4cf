"""Series of counters, as files hold them, and what the state machine makes of them."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ranking.scoring.state import METRICS

COLUMNS = ("item", "observed_at", "published_at", "category", "followers", *METRICS)
LARGEST_COUNT = 2**62


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One observation. Times are hours since 1970 (UTC)."""

    at: float
    counts: Mapping[str, int | None]
    followers: int | None = None


@dataclass(slots=True)
class Item:
    key: str
    published: float | None = None
    category: str = ""
    snapshots: list[Snapshot] = field(default_factory=list)

    def age(self, at: float) -> float | None:
        """Hours; None where the publishing time is not known or lies after `at`."""
        return at - self.published if self.published is not None and self.published <= at else None


@dataclass(slots=True)
class Read:
    """A file's items, and how many of its rows or cells could not be used, by reason."""

    items: list[Item]
    rows: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    def refuse(self, reason: str) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1


class Unusable(ValueError):
    """A file is no series of ours; the message says why."""


def read(path: Path, *, now: datetime | None = None) -> Read:
    """Read a CSV (or gzipped CSV) of COLUMNS; further columns are ignored, empty cells are "not shown".

    Rows may come in any order and more than once (the last of one time counts); rows without an item or a
    time, or of the future, are refused and counted, as are cells that are no count. Raises Unusable for a
    file that is no such CSV, OSError for one that cannot be read.
    """
    latest = (now or datetime.now(UTC)).timestamp() / 3600 + 24
    try:
        with _open(path) as text:
            return _collect(_rows(text), latest)
    except (EOFError, gzip.BadGzipFile, zlib.error, csv.Error) as error:
        raise Unusable(f"It is damaged, or no CSV: {error}.") from error


def _rows(text: Iterator[str]) -> csv.DictReader[str]:
    """The rows of a header that names our columns, whatever parts them. Raises Unusable for one that does not."""
    first = next(text, "")
    rows = csv.DictReader(itertools.chain([first], text), delimiter=max(",;\t|", key=first.count))
    rows.fieldnames = names = [name.strip().lower() for name in rows.fieldnames or ()]
    if missing := {"item", "observed_at"} - set(names):
        raise Unusable(f"It lacks the columns {', '.join(sorted(missing))}.")
    if not set(METRICS) & set(names):
        raise Unusable(f"It lacks the columns of counters; one at least of {', '.join(METRICS)} is needed.")
    return rows


def _collect(rows: Iterable[Mapping[str, str | None]], latest: float) -> Read:
    result = Read(items=[])
    items: dict[str, Item] = {}
    seen: dict[str, dict[float, Snapshot]] = {}
    for row in rows:
        result.rows += 1
        key, at = (row.get("item") or "").strip(), _hours(row.get("observed_at"))
        if not key:
            result.refuse("no item")
        elif at is None:
            result.refuse("no time")
        elif at > latest:
            result.refuse("in the future")
        else:
            item = items.setdefault(key, Item(key))
            if item.published is None:  # it may be learnt later than at the first sighting
                item.published = _hours(row.get("published_at"))
            item.category = item.category or row.get("category") or ""
            counts = {metric: _count(row.get(metric), result) for metric in METRICS}
            seen.setdefault(key, {})[at] = Snapshot(at, counts, _count(row.get("followers"), result))
    for key, item in items.items():
        item.snapshots = [seen[key][at] for at in sorted(seen[key])]
        result.items.append(item)
    return result


@contextmanager
def _open(path: Path) -> Iterator[Iterator[str]]:
    """Its lines, told by the first bytes and not by the name whether they are compressed, and whether in UTF-16."""
    with path.open("rb") as file:
        plain = gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == b"\x1f\x8b" else file
        is_wide = plain.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        yield io.TextIOWrapper(plain, encoding="utf-16" if is_wide else "utf-8-sig", errors="replace", newline="")


def _hours(text: str | None) -> float | None:
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() / 3600


def _count(text: str | None, result: Read) -> int | None:
    if not text or text.isspace():
        return None
    try:
        count = int(text) if text.isdecimal() else int(float(text) // 1)
    except (ValueError, OverflowError):
        result.refuse("not a number")
        return None
    if count < 0:
        result.refuse("negative")
        return None
    if count > LARGEST_COUNT:
        result.refuse("too large")
        return None
    return count


def without_views(items: Iterable[Item]) -> Iterator[Item]:
    """The same items as a platform that hides views would show them."""
    for item in items:
        hidden = [Snapshot(snapshot.at, {**snapshot.counts, "views": None}, snapshot.followers) for snapshot in item.snapshots]
        yield Item(item.key, item.published, item.category, hidden)
