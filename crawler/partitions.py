"""Room for snapshots: a partition for each month, made ahead. What falls outside waits in the DEFAULT partition."""

from datetime import UTC, datetime

from django.db import connection, transaction

TABLE = "crawler_metricsnapshot"
DEFAULT = f"{TABLE}_default"
MONTHS_AHEAD = 2
_ONE_AT_A_TIME = 0x736E6170  # "snap": the advisory lock of those who make partitions


def ensure_partitions(now: datetime, *, months_ahead: int = MONTHS_AHEAD) -> list[str]:
    """Make the partitions of this month and the next ones, and of every month that has rows in DEFAULT; return the new names."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [TABLE])
        existing = {name for (name,) in cursor.fetchall()}
        # `timezone('UTC', …)`: the session's zone must not decide which month a row is in.
        cursor.execute(f"SELECT DISTINCT date_trunc('month', timezone('UTC', observed_at)) FROM {DEFAULT}")
        wanted = {_month(moment.year, moment.month) for (moment,) in cursor.fetchall()}
        here = now.astimezone(UTC)
        wanted |= {_month(here.year, here.month + ahead) for ahead in range(months_ahead + 1)}
        made = []
        for start in sorted(wanted):
            name = f"{TABLE}_{start:%Y_%m}"
            if name not in existing:
                _make(cursor, name, start, _month(start.year, start.month + 1))
                made.append(name)
    return made


def _make(cursor: object, name: str, start: datetime, end: datetime) -> None:
    """A new table takes its rows out of DEFAULT, then joins: PostgreSQL refuses a partition whose rows are elsewhere."""
    bounds = [start, end]
    execute = cursor.execute  # type: ignore[attr-defined]
    execute(f"CREATE TABLE {name} (LIKE {TABLE} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    execute(f"LOCK TABLE {DEFAULT} IN ACCESS EXCLUSIVE MODE")
    execute(
        f"WITH moved AS (DELETE FROM {DEFAULT} WHERE observed_at >= %s AND observed_at < %s RETURNING *)"
        f" INSERT INTO {name} SELECT * FROM moved",
        bounds,
    )
    # Indexes and key come from the parent when it joins.
    execute(f"ALTER TABLE {TABLE} ATTACH PARTITION {name} FOR VALUES FROM ('{start.isoformat()}') TO ('{end.isoformat()}')")


def _month(year: int, month: int) -> datetime:
    """The first moment of a month; months beyond 12 are those of the next year."""
    return datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)
