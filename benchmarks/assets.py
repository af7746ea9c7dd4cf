"""Caching pictures while workers are killed: `python -m benchmarks.assets [--assets N] [--kills N]`, in a database of its own.

A small server hands out the sample platform's covers and slides (JPEG, WebP, HEIC), each under thousands of addresses and with
a number of its own among its bytes, so that every slide is another object. They are recorded as carousels, wanted, and brought
by two workers that are killed by SIGKILL, one or the other, all along; leases of the dead are ended at once instead of after
their minute. At the end every asset must be there, with its row, its bytes and their hash, and nothing beside them.

The floor, taken before and after: two processes that fetch the same pictures from the same server over one connection each,
decode them, make the same two thumbnails and write the three files: no sandbox, no database, no sync to the disk, no resume.
"""

import argparse
import http.server
import itertools
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.feed import use_database
from benchmarks.measure import setup_django, show

DATABASE = "benchmark_assets"
POOL = 120
SLIDES = 10
WORKERS = 2
SUFFIXES = [".jpeg", ".webp", ".jpeg", ".jpeg", ".heic"]


# -- the server ------------------------------------------------------------------------------------


def make_pool(folder: Path) -> list[bytes]:
    """Covers, and every fourth a slide in full size."""
    from sample_platform.art import pictures
    from sample_platform.media import save
    from sample_platform.world import World

    world = World(seed=1, first_day=time.time())
    videos = itertools.cycle(world.videos.values())
    carousels = itertools.cycle([video for video in world.videos.values() if len(video.slides) > 2])
    pool = []
    for number in range(POOL):
        suffix = SUFFIXES[number % len(SUFFIXES)]
        path = folder / f"{number}{suffix}"
        save(pictures.slide(next(carousels), 1) if number % 4 == 3 else pictures.cover(next(videos)), path, suffix)
        pool.append(path.read_bytes())
    return pool


def numbered(content: bytes, number: int) -> bytes:
    """The same picture in other bytes."""
    mark = number.to_bytes(8, "big")
    if content.startswith(b"\xff\xd8"):
        return content[:2] + b"\xff\xfe\x00\x0a" + mark + content[2:]
    if content[4:8] == b"ftyp":
        return content + b"\x00\x00\x00\x10free" + mark
    return content + mark


@contextmanager
def running_server(pool: list[bytes]) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            number = int(self.path.rpartition("/")[2])
            content = numbered(pool[number % len(pool)], number)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    child = os.fork()
    if child == 0:
        server.serve_forever()
    server.server_close()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


# -- the floor -------------------------------------------------------------------------------------


def bare(address: str, numbers: range, folder: str) -> None:
    """In a process of its own."""
    import io

    import pillow_heif
    from PIL import Image

    pillow_heif.register_heif_opener()
    host = urlsplit(address)
    connection = HTTPConnection(host.hostname or "", host.port)
    for number in numbers:
        connection.request("GET", f"/{number}")
        content = connection.getresponse().read()
        Path(folder, str(number)).write_bytes(content)
        with Image.open(io.BytesIO(content)) as picture:
            clean = picture.convert("RGB")
        for side in (720, 240):
            scale = min(1, side / min(clean.size))
            clean = clean.resize((round(clean.width * scale), round(clean.height * scale)), Image.Resampling.LANCZOS)
            clean.save(Path(folder, f"{number}-{side}"), "WEBP", quality=80, method=2)


