"""Recording a page among a million videos: `python -m benchmarks.ingest`, in a database of its own.

--keep keeps it for the next run, --videos N makes it smaller.

Row of the performance table: 50 videos and 50 snapshots by `crawler.recording.record`, beside one bare jsonb_to_recordset upsert
of the same columns whose JSON lies ready, with ids for authors and sounds, and which writes no sightings: prepared as the
product's is, and as Django's cursor sends it. Half of a page is new; hardly an author or sound occurs twice, as in a search; each
video has hashtags and 12 media links. Who listens to the signal (ranking) is left out, since the floor ranks nothing; the search
text is kept by the tables themselves, for all.
"""

import argparse
import itertools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import orjson
import psycopg

from benchmarks.feed import Words, milliseconds, use_database
from benchmarks.measure import p50, ratio, setup_django, show, take_turns
from crawler.providers.base import AuthorData, Counts, MediaURL, SoundData, VideoData

DATABASE = "groundswell_ingest"
PAGE = 50
AUTHORS = SOUNDS = 20_000
POOL = 10_000
"""Videos that the pages meet again: spread over the table, and recorded once before anything is measured."""

FLOOR = """
    WITH seen AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%(videos)s::jsonb) AS seen (
            platform text, external_id text, kind text, url text, title text, author_id bigint, sound_id bigint, hashtags text[],
            cover_url text, media jsonb, slides jsonb, duration_ms int, width int, height int, published_at timestamptz,
            flags text[], views bigint, likes bigint, comments bigint, shares bigint, saves bigint, followers bigint
        )
    ), video AS (
        INSERT INTO crawler_video
            (platform, external_id, kind, url, title, author_id, sound_id, category, hashtags, cover_url, media, slides,
             duration_ms, width, height, published_at, flags, views, likes, comments, shares, saves, gone_reason,
             first_seen_at, last_seen_at)
        SELECT platform, external_id, kind, url, title, author_id, sound_id, '', hashtags, cover_url, media, slides,
               duration_ms, width, height, published_at, flags, views, likes, comments, shares, saves, '', %(at)s, %(at)s
        FROM seen
        ON CONFLICT (platform, external_id) DO UPDATE SET
            kind = excluded.kind, url = excluded.url, title = excluded.title, author_id = excluded.author_id,
            sound_id = excluded.sound_id, hashtags = excluded.hashtags, cover_url = excluded.cover_url, media = excluded.media,
            slides = excluded.slides, duration_ms = excluded.duration_ms, width = excluded.width, height = excluded.height,
            published_at = excluded.published_at, flags = excluded.flags, views = excluded.views, likes = excluded.likes,
            comments = excluded.comments, shares = excluded.shares, saves = excluded.saves, gone_at = NULL,
            gone_reason = '', last_seen_at = excluded.last_seen_at
        RETURNING id, platform, external_id
    )
    INSERT INTO crawler_metricsnapshot (video_id, observed_at, views, likes, comments, shares, saves, followers)
    SELECT id, %(at)s, views, likes, comments, shares, saves, followers
    FROM video JOIN seen USING (platform, external_id)
"""


