"""The feed over HTTP, 50 cards a page: `python -m benchmarks.api_feed`, in a database of its own; --keep keeps it.

Row "feed API throughput" of the performance table. All contestants run in one gunicorn, in turns: the API as it is (limits
counted, links signed); a Django view that passes on the same cards as JSON made by PostgreSQL, behind the same middleware
(the floor); the same without Django's request handling; and a ModelSerializer, for comparison.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.feed import DATABASE, Words, make, use_database
from benchmarks.measure import ratio, setup_django, show, take_turns

LIMIT = 50
PATHS = {
    "API": f"/api/videos?ordering=-score&limit={LIMIT}",
    "JSON by SQL": "/floor",
    "JSON by SQL, no Django": "/bare",
    "ModelSerializer": "/serializer",
}

# What the API answers, but for the links of the covers: the API signs them.
JSON_BY_SQL = f"""
    WITH page AS MATERIALIZED (
        SELECT v.id, s.classic AS key FROM crawler_video v JOIN ranking_score s ON s.video_id = v.id
        ORDER BY s.classic DESC, s.video_id DESC LIMIT {LIMIT}
    )
    SELECT json_build_object('next', 'x', 'results', json_agg(json_build_object(
        'id', v.id, 'platform', v.platform, 'external_id', v.external_id, 'kind', v.kind, 'url', v.url, 'title', v.title,
        'category', v.category, 'hashtags', v.hashtags, 'duration_ms', v.duration_ms, 'width', v.width, 'height', v.height,
        'published_at', v.published_at, 'first_seen_at', v.first_seen_at, 'last_seen_at', v.last_seen_at,
        'gone_at', v.gone_at, 'views', v.views, 'likes', v.likes, 'comments', v.comments, 'shares', v.shares,
        'saves', v.saves, 'sound_id', v.sound_id, 'score', s.classic, 'momentum', s.momentum, 'is_surging', s.is_surging,
        'surging_since', s.surging_since, 'cover_url', cover.sha256,
        'author', json_build_object('id', a.id, 'name', a.name, 'handle', a.handle, 'is_verified', a.is_verified),
        'download_status', {{status}},
        'download_progress', coalesce((SELECT max(j.progress) FROM downloads_downloadjob j
                                       WHERE j.video_id = v.id AND j.state = 'running'), 0)
    ) ORDER BY page.key DESC))::text
    FROM page
    JOIN crawler_video v ON v.id = page.id
    JOIN ranking_score s ON s.video_id = v.id
    LEFT JOIN crawler_author a ON a.id = v.author_id
    LEFT JOIN downloads_asset c ON c.video_id = v.id AND c.role = 'cover' AND c.quality = '' AND c.position = 0
        AND c.state = 'ready'
    LEFT JOIN downloads_storedobject cover ON cover.id = c.object_id
"""


COVERS = """
    WITH shown AS (SELECT video_id FROM ranking_score ORDER BY classic DESC LIMIT 5000), stored AS (
        INSERT INTO downloads_storedobject (sha256, size, mime, facts, created_at, verified_at)
        SELECT encode(sha256(video_id::text::bytea), 'hex'), 50000, 'image/webp', '{}', now(), now() FROM shown
        ON CONFLICT DO NOTHING RETURNING id, sha256
    )
    INSERT INTO downloads_asset (video_id, role, quality, position, state, object_id, error_code, tried_address, created_at)
    SELECT video_id, 'cover', '', 0, 'ready', stored.id, '', '', now()
    FROM shown JOIN stored ON stored.sha256 = encode(sha256(video_id::text::bytea), 'hex')
