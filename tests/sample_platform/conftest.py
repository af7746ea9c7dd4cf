import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sample import Sample, running_sample

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140"}


@pytest.fixture(scope="module")
def own_sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    """A platform that only one module uses: its tests may switch faults for everything."""
    with running_sample(tmp_path_factory.mktemp("own")) as running:
        yield running


@pytest.fixture
def site(own_sample: Sample) -> Iterator[Sample]:
    yield own_sample
    own_sample.clear_faults()


@pytest.fixture
def clip(site: Sample) -> dict[str, Any]:
    """The aweme of a published clip that has several sizes."""
    plans = site.truth()["videos"]
    plan = next(plan for plan in plans if plan["is_published"] and not plan["is_deleted"] and len(plan["sizes"]) > 1)
    aweme: dict[str, Any] = site.detail(plan["id"])
    return aweme


def smallest(aweme: dict[str, Any]) -> dict[str, Any]:
    """The play address of the smallest H.264 rendition: the one that is made fastest."""
    gears = [gear for gear in aweme["video"]["bit_rate"] if not gear["is_h265"]]
    address: dict[str, Any] = min(gears, key=lambda gear: gear["bit_rate"])["play_addr"]
    return address


def fetch(site: Sample, url: str, **headers: str) -> requests.Response:
    """As the site's own page would: with a browser's name and the page's address."""
    return requests.get(url, headers={**BROWSER, "Referer": f"{site.web_url}/", **headers}, timeout=60, allow_redirects=False)


def probe(path: Path) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(path)]
    facts: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    return facts
