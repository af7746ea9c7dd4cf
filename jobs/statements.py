"""The statements that change job rows, written out, and prepared once per connection.

Not by the ORM, because the claim's ORDER BY must match the partial index exactly, and because compiling and planning would
cost more than the statement itself. Every time is the database's, at the start of the statement, as it is of Django's Now().
What touches the rows of others skips those that are locked, and what a worker does touches only its own, so that no two of
these statements wait for each other in a circle.
"""

import functools
from collections.abc import Iterable
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.types.datetime import TimestamptzLoader

HISTORY_LENGTH = 50

_NOW = "statement_timestamp()"
_LEASE = f"{_NOW} + make_interval(secs => %(lease)s)"


def execute(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows."""
    database = connections[DEFAULT_DB_ALIAS]
    database.close_if_health_check_failed()
    database.ensure_connection()
    database.validate_no_broken_transaction()
    with database.wrap_database_errors, psycopg.Cursor(database.connection) as cursor:
        cursor.adapters.register_loader("timestamptz", TimestamptzLoader)  # in C; Django's own is written in Python
        cursor.execute(sql, parameters, prepare=True)
        return cursor.fetchall()


def storable(text: str, length: int) -> str:
    """The text as PostgreSQL takes it. Errors quote what came from outside: NULs, half characters, whole pages."""
    return text.encode(errors="replace").decode().replace("\0", "")[:length]


def _remember(facts: str = "'{}'::jsonb") -> str:
    """The history with one more entry, its oldest gone if there would be too many. Parameter: entry."""
    return f"""
        CASE WHEN jsonb_array_length(history) < {HISTORY_LENGTH} THEN history ELSE history - 0 END
        || jsonb_build_array(jsonb_build_object('at', {_NOW}) || {facts} || %(entry)s::jsonb)
    """


_WHOSE = "jsonb_build_object('attempt', attempt, 'by', worker)"

_DUE = f"""
    state IN ('pending', 'retrying') AND paused_at IS NULL AND scheduled_at <= {_NOW} AND scheduled_at >= %(front)s
    AND NOT EXISTS (SELECT 1 FROM jobs_pausedkind WHERE kind = %(kind)s)
"""


def numbers(values: Iterable[int]) -> str:
    """An array as PostgreSQL writes it. The driver would take longer over it than the server over the statement."""
    return f"{{{','.join(map(str, values))}}}"


@functools.cache
def claim(table: str, columns: tuple[str, ...], size: int, *, is_of_one: bool = False) -> str:
    """Parameters: kind, front, worker, lease; and id, if it is of one certain job.

    A job whose worker was lost is suspected of having killed it: a batch ends before such a job, or is that job alone, so
    that it takes no others with it next time.
    """
    # MATERIALIZED: as a plain sub-select the planner may run it again per row and claim more than LIMIT.
    # NO KEY: a transaction that only refers to the row, by a foreign key, does not make it look locked.
    queue = f"""
        queue AS MATERIALIZED (
            SELECT id, priority, scheduled_at, error_code FROM "{table}"
            WHERE {_DUE} {"AND id = %(id)s" if is_of_one else ""}
            ORDER BY priority, scheduled_at, id
            LIMIT {size}
            FOR NO KEY UPDATE SKIP LOCKED
        )
    """
    taken = "queue"
    if size > 1:
        taken = "taken"
        queue += """,
        taken AS MATERIALIZED (
            SELECT id FROM (
                SELECT id, row_number() OVER line AS place,
                    count(*) FILTER (WHERE error_code = 'worker_lost') OVER line AS suspects
                FROM queue WINDOW line AS (ORDER BY priority, scheduled_at, id)
            ) AS lined_up
            WHERE suspects = 0 OR place = 1
        )
        """
    return f"""
        WITH {queue}
        UPDATE "{table}" AS job
        SET state = 'running', fence = fence + 1, attempt = attempt + 1, worker = %(worker)s,
            started_at = {_NOW}, lease_until = {_LEASE}, progress = 0, note = ''
        FROM {taken} WHERE job.id = {taken}.id
        RETURNING {_listed(columns)}
    """


def room(table: str, kind: str, most: int) -> int:
    """How many more of a kind may run, while no other claim of that kind can count: held to the transaction's end."""
    execute("SELECT pg_advisory_xact_lock(hashtextextended(%(lock)s, 0))", {"lock": f"claim {kind}"})
    [(running,)] = execute(f"SELECT count(*) FROM \"{table}\" WHERE state = 'running'", {})
    return most - int(running)


@functools.cache
def move(table: str, columns: tuple[str, ...]) -> str:
    """Compare and swap of one row. Parameters: id, fence, was, state, entry, is_final, and `columns`.

    `scheduled_at` is given as a pause from now on, `paused_at` as whether it is.
    """
    forms = {
        "scheduled_at": f"{_NOW} + %(scheduled_at)s",
        "paused_at": f"CASE WHEN %(paused_at)s THEN {_NOW} END",
    }
    assignments = "".join(f", {column} = {forms.get(column, f'%({column})s')}" for column in columns)
    return f"""
        UPDATE "{table}" SET state = %(state)s, lease_until = NULL, history = {_remember()},
            finalized_at = CASE WHEN %(is_final)s THEN {_NOW} END {assignments}
        WHERE id = %(id)s AND fence = %(fence)s AND state = %(was)s
        RETURNING {", ".join(times(columns))}
    """


def times(columns: tuple[str, ...]) -> tuple[str, ...]:
    """What `move` returns: the times that only the database knows."""
    return "finalized_at", *(column for column in ("scheduled_at", "paused_at") if column in columns)


@functools.cache
def complete_all(table: str) -> str:
    """Parameters: ids and fences, as `numbers`, outcomes as JSON, all of one length; and entry. Returns those still held."""
    return f"""
        UPDATE "{table}" AS job
        SET state = 'completed', lease_until = NULL, finalized_at = {_NOW}, history = {_remember(_WHOSE)},
            outcome = done.outcome, progress = 100, error = '', error_code = '', note = ''
        FROM unnest(
            %(ids)s::bigint[], %(fences)s::bigint[], ARRAY(SELECT json_array_elements_text(%(outcomes)s::json))
        ) AS done (id, fence, outcome)
        WHERE job.id = done.id AND job.fence = done.fence AND job.state = 'running'
        RETURNING job.id, job.finalized_at
    """


@functools.cache
def report(table: str) -> str:
    return f"""
        UPDATE "{table}" SET lease_until = {_LEASE}, progress = %(progress)s, note = %(note)s
        WHERE id = %(id)s AND fence = %(fence)s AND state = 'running'
        RETURNING id
    """


@functools.cache
def renew(table: str) -> str:
    """Parameters: ids and fences, as `numbers` of one length, and lease. Returns those that are still held.

    A row which its own worker has locked just now is held but not renewed: nobody can rescue it meanwhile either.
    """
    return f"""
        WITH mine AS MATERIALIZED (
            SELECT job.id, job.fence FROM "{table}" AS job
            JOIN unnest(%(ids)s::bigint[], %(fences)s::bigint[]) AS held (id, fence)
                ON job.id = held.id AND job.fence = held.fence
            WHERE job.state = 'running'
        ), free AS MATERIALIZED (
            SELECT job.id FROM "{table}" AS job JOIN mine ON job.id = mine.id AND job.fence = mine.fence
            WHERE job.state = 'running'
            FOR NO KEY UPDATE OF job SKIP LOCKED
        ), renewed AS (
            UPDATE "{table}" AS job SET lease_until = {_LEASE}
            FROM free WHERE job.id = free.id
        )
        SELECT id, fence FROM mine
    """


@functools.cache
def rescue(table: str, columns: tuple[str, ...]) -> str:
    """Parameters: base (seconds before the second attempt), error, entry. The same curve as `retry.backoff`."""
    return f"""
        WITH lost AS MATERIALIZED (
            SELECT id FROM "{table}" WHERE state = 'running' AND lease_until < {_NOW}
            FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE "{table}" AS job SET
            state = CASE WHEN attempt < max_attempts THEN 'retrying' ELSE 'failed' END,
            finalized_at = CASE WHEN attempt < max_attempts THEN NULL ELSE {_NOW} END,
            scheduled_at = {_NOW} + make_interval(
                secs => least(%(base)s * power(2, least(attempt, 17) - 1), 3600) * (0.5 + random() / 2)
            ),
            lease_until = NULL, error_code = 'worker_lost', error = %(error)s, outcome = '',
            history = {_remember(_WHOSE)}
        FROM lost WHERE job.id = lost.id
        RETURNING {_listed(columns)}
    """


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(f'job."{column}"' for column in columns)
