"""What a test committed, taken out again."""

from functools import cache

from django.db import connection, transaction
from django.utils import timezone

from crawler.partitions import ensure_partitions

# What a migrated, unused database holds.
KEPT = {"django_migrations", "django_content_type", "auth_permission"}


@cache
def _tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
               AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname"""
        )
        return [name for (name,) in cursor.fetchall() if name not in KEPT]


def empty_tables() -> None:
    """Delete the rows of all tables that have some. Needs to be the superuser: references are not looked at."""
    with transaction.atomic(), connection.cursor() as cursor:
        asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in _tables())
        cursor.execute(asked)
        found = [name for (name,) in cursor.fetchall()]
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name in found:
            cursor.execute(f"DELETE FROM {name}")
    ensure_partitions(timezone.now())
