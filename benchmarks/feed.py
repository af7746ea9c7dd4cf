"""The feed and its search over a million videos: `python -m benchmarks.feed`, in a database of its own; --keep keeps it.

Rows of the performance table: a page at any depth beside page 1, and OFFSET beside both; search by terms of every kind, p95;
statements per page; what keeping the search text costs a crawl.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.measure import p50, setup_django, show, take_turns

DATABASE = "groundswell_feed"
AUTHORS = 20_000
NEWEST = datetime(2026, 11, 20, tzinfo=UTC)

COLUMNS = """platform, external_id, kind, url, title, author_id, category, hashtags, cover_url, media, slides, duration_ms, width,
    height, published_at, flags, views, likes, comments, shares, saves, gone_reason, first_seen_at, last_seen_at"""


class Words:
    """Titles as people write them: few words are everywhere, most are rare, Chinese has no spaces."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        characters = [chr(0x4E00 + n) for n in range(0, 0x5000, 7)]
        self.random.shuffle(characters)
        weights = [1 / (n + 5) for n in range(len(characters))]
        letters = "eeeeetttaaaooiinnsshhrrdlcumwfgypbvk"
        pick = self.random.choices
        self.chinese = ["".join(pick(characters, weights, k=self.random.choice((2, 2, 2, 3, 4)))) for _ in range(20_000)]
        self.latin = ["".join(pick(letters, k=self.random.randint(2, 9))) for _ in range(8_000)]
        self.zipf_chinese = _cumulative(len(self.chinese))
        self.zipf_latin = _cumulative(len(self.latin))

    def title(self) -> str:
        pick = self.random.choices
        if self.random.random() < 0.7:
            words = pick(self.chinese, cum_weights=self.zipf_chinese, k=self.random.randint(4, 14))
            return "".join(words[:-2]) + " #" + " #".join(words[-2:])
        return " ".join(pick(self.latin, cum_weights=self.zipf_latin, k=self.random.randint(3, 14)))


def _cumulative(count: int) -> list[float]:
    total, sums = 0.0, []
    for n in range(count):
        total += 1 / (n + 2)
        sums.append(total)
    return sums


def use_database(name: str) -> str:
    """Point Django at another database of the same server; return the name it had."""
    from django.db import connection

    connection.close()
    before = str(connection.settings_dict["NAME"])
    connection.settings_dict["NAME"] = name
    return before


def make(count: int, words: Words) -> None:
    """Tables by the migrations, rows by COPY, the search text by the database itself."""
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0, interactive=False)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0; SET maintenance_work_mem = '512MB'; SET synchronous_commit = off")
        cursor.execute(
            """INSERT INTO crawler_author
                   (platform, external_id, handle, name, url, avatar_url, bio, is_verified, first_seen_at, last_seen_at)
            SELECT 'douyin', n, 'handle' || n, 'Author ' || n, '', '', '', false, now(), now() FROM generate_series(1, %s) n""",
            [AUTHORS],
        )
        started = time.perf_counter()
        cursor.execute("ALTER TABLE crawler_video DISABLE TRIGGER catalog_new_title")
        with cursor.copy(f"COPY crawler_video ({COLUMNS}) FROM STDIN") as copy:
            for row in videos(count, words):
                copy.write_row(row)
        cursor.execute("ALTER TABLE crawler_video ENABLE TRIGGER catalog_new_title")
        cursor.execute("DROP INDEX catalog_searchtext_grams")
        cursor.execute("INSERT INTO catalog_searchtext SELECT id, catalog_fold(title) FROM crawler_video")
        cursor.execute("CREATE INDEX catalog_searchtext_grams ON catalog_searchtext USING gin (catalog_grams(text))")
        cursor.execute(
            """INSERT INTO ranking_score (video_id, virality, breakout, reach, classic, momentum, is_surging, observed_at)
               SELECT id, random(), random(), random(), exp(random() * 12) + random(), random(), random() < 0.01, now()
               FROM crawler_video"""
        )
        cursor.execute(
            """INSERT INTO crawler_metricsnapshot (video_id, observed_at, views, likes)
               SELECT v.id, now() - n * interval '2 hours', v.views, v.likes FROM crawler_video v, generate_series(0, 3) n"""
        )
        cursor.execute("VACUUM ANALYZE")
        show("Made", [("videos", "seconds"), (f"{count:,}", f"{time.perf_counter() - started:.0f}")])


