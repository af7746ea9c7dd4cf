"""Ranking over a million videos: `python -m benchmarks.ranking`, in a database of its own.

--keep keeps it for the next run, --videos N makes it smaller.

Rows of the performance table: a full pass and one over 1 % of the videos, beside a read-only GROUP BY over the same snapshots
that yields what ranking reads of them (each counter's newest value and the one a day before), and beside a narrower one that
only yields four maxima; WAL per video; what a snapshot costs in SQL (pages of 50) and in Python; how large a video's state is.
"""

import argparse
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from benchmarks.feed import use_database
from benchmarks.measure import p50, ratio, setup_django, show, take_turns

DATABASE = "groundswell_ranking"
SNAPSHOTS = 5
COUNTERS = ("views", "likes", "comments", "shares", "saves", "followers")
# What is read of the history: counters only grow, so that the largest is the newest.
READ = (
    *(f"max({counter})" for counter in COUNTERS),
    *(f"max({counter}) FILTER (WHERE observed_at <= now() - interval '1 day')" for counter in ("views", "likes", "shares")),
)
NARROW = tuple(f"max({counter})" for counter in ("views", "likes", "shares"))


def group_by(aggregates: tuple[str, ...]) -> str:
    """Every aggregate is summed up, or the planner would leave it out."""
    columns = ", ".join(f"{aggregate} AS c{place}" for place, aggregate in enumerate(aggregates))
    sums = ", ".join(f"sum(c{place})" for place in range(len(aggregates)))
    return f"""SELECT count(*), max(at), {sums} FROM (
        SELECT video_id, max(observed_at) AS at, {columns} FROM crawler_metricsnapshot GROUP BY video_id
    ) AS grouped"""


def make(videos: int) -> None:
    from django.core.management import call_command
    from django.db import connection

    from ranking import baselines, services

    call_command("migrate", verbosity=0, interactive=False)
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0; SET synchronous_commit = off")
        cursor.execute("ALTER TABLE crawler_video DISABLE TRIGGER catalog_new_title")
        cursor.execute(
            """INSERT INTO crawler_video (platform, external_id, kind, url, title, category, hashtags, cover_url, media, slides,
                   published_at, flags, gone_reason, first_seen_at, last_seen_at)
               SELECT 'douyin', n, 'clip', '', '', '', '{}', '', '[]', '[]', now() - random() * interval '10 days',
                   '{}', '', now(), now() FROM generate_series(1, %s) n""",
            [videos],
        )
        cursor.execute("ALTER TABLE crawler_video ENABLE TRIGGER catalog_new_title")
        cursor.execute(
            """INSERT INTO crawler_metricsnapshot (video_id, observed_at, views, likes, comments, shares, followers)
               SELECT v.id, now() - (%s - n) * interval '6 hours', size * (1 + n * 0.1), size / 20 * (1 + n * 0.1),
                      size / 300 * (1 + n * 0.1), size / 400 * (1 + n * 0.1), size / 3
               FROM (SELECT id, exp(random() * 12)::bigint AS size FROM crawler_video) v, generate_series(1, %s) n
               ORDER BY n, v.id  -- as they come: all videos, then all of them again""",
            [SNAPSHOTS + 1, SNAPSHOTS],
        )
        cursor.execute("VACUUM ANALYZE")
    made = time.perf_counter() - started
    started = time.perf_counter()
    applied = services.rank_all()
    baselines.refresh()
    seconds = time.perf_counter() - started
    with connection.cursor() as cursor:
        for order in ("VACUUM FULL ranking_counterstate", "VACUUM FULL ranking_score", "VACUUM ANALYZE"):
            cursor.execute(order)
    show(
        "Made",
        [
            ("videos", "snapshots", "seconds", "first scores of all, s", "µs per snapshot"),
            (f"{videos:,}", f"{applied:,}", f"{made:.0f}", f"{seconds:.0f}", f"{seconds / max(applied, 1) * 1e6:.1f}"),
        ],
    )


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def floor(aggregates: tuple[str, ...]) -> None:
    from django.db import connection

    with closing(connection.cursor()) as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(group_by(aggregates))


def wal_bytes() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")
        return int(cursor.fetchone()[0])


def observe(ids: list[int]) -> None:
    """A new snapshot of each, an hour after the last and two hundredths higher."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO crawler_metricsnapshot (video_id, observed_at, views, likes, comments, shares, followers)
               SELECT last.video_id, last.observed_at + interval '1 hour', last.views + last.views / 50,
                      last.likes + last.likes / 50, last.comments + last.comments / 50, last.shares + last.shares / 50,
                      last.followers
               FROM unnest(%s::bigint[]) AS wanted (id) CROSS JOIN LATERAL (
                   SELECT * FROM crawler_metricsnapshot s WHERE s.video_id = wanted.id ORDER BY observed_at DESC LIMIT 1
               ) AS last""",
            [ids],
        )