"""


# -- what gunicorn serves ------------------------------------------------------------------------------


def page_by_sql() -> bytes:
    from django.db import connection

    from catalog.cards import DOWNLOAD_STATUS

    with connection.cursor() as cursor:
        cursor.execute(JSON_BY_SQL.format(status=DOWNLOAD_STATUS))
        [[text]] = cursor.fetchall()
    return str(text).encode()


def urlpatterns() -> list[Any]:
    from django.http import HttpResponse
    from django.urls import include, path
    from rest_framework import serializers
    from rest_framework.generics import ListAPIView
    from rest_framework.permissions import AllowAny

    from crawler.models import Author, Video

    class AuthorSerializer(serializers.ModelSerializer[Author]):
        class Meta:
            model = Author
            fields = ("id", "name", "handle", "is_verified")

    class VideoSerializer(serializers.ModelSerializer[Video]):
        author = AuthorSerializer()
        score = serializers.FloatField(source="score.classic")

        class Meta:
            model = Video
            exclude = ("sources", "media", "slides", "flags")

    class Serialized(ListAPIView[Video]):
        permission_classes = (AllowAny,)
        serializer_class = VideoSerializer

        def get_queryset(self) -> Any:
            rows = Video.objects.select_related("author", "score").filter(score__isnull=False)
            return rows.order_by("-score__classic", "-score__video_id")[:LIMIT]

    def floor(request: Any) -> HttpResponse:
        return HttpResponse(page_by_sql(), content_type="application/json")

    return [path("floor", floor), path("serializer", Serialized.as_view()), path("", include("config.urls"))]


def make_application() -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    setup_django()
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": urlpatterns()})
    django = get_wsgi_application()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/bare":
            return django(environ, start_response)
        body = page_by_sql()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return application


# -- who asks ------------------------------------------------------------------------------------------


def throughput(port: int, path: str, *, clients: int, seconds: float) -> float:
    """Answers a second, by so many clients that each ask again as soon as they are answered."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n".encode()
    started = time.perf_counter()

    def ask(number: int) -> int:
        count = 0
        with closing(socket.create_connection(("127.0.0.1", port))) as connection:
            stream = connection.makefile("rb")
            while time.perf_counter() < started + seconds:
                connection.sendall(request)
                status, length = stream.readline(), 0
                if b" 200 " not in status:
                    raise SystemExit(f"{path} answers {status!r}")
                while (line := stream.readline()) != b"\r\n":
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                stream.read(length)
                count += 1
        return count

    with ThreadPoolExecutor(clients) as pool:
        total = sum(pool.map(ask, range(clients)))
    return total / (time.perf_counter() - started)


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def serve(port: int, database_url: str, workers: int) -> subprocess.Popen[bytes]:
    server = subprocess.Popen(
        [
            *(str(Path(sys.executable).with_name("gunicorn")), "benchmarks.api_feed:make_application()"),
            *(
                "--bind",
                f"127.0.0.1:{port}",
                "--worker-class",
                "config.web.PatientWorker",
                "--workers",
                str(workers),
                "--threads",
                "8",
            ),
            *("--no-control-socket", "--keep-alive", "60", "--log-level", "warning"),
        ],
        env={**os.environ, "DATABASE_URL": database_url},
    )
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return server
    server.kill()
    raise SystemExit("gunicorn does not answer.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each turn")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="keep the database, and use it if it is there")
    options = parser.parse_args()
    setup_django()
    from constance import config
    from django.db import connection

    from config import engines

    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", [DATABASE])
        is_there = cursor.fetchone() == (True,)
        if is_there and not options.keep:
            cursor.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
        if not (is_there and options.keep):
            cursor.execute(f"CREATE DATABASE {DATABASE}")
    before = use_database(DATABASE)
    if not (is_there and options.keep):
        make(options.videos, Words(seed=1))
    with connection.cursor() as cursor:
        cursor.execute(COVERS)
        cursor.execute("ANALYZE downloads_asset, downloads_storedobject")
    config.API_ANONYMOUS_READS_PER_MINUTE = 10**9  # counted as always, and never too many
    connection.close()

    port = free_port()
    server = serve(port, urlsplit(engines.database_url())._replace(path=f"/{DATABASE}").geturl(), options.workers)
    try:
        asked = {
            name: lambda path=path: throughput(port, path, clients=options.clients, seconds=options.seconds)
            for name, path in PATHS.items()
        }
        figures = take_turns(asked, rounds=options.rounds)
    finally:
        server.terminate()
        server.wait()
    rows = [("answered by", "answers a second", "by JSON by SQL")]
    for name, values in figures.items():
        rows.append((name, f"{statistics.median(values):.0f}", f"{ratio(figures, name, 'JSON by SQL'):.2f} ×"))
    show(f"{LIMIT} cards, {options.clients} clients, {options.workers} workers (goal for the API: at least 0.6 ×)", rows)
    use_database(before)
    if not options.keep:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


if __name__ == "__main__":
    main()