def videos(count: int, words: Words) -> Iterator[tuple[Any, ...]]:
    chance = words.random
    for n in range(count):
        views = int(10 ** (chance.random() * 7)) if chance.random() < 0.8 else None
        at = (NEWEST - timedelta(seconds=chance.randint(0, 300 * 86_400))).isoformat()
        yield (
            *("douyin", str(7 * 10**18 + n), "carousel" if n % 9 == 0 else "clip", f"https://www.douyin.com/video/{n}"),
            *(words.title(), chance.randint(1, AUTHORS), "", "{}", "", "[]", "[]", 15000, 1080, 1920, at, "{}"),
            *(views, chance.randint(0, 10**6), 5, 6, 7, "", at, at),
        )


def milliseconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def cursor_at(depth: int, ordering: str) -> str:
    """The cursor of the page that begins after `depth` cards: found by OFFSET, which is not measured."""
    from django.db import connection

    from catalog.cursors import Cursor
    from catalog.feed import _ORDERS

    order = _ORDERS[ordering]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {order.key}, {order.id} FROM {order.table} ORDER BY {order.key} DESC, {order.id} DESC OFFSET %s LIMIT 1",
            [depth],
        )
        key, video_id = cursor.fetchone()
    return str(Cursor(ordering, key, video_id))


def compare_depths(count: int, rounds: int) -> None:
    from django.db import connection

    from catalog.feed import feed
    from catalog.filters import Filters

    depths = [depth for depth in (50 * 100, 50 * 10_000, count - 100) if depth < count]
    rows: list[tuple[str, ...]] = [("ordering", "cards before it", "p50, ms", "by page 1")]
    for ordering in ("-virality", "-published_at", "-views"):
        filters = Filters(ordering=ordering)
        contestants: dict[str, Callable[[], float]] = {"0": lambda f=filters: milliseconds(lambda: feed(f, limit=50))}
        for depth in depths:
            at = cursor_at(depth, ordering)
            contestants[f"{depth:,}"] = lambda f=filters, at=at: milliseconds(lambda: feed(f, cursor=at, limit=50))
        figures = take_turns(contestants, rounds=rounds)
        for name, values in figures.items():
            rows.append((ordering, name, f"{p50(values):.1f}", f"{p50(values) / p50(figures['0']):.2f} ×"))

    def offset(depth: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT video_id FROM ranking_score ORDER BY coalesce(virality, -1) DESC, video_id DESC OFFSET %s LIMIT 50",
                [depth],
            )
            cursor.fetchall()

    for depth in depths:
        rows.append(
            (
                "OFFSET, ids only",
                f"{depth:,}",
                f"{statistics.median(milliseconds(lambda d=depth: offset(d)) for _ in range(3)):.1f}",
                "",
            )
        )
    show("A page of 50 cards at any depth (goal: at most 1.5 × of page 1)", rows)


def terms(words: Words) -> dict[str, list[str]]:
    """Of every kind, by how often the generator writes them."""
    at = [0, 3, 10, 40, 150, 600, 2_500, 7_000]
    return {
        "Chinese word, common to rare": [words.chinese[n] for n in (*at, 19_000)],
        "two Chinese characters of one word": [words.chinese[n][:2] for n in (*at, 19_500)],
        "two characters across words": [words.chinese[n][-1] + words.chinese[n + 1][0] for n in at],
        "one Chinese character": [words.chinese[n][0] for n in (*at, 19_900)],
        "absent Chinese": ["龘靐", "齉爩", "驫麤", *(words.chinese[n][::-1] + "龘" for n in at)],
        "Latin word, common to rare": [word for n in (*at, 7_900) if len(word := words.latin[n]) > 1],
        "part of a Latin word": [words.latin[n][1:4] for n in at if len(words.latin[n]) > 4],
        "absent Latin of common letters": ["theseatoneherein", "onthethe", "eatenteate", "qqzz", "zzq"],
        "several words": [f"{words.latin[n]} {words.latin[2 * n + 1]}" for n in at if n < 3_000],
        "Chinese and a filter": [words.chinese[n] for n in at],
    }


