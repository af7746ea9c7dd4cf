"""Runs the sample platform for tests that need a site to crawl: its own process, on free ports, smaller than the demo's."""

import json
import os
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Sample:
    """A running sample platform. Faults are shared by all who use it: scope them, or clear them afterwards."""

    web_url: str
    cdn_url: str
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.web_url}{path}", timeout=30) as answer:
            return json.loads(answer.read())

    def _call(self, method: str, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(f"{self.web_url}{path}", json.dumps(body).encode(), method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(error.read().decode()) from None

    def set_fault(
        self,
        name: str,
        *,
        on: bool = True,
        topic: str | None = None,
        video: str | None = None,
        count: int | None = None,
        value: Any = None,
        places: list[str] | None = None,
    ) -> Any:
        """Switch a fault; `count` bounds how many requests it touches, `places` which (search, detail, clip …)."""
        order = {"on": on, "topic": topic, "video": video, "count": count, "value": value, "places": places}
        return self._call("PUT", f"/control/faults/{name}", order)

    # --- TikTok and the services beside the site --------------------------------------------------------------------
    @property
    def tiktok_url(self) -> str:
        return f"{self.web_url}/tiktok"

    @property
    def scrapecreators_url(self) -> str:
        """Its key is "sample-scrapecreators-key"."""
        return f"{self.web_url}/services/scrapecreators"

    @property
    def apify_url(self) -> str:
        """Its token is "sample-apify-token"."""
        return f"{self.web_url}/services/apify"

    @property
    def gemini_url(self) -> str:
        """Its key is "sample-gemini-key"."""
        return f"{self.web_url}/services/gemini"

    def tiktok_truth(self) -> Any:
        """What the TikTok side holds: videos, creators, sounds."""
        return self.get("/control/tiktok.json")

    def set_person(self, now_called: str, **changes: str) -> None:
        """A TikTok profile gets another `handle`, or another `state`: private, deleted, empty, or "" for open."""
        self._call("PUT", f"/control/people/{now_called}", changes)

    def set_credits(self, left: int) -> None:
        """What is left to buy at ScrapeCreators."""
        self._call("PUT", "/control/credits", {"left": left})

    def expire_links(self) -> None:
        """Every link to media given so far ends now; new ones work."""
        self._call("PUT", "/control/media", {"expire": True})

    def clear_faults(self) -> None:
        self._call("DELETE", "/control/faults", {})

    def advance(self, hours: float, *, speed: float | None = None) -> None:
        """Move the site's time ahead, so that its numbers grow at once."""
        self._call("PUT", "/control/clock", {"advance_hours": hours, "speed": speed})

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Nothing grows meanwhile: two answers of one moment say one number."""
        self.advance(0, speed=0)
        try:
            yield
        finally:
            self.advance(0, speed=1)

    def truth(self) -> Any:
        """What is planned: surges, quirks, kinds, sizes and the true counts of every video."""
        return self.get("/control/truth.json")

    def search(self, words: str, offset: int = 0, count: int = 20) -> Any:
        """One page of the search call, as the site's own script would get it."""
        return self.get(f"/aweme/v1/web/general/search/single/?keyword={quote(words)}&offset={offset}&count={count}")

    def detail(self, video: str) -> Any:
        return self.get(f"/aweme/v1/web/aweme/detail/?aweme_id={video}")["aweme_detail"]


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """In a row, and below those that the kernel gives to outgoing connections: one of these would take it before the start."""
    while True:
        first = random.randrange(20_000, 30_000)
        ports = list(range(first, first + count))
        with ExitStack() as stack:
            try:
                for port in ports:
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return ports


@contextmanager
def running_sample(folder: Path, *, videos: int = 160, options: tuple[str, ...] = ("--lazy",)) -> Iterator[Sample]:
    """Start the platform with its files in `folder`; stop it, and everything it started, at the end."""
    port, cdn_port = free_ports(2)
    command = [sys.executable, "-m", "sample_platform", "--port", str(port), "--cdn-port", str(cdn_port)]
    command += ["--data-dir", str(folder), "--videos", str(videos), *options]
    with (folder / "sample.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, env=os.environ.copy())
    sample = Sample(f"http://localhost:{port}", f"http://127.0.0.1:{cdn_port}", process)
    try:
        wait_until_up(sample, folder / "sample.log")
        yield sample
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def wait_until_up(sample: Sample, log: Path, seconds: float = 120.0) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if sample.process.poll() is not None:
            raise RuntimeError(f"the sample platform did not start: {log.read_text()}")
        try:
            sample.get("/control/health")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the sample platform did not answer in {seconds} s: {log.read_text()}")


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    """One platform for a whole run; made visible to every test by `tests/conftest.py`."""
    with running_sample(tmp_path_factory.mktemp("sample")) as running:
        yield running