def measure_passes(videos: int, rounds: int) -> None:
    from crawler.models import Video
    from ranking import services

    first = Video.objects.order_by("pk").values_list("pk", flat=True)[0]
    share = list(range(first, first + videos, 100))

    def incremental() -> float:
        observe(share)
        return timed(lambda: services.rank(share))

    before = wal_bytes()
    services.rank_all()
    per_video = (wal_bytes() - before) / videos
    figures = take_turns(
        {
            "GROUP BY, what ranking reads": lambda: timed(lambda: floor(READ)),
            "GROUP BY, four maxima": lambda: timed(lambda: floor(NARROW)),
            "full pass": lambda: timed(services.rank_all),
            "1 % of the videos": incremental,
        },
        rounds=rounds,
    )
    show(
        f"Passes over {videos:,} videos",
        [
            ("", "p50 s", "× what it reads", "× four maxima", "reach"),
            *(
                (name, f"{p50(values):.2f}", *(f"{ratio(figures, name, base):.2f}" for base in list(figures)[:2]), reach)
                for (name, values), reach in zip(figures.items(), ("1", "-", "≤ 2", "≤ 0.15"), strict=True)
            ),
        ],
    )
    show("WAL of a full pass that changes nothing", [("bytes per video", "reach"), (f"{per_video:.0f}", "≤ 150")])


def measure_snapshots(rounds: int) -> None:
    from django.db import transaction

    from crawler.models import Video
    from ranking import classic, pulse, services
    from ranking.scoring import features
    from ranking.scoring.state import METRICS, VideoState, advance

    page = list(Video.objects.order_by("-pk").values_list("pk", flat=True)[:50])
    active, rules = pulse.active_models(), classic.rules()
    model = active["views"].model

    def in_sql() -> float:
        observe(page)
        with transaction.atomic():
            return timed(lambda: pulse.step(page, active, rules)) / len(page) * 1e6

    def ranked() -> float:
        observe(page)
        return timed(lambda: services.rank(page)) / len(page) * 1e6

    def in_python() -> float:
        state: VideoState | None = None
        number = 2000
        started = time.perf_counter()
        for step in range(number):
            counts = dict.fromkeys(METRICS, 1000 + step * 3)
            state = advance(state, counts, at=float(step), age=step + 5.0, horizon=24.0, guard=model.guard)
            features.vector(state, age=step + 5.0, followers=1000, horizon=24.0, primary="views")
        return (time.perf_counter() - started) / number * 1e6

    figures = take_turns(
        {"SQL, pages of 50": in_sql, "the same, surges and commit": ranked, "Python": in_python}, rounds=rounds * 10
    )
    show(
        "What a snapshot costs: state and features; in SQL also three heads, the classic score and both rows written",
        [
            ("", "p50 µs", "best µs", "reach"),
            *(
                (name, f"{p50(values):.1f}", f"{min(values):.1f}", reach)
                for (name, values), reach in zip(figures.items(), ("≤ 10", "-", "≤ 25"), strict=True)
            ),
        ],
    )


def measure_size() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT pg_table_size('ranking_counterstate')::float / count(*),
                      pg_indexes_size('ranking_counterstate')::float / count(*) FROM ranking_counterstate"""
        )
        table, index = cursor.fetchone()
    show(
        "State per video, with four metrics",
        [
            ("table bytes", "index bytes", "per metric", "reach"),
            (f"{table:.0f}", f"{index:.0f}", f"{(table + index) / 4:.0f}", "≤ 200"),
        ],
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--videos", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--keep", action="store_true")
    chosen = options.parse_args()
    setup_django()
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", [DATABASE])
        exists = cursor.fetchone()[0]
        if not exists:
            cursor.execute(f"CREATE DATABASE {DATABASE}")
    before = use_database(DATABASE)
    try:
        if not exists:
            make(chosen.videos)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM crawler_video")
            videos = cursor.fetchone()[0]
        measure_passes(videos, chosen.rounds)
        measure_snapshots(chosen.rounds)
        measure_size()
    finally:
        use_database(before)
        if not chosen.keep:
            with connection.cursor() as cursor:
                cursor.execute(f"DROP DATABASE {DATABASE}")


if __name__ == "__main__":
    main()