def measure_search(words: Words, rounds: int) -> None:
    from catalog.feed import feed
    from catalog.filters import Filters

    rows: list[tuple[str, ...]] = [("terms", "p50, ms", "p95, ms", "worst, ms", "worst term")]
    everything: list[float] = []
    for name, chosen in terms(words).items():
        narrowed = {"kind": "carousel", "min_views": 1000} if "filter" in name else {}
        taken: list[tuple[float, str]] = []
        for number in range(rounds + 1):  # the first one warms up
            for term in chosen:
                filters = Filters.parse({"q": term, **narrowed})
                taken += [(milliseconds(lambda f=filters: feed(f, limit=50)), term)][:number]
        values = sorted(value for value, _ in taken)
        everything += [] if narrowed else values
        worst, worst_term = max(taken)
        rows.append((name, f"{p50(values):.1f}", f"{values[int(len(values) * 0.95)]:.1f}", f"{worst:.1f}", worst_term))
    everything.sort()
    rows.append(
        (
            "all without filters",
            f"{p50(everything):.1f}",
            f"{everything[int(len(everything) * 0.95)]:.1f}",
            f"{everything[-1]:.1f}",
            "",
        )
    )
    show("Search, 50 cards with their growth (goal: p95 at most 50 ms)", rows)


def count_statements() -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from catalog.feed import feed
    from catalog.filters import Filters

    rows: list[tuple[str, ...]] = [("page", "statements")]
    for name, filters in (("rising", Filters()), ("surging", Filters(surging=True)), ("absent term", Filters(q="龘靐"))):
        with CaptureQueriesContext(connection) as queries:
            feed(filters, limit=50)
        rows.append((name, str(len(queries))))
    show("Statements", rows)


def measure_keeping(words: Words, rounds: int) -> None:
    """Pages of 50 new videos, and of 50 known ones with new counters, with the search text and without."""
    from django.db import connection

    known = list(range(1, 51))

    def insert(trigger: str) -> float:
        rows = [("douyin", f"new{words.random.random()}", words.title()) for _ in range(50)]
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE crawler_video {trigger} TRIGGER USER")
            return milliseconds(
                lambda: cursor.executemany(
                    f"INSERT INTO crawler_video ({COLUMNS}) VALUES (%s, %s, 'clip', '', %s, NULL, '', '{{}}', '', '[]', '[]', "
                    "NULL, NULL, NULL, now(), '{}', 1, 1, 1, 1, 1, '', now(), now())",
                    rows,
                )
            )

    def update(trigger: str) -> float:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE crawler_video {trigger} TRIGGER USER")
            return milliseconds(
                lambda: cursor.execute("UPDATE crawler_video SET title = title, views = views + 1 WHERE id = ANY(%s)", [known])
            )

    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    rows: list[tuple[str, ...]] = [("50 videos", "with, ms", "without, ms")]
    for name, work in (("new", insert), ("known", update)):
        figures = take_turns({"with": lambda w=work: w("ENABLE"), "without": lambda w=work: w("DISABLE")}, rounds=rounds)
        rows.append((name, f"{p50(figures['with']):.1f}", f"{p50(figures['without']):.1f}"))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE crawler_video ENABLE TRIGGER USER")
        cursor.execute("DELETE FROM ranking_score WHERE video_id IN (SELECT id FROM crawler_video WHERE external_id LIKE 'new%')")
        cursor.execute("DELETE FROM crawler_video WHERE external_id LIKE 'new%'")
        cursor.execute(
            """SELECT pg_size_pretty(pg_relation_size('catalog_searchtext_grams')),
                      pg_size_pretty(pg_table_size('catalog_searchtext'))"""
        )
        index, table = cursor.fetchone()
    show(f"What the search text costs a crawl (index {index}, table {table})", rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--keep", action="store_true", help="keep the database, and use it if it is there")
    parser.add_argument("--only", choices=["depth", "search", "statements", "keeping"], action="append")
    options = parser.parse_args()
    setup_django()
    from django.db import connection

    words = Words(seed=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", [DATABASE])
        is_there = cursor.fetchone() == (True,)
        if is_there and not options.keep:
            cursor.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
        if not (is_there and options.keep):
            cursor.execute(f"CREATE DATABASE {DATABASE}")
    before = use_database(DATABASE)
    if not (is_there and options.keep):
        make(options.videos, words)
    parts: dict[str, Callable[[], None]] = {
        "depth": lambda: compare_depths(options.videos, options.rounds),
        "search": lambda: measure_search(words, options.rounds),
        "statements": count_statements,
        "keeping": lambda: measure_keeping(words, options.rounds),
    }
    for name in options.only or parts:
        parts[name]()
    use_database(before)
    if not options.keep:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


if __name__ == "__main__":
    main()
