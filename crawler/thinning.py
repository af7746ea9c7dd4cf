"""History that keeps its shape at a fraction of its rows: hourly after a week, daily after two months, gone after retention."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from crawler.partitions import DEFAULT, TABLE

HOURLY_AFTER = timedelta(days=7)
DAILY_AFTER = timedelta(days=60)
WINDOW = timedelta(days=1)
"""One statement, and one transaction, thins at most this much time."""

_THIN = f"""
    WITH numbered AS (
        SELECT video_id, observed_at, row_number() OVER (
            PARTITION BY video_id, date_trunc(%(unit)s, observed_at, 'UTC') ORDER BY observed_at
        ) AS place
        FROM {TABLE} WHERE observed_at >= %(start)s AND observed_at < %(end)s
    )
    DELETE FROM {TABLE} AS snapshot USING numbered
    WHERE numbered.place > 1 AND snapshot.video_id = numbered.video_id
      AND snapshot.observed_at = numbered.observed_at
      AND snapshot.observed_at >= %(start)s AND snapshot.observed_at < %(end)s
"""


def thin(now: datetime, *, since: datetime | None = None) -> dict[str, int]:
    """Thin what came of age since the last run (`since`; all there is where None); return rows removed by unit.

    The first snapshot of each hour, later of each day, stays. Running it again removes nothing.
    """
    return {
        "hourly": _thin("hour", now - HOURLY_AFTER, since and since - HOURLY_AFTER),
        "daily": _thin("day", now - DAILY_AFTER, since and since - DAILY_AFTER),
    }


def _thin(unit: str, until: datetime, since: datetime | None) -> int:
    end = _day(until)
    start = _day(since) if since else _oldest(end)
    removed = 0
    while start is not None and start < end:
        step = min(start + WINDOW, end)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute(_THIN, {"unit": unit, "start": start, "end": step})
            removed += cursor.rowcount
        start = step
    return removed


def _oldest(before: datetime) -> datetime | None:
    """The day of the oldest snapshot, or None where there is none that old."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min(observed_at) FROM {TABLE} WHERE observed_at < %s", [before])
        oldest: datetime | None = cursor.fetchone()[0]
    return oldest and _day(oldest)


def _day(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def drop_expired(now: datetime, keep: timedelta) -> list[str]:
    """Drop the partitions whose whole month is older than `keep`, and such rows of DEFAULT; return the dropped names."""
    oldest_kept = now - keep
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [TABLE])
        names = [name for (name,) in cursor.fetchall() if name != DEFAULT]
        dropped = [name for name in sorted(names) if _ends_before(name, oldest_kept)]
        for name in dropped:
            cursor.execute(f"DROP TABLE {name}")
        cursor.execute(f"DELETE FROM {DEFAULT} WHERE observed_at < %s", [oldest_kept])
    return dropped


def _ends_before(name: str, moment: datetime) -> bool:
    year, month = (int(part) for part in name.rsplit("_", 2)[-2:])
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return end <= moment