def children_seconds() -> float:
    """Processor time of children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def floor_rate(address: str, count: int) -> tuple[float, float]:
    """A second, and milliseconds of processor time each."""
    before = children_seconds()
    rate = _floor_rate(address, count)
    return rate, 1000 * (children_seconds() - before) / count


def _floor_rate(address: str, count: int) -> float:
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(WORKERS) as processes:
        list(processes.map(bare, [address] * WORKERS, [range(0)] * WORKERS, [folder] * WORKERS))  # started and loaded
        started = time.perf_counter()
        shares = [range(first, count, WORKERS) for first in range(WORKERS)]
        list(processes.map(bare, [address] * WORKERS, shares, [folder] * WORKERS))
        return count / (time.perf_counter() - started)


# -- the product -----------------------------------------------------------------------------------


class Worker:
    def __init__(self, env: dict[str, str], log: Path) -> None:
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "work", "asset"],
                env=os.environ | env,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def make_rows(address: str, count: int) -> None:
    from crawler.models import Video
    from downloads import wanting

    videos = [
        Video(
            platform="benchmark",
            external_id=str(number),
            kind="carousel",
            url=f"{address}/v/{number}",
            slides=[{"urls": [f"{address}/{number * SLIDES + slide}"]} for slide in range(SLIDES)],
        )
        for number in range(count // SLIDES)
    ]
    made = Video.objects.bulk_create(videos)
    for start in range(0, len(made), 50):
        wanting.want([video.pk for video in made[start : start + 50]])


def bring(start: Callable[[], Worker], count: int, kills: int) -> tuple[float, int]:
    """The rate, and how many jobs were in the hands of workers that died."""
    from downloads.models import AssetJob
    from jobs.models import State
    from jobs.services import rescue

    chance, lost = random.Random(1), 0
    workers = [start() for _ in range(WORKERS)]
    while not AssetJob.objects.filter(state=State.COMPLETED).exists():
        time.sleep(0.05)
    started, done_before = time.perf_counter(), AssetJob.objects.filter(state=State.COMPLETED).count()
    killed = 0
    try:
        while (left := AssetJob.objects.exclude(state__in=[State.COMPLETED, State.FAILED]).count()) > 0:
            if killed < kills and (count - left) > count * (killed + 1) / (kills + 1):
                victim = chance.randrange(WORKERS)
                workers[victim].kill()
                held = AssetJob.objects.filter(state=State.RUNNING, worker__contains=f":{workers[victim].process.pid}")
                held.update(lease_until="2020-01-01T00:00:00Z")
                lost += sum(rescue().values())
                workers[victim] = start()
                killed += 1
            time.sleep(0.2)
        return (count - done_before) / (time.perf_counter() - started), lost
    finally:
        for worker in workers:
            worker.kill()


def run(chosen: argparse.Namespace, folder: Path) -> None:
    from django.core.management import call_command
    from django.db import connection

    from config import engines
    from downloads import upkeep
    from downloads.models import Asset, AssetState

    call_command("migrate", verbosity=0)
    pool = make_pool(folder)
    url = urlsplit(engines.database_url())._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    connection.close()  # not shared with the server's process
    with running_server(pool) as address:
        env = {"DATABASE_URL": url, "FETCH_ALLOWED_HOSTS": urlsplit(address).netloc, "POLL_INTERVAL": "1"}
        make_rows(address, chosen.assets)
        part = min(1000, chosen.assets)
        floors = [floor_rate(address, part)]
        before = children_seconds()
        rate, lost = bring(lambda: Worker(env, folder / "workers.log"), chosen.assets, chosen.kills)
        each = 1000 * (children_seconds() - before) / chosen.assets
        floors.append(floor_rate(address, part))
    ready = Asset.objects.filter(role="slide", state=AssetState.READY).count()
    upkeep.clear_temporary_files()
    found = upkeep.audit()
    floor, floor_each = (sum(figures) / len(floors) for figures in zip(*floors, strict=True))
    show(
        f"{chosen.assets} pictures cached, {chosen.kills} workers killed",
        [
            ("what", "figure"),
            ("floor: fetch, decode, two thumbnails, write", f"{floor:.1f}/s, {floor_each:.0f} ms of processor time each"),
            ("product", f"{rate:.1f}/s = {rate / floor:.2f} × the floor; {each:.0f} ms = {each / floor_each:.2f} ×"),
            ("jobs in the hands of the dead", str(lost)),
            ("assets ready", f"{ready} of {chosen.assets}: {chosen.assets - ready} lost"),
            ("objects without bytes, wrong, unclaimed", f"{len(found.missing)}, {len(found.wrong)}, {len(found.unclaimed)}"),
            ("objects hashed again", str(found.hashed)),
        ],
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--assets", type=int, default=10_000)
    options.add_argument("--kills", type=int, default=20)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.environ |= {"MEDIA_STORAGE": f"file:{name}/media", "TEMP_DIR": f"{name}/temp"}
        setup_django()
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {DATABASE}")
        before = use_database(DATABASE)
        try:
            run(chosen, Path(name))
        finally:
            use_database(before)
            with connection.cursor() as cursor:
                cursor.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


if __name__ == "__main__":
    main()