class Platform:
    """Pages as a listing shows them: who is met again has the same words, higher counters, and links signed anew."""

    def __init__(self, videos: int) -> None:
        self.videos = videos
        self.words = Words(8)
        self.chance = random.Random(8)
        self.began = datetime.now(UTC).replace(microsecond=0)
        self.titles: dict[int, str] = {}
        self.known = list(range(1, videos + 1, max(videos // POOL, 1)))[:POOL]
        self.chance.shuffle(self.known)
        self.met_again = itertools.cycle(self.known)
        self.unseen = itertools.count(int(time.time()) * 1000)  # beyond those of an earlier run

    def pool(self) -> Iterator[list[VideoData]]:
        for start in range(0, len(self.known), PAGE):
            yield [self.video(number) for number in self.known[start : start + PAGE]]

    def page(self) -> list[VideoData]:
        numbers = [next(source) for _ in range(PAGE // 2) for source in (self.met_again, self.unseen)]
        self.chance.shuffle(numbers)
        return [self.video(number) for number in numbers]

    def video(self, number: int) -> VideoData:
        of_video = random.Random(number)
        views = of_video.randint(1_000, 10**7)
        if number in self.titles:
            views += self.chance.randint(1, 10_000)
        title = self.titles.setdefault(number, self.words.title())
        # Every second author and sound of a new video is new too.
        are_new = 1 if number <= self.videos else 2
        author, sound = of_video.randint(1, AUTHORS * are_new), of_video.randint(1, SOUNDS * are_new)
        return VideoData(
            platform="douyin",
            external_id=str(number),
            kind="clip",
            url=f"https://www.douyin.com/video/{number}",
            title=title,
            author=AuthorData(
                external_id=f"author{author}",
                handle=f"handle{author}",
                name=f"作者 {author}",
                url=f"https://www.douyin.com/user/{author:055}",
                avatar_url=f"https://p3-pc.douyinpic.com/aweme/100x100/aweme-avatar/{author:032x}.jpeg?from=116350172",
                followers=of_video.randint(10, 10**6),
            ),
            sound=SoundData(
                external_id=f"sound{sound}",
                title=f"@作者 {author} 创作的原声",
                author_name=f"作者 {author}",
                duration_seconds=15.0,
                play_url=f"https://sf5-hl-cdn-tos.douyinstatic.com/obj/ies-music/{sound}.mp3",
                is_original=True,
            ),
            hashtags=tuple(of_video.sample(self.words.chinese[:2_000], 4)),
            cover_url=f"https://p3-pc-sign.douyinpic.com/tos-cn-p-0015/{number:032x}~tplv-dy-360p.webp?x-expires=1796000000",
            media=tuple(self.links(number)),
            duration_ms=15_000,
            width=1080,
            height=1920,
            published_at=self.began - timedelta(seconds=of_video.randint(0, 10 * 86_400)),
            counts=Counts(views=views, likes=views // 20, comments=views // 300, shares=views // 400, saves=views // 100),
        )

    def links(self, number: int) -> Iterator[MediaURL]:
        """Four files of three mirrors each."""
        ends = self.began + timedelta(hours=6)
        for height, rate in ((1920, 2_400_000), (1280, 1_300_000), (960, 800_000), (640, 450_000)):
            signature = f"{self.chance.getrandbits(128):032x}/{int(ends.timestamp()):x}"
            path = f"{signature}/video/tos/cn/tos-cn-ve-15/{number * height:032x}/"
            query = f"a=6383&ch=10010&cr=3&dr=0&lr=all&cd=0%7C0%7C0%7C3&cv=1&br={rate // 1024}&bt={rate // 1024}&cs=0&ds=4"
            for mirror in ("v26-web", "v3-web", "v5-dy"):
                yield MediaURL(
                    url=f"https://{mirror}.douyinvod.com/{path}?{query}&mime_type=video_mp4&l=2026112003291234567890",
                    expires_at=ends,
                    width=height * 9 // 16,
                    height=height,
                    bitrate=rate,
                    codec="h264",
                    size=rate * 15 // 8,
                )


def make(videos: int, platform: Platform) -> None:
    """Rows by SQL: a source which has shown all the videos, once."""
    from django.core.management import call_command
    from django.db import connection

    from crawler.models import Source
    from crawler.partitions import ensure_partitions
    from workspaces.models import Workspace

    call_command("migrate", verbosity=0, interactive=False)
    started = time.perf_counter()
    ensure_partitions(platform.began)
    workspace = Workspace.objects.first() or Workspace.objects.create(name="Benchmark")
    source = Source.objects.create(workspace=workspace, value="benchmark", is_active=False)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0; SET synchronous_commit = off")
        cursor.execute(
            """INSERT INTO crawler_author
                   (platform, external_id, handle, name, url, avatar_url, bio, is_verified, first_seen_at, last_seen_at)
               SELECT 'douyin', 'author' || n, 'handle' || n, '作者 ' || n, repeat('x', 90), repeat('x', 110), '', false,
                   now(), now()
               FROM generate_series(1, %s) n""",
            [AUTHORS],
        )
        cursor.execute(
            """INSERT INTO crawler_sound (platform, external_id, title, author_name, play_url, cover_url, url, is_original,
                   first_seen_at, last_seen_at)
               SELECT 'douyin', 'sound' || n, repeat('x', 30), '作者 ' || n, repeat('x', 60), '', '', true, now(), now()
               FROM generate_series(1, %s) n""",
            [SOUNDS],
        )
        cursor.execute("ALTER TABLE crawler_video DISABLE TRIGGER catalog_new_title")
        cursor.execute(
            """INSERT INTO crawler_video (platform, external_id, kind, url, title, author_id, sound_id, category, hashtags,
                   cover_url, media, slides, published_at, flags, views, likes, gone_reason, first_seen_at, last_seen_at)
               SELECT 'douyin', n, 'clip', '', '', n %% %s + 1, n %% %s + 1, '', '{}', '', '[]', '[]',
                   now() - random() * interval '10 days', '{}', exp(random() * 15), exp(random() * 12), '', now(), now()
               FROM generate_series(1, %s) n""",
            [AUTHORS, SOUNDS, videos],
        )
        cursor.execute("ALTER TABLE crawler_video ENABLE TRIGGER catalog_new_title")
        cursor.execute(
            """INSERT INTO crawler_metricsnapshot (video_id, observed_at, views, likes)
               SELECT id, now() - interval '1 hour', views, likes FROM crawler_video"""
        )
        cursor.execute(
            """INSERT INTO crawler_sourcevideo (source_id, video_id, first_seen_at, last_seen_at)
               SELECT %s, id, now(), now() FROM crawler_video""",
            [source.pk],
        )
        for table in ("crawler_author", "crawler_sound", "crawler_video", "crawler_sourcevideo"):
            cursor.execute(f"UPDATE {table} SET last_seen_at = now() WHERE id % 8 = 0")  # tables that have lived have room
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("RESET synchronous_commit")
    show("Made", [("videos", "seconds"), (f"{videos:,}", f"{time.perf_counter() - started:.0f}")])


def measure(platform: Platform, rounds: int) -> None:
    from django.db import connection

    from crawler.models import Author, Sound, Source
    from crawler.recording import record

    source = Source.objects.get(value="benchmark")
    for page in platform.pool():
        record(page, source=source, at=datetime.now(UTC))
    authors = dict(Author.objects.values_list("external_id", "pk"))
    sounds = dict(Sound.objects.values_list("external_id", "pk"))
    cpu: dict[str, list[float]] = {"floor": [], "floor, not prepared": [], "record()": []}

    def flat(video: VideoData) -> dict[str, Any]:
        row = asdict(video)
        author, sound, counts = (row.pop(name) for name in ("author", "sound", "counts"))
        return {
            **row,
            **counts,
            "followers": author["followers"],
            "author_id": authors.get(author["external_id"], authors["author1"]),
            "sound_id": sounds.get(sound["external_id"], sounds["sound1"]),
        }

    def measured(name: str, work: Callable[[], Any]) -> float:
        before = time.process_time()
        taken = milliseconds(work)
        cpu[name].append((time.process_time() - before) / PAGE * 1e6)
        return taken

    def ready() -> dict[str, Any]:
        return {"videos": orjson.dumps([flat(video) for video in platform.page()]).decode(), "at": datetime.now(UTC)}

    def floor() -> float:
        parameters = ready()

        def work() -> None:
            with psycopg.Cursor(connection.connection) as cursor:
                cursor.execute(FLOOR, parameters, prepare=True)

        return measured("floor", work)

    def not_prepared() -> float:
        parameters = ready()

        def work() -> None:
            with connection.cursor() as cursor:
                cursor.execute(FLOOR, parameters)

        return measured("floor, not prepared", work)

    def product() -> float:
        page = platform.page()
        return measured("record()", lambda: record(page, source=source, at=datetime.now(UTC)))

    figures = take_turns({"floor": floor, "floor, not prepared": not_prepared, "record()": product}, rounds=rounds)
    show(
        f"A page of {PAGE}, half of it new",
        [
            ("", "p50 ms", "floor / this", "reach", "client CPU, µs per video", "reach"),
            *(
                (name, f"{p50(values):.1f}", f"{ratio(figures, 'floor', name):.2f}", least, f"{p50(cpu[name][1:]):.1f}", most)
                for (name, values), least, most in zip(figures.items(), ("1", "-", "≥ 0.8"), ("-", "-", "≤ 30"), strict=True)
            ),
        ],
    )


def count(platform: Platform) -> None:
    from django.db import connection

    from crawler.models import Source
    from crawler.recording import record

    source = Source.objects.get(value="benchmark")
    rows: list[tuple[str, ...]] = [("videos", "statements", "transactions")]
    for size in (1, 10, PAGE):
        page, at = platform.page()[:size], datetime.now(UTC)
        # Below Django's cursor, which does not see what is prepared.
        with mock.patch.object(psycopg.Cursor, "execute", autospec=True, side_effect=psycopg.Cursor.execute) as executed:
            ids = record(page, source=source, at=at).video_ids
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT count(*) FROM (
                       SELECT xmin FROM crawler_video WHERE id = ANY(%(ids)s)
                       UNION SELECT xmin FROM crawler_sourcevideo WHERE video_id = ANY(%(ids)s) AND last_seen_at = %(at)s
                       UNION SELECT xmin FROM crawler_metricsnapshot WHERE video_id = ANY(%(ids)s) AND observed_at = %(at)s
                   ) AS transactions""",
                {"ids": ids, "at": at},
            )
            rows.append((str(size), str(executed.call_count), str(cursor.fetchone()[0])))
    show("What a page costs, whatever its size (goal: one of each)", rows)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--videos", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=100)
    options.add_argument("--keep", action="store_true")
    chosen = options.parse_args()
    setup_django()
    from django.db import connection

    from crawler.signals import videos_observed

    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", [DATABASE])
        exists = cursor.fetchone()[0]
        if not exists:
            cursor.execute(f"CREATE DATABASE {DATABASE}")
    before = use_database(DATABASE)
    try:
        with mock.patch.object(videos_observed, "receivers", []):
            platform = Platform(chosen.videos)
            if not exists:
                make(chosen.videos, platform)
            measure(platform, chosen.rounds)
            count(platform)
    finally:
        use_database(before)
        if not chosen.keep:
            with connection.cursor() as cursor:
                cursor.execute(f"DROP DATABASE {DATABASE}")


if __name__ == "__main__":
    main()
