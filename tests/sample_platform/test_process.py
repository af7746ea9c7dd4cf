"""Starting, stopping, starting again."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.sample import ROOT, free_port, running_sample
from tests.sample_platform.conftest import fetch, smallest


def children(pid: int) -> set[int]:
    found: set[int] = set()
    for of_thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # the thread has just ended
            found |= {int(child) for child in of_thread.read_text().split()}
    return found


def is_running(pid: int) -> bool:
    """Whether there is such a process, and it is more than a dead entry that nobody has collected."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_second_start_has_the_same_world_and_time_and_keeps_its_files(tmp_path):
    with running_sample(tmp_path) as first:
        first.advance(30)
        plans = first.truth()
        clip = next(plan for plan in plans["videos"] if plan["sizes"] and not plan["is_deleted"])
        fetch(first, smallest(first.detail(clip["id"]))["url_list"][0])
    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.mp4")}

    with running_sample(tmp_path) as second:
        again = second.truth()
        fetch(second, smallest(second.detail(clip["id"]))["url_list"][0])

    assert [plan["id"] for plan in again["videos"]] == [plan["id"] for plan in plans["videos"]]
    assert again["site_now"] >= plans["site_now"]
    assert made == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.mp4")}


def test_stopping_while_content_is_being_made_leaves_no_process_and_no_half_file(tmp_path):
    with running_sample(tmp_path, options=("--warm-clips", "9")) as site:
        assert site.search("猫")["data"]  # it serves before it has made anything
        plan = next(plan for plan in site.truth()["videos"] if plan["sizes"] and not plan["is_deleted"])
        url = site.detail(plan["id"])["video"]["play_addr"]["url_list"][0]
        asker = subprocess.Popen(["curl", "-s", "-A", "x", "-e", f"{site.web_url}/", "-o", os.devnull, url])
        encoders: set[int] = set()
        ends = time.monotonic() + 120
        while not encoders and time.monotonic() < ends:
            encoders = children(site.process.pid)

    asker.wait(timeout=60)
    assert encoders, "no encoder was seen running"
    assert site.process.returncode == 0
    assert not [pid for pid in encoders if is_running(pid)]
    with running_sample(tmp_path):
        assert not [path for path in tmp_path.rglob("*") if ".tmp" in path.name]


def test_a_taken_port_is_a_clear_error(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "sample_platform", "--port", port, "--cdn-port", str(free_port())]
        ended = subprocess.run(
            [*command, "--data-dir", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )

    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr


def test_without_ffmpeg_pages_and_pictures_work_and_clips_say_why_not(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    with running_sample(tmp_path) as site:
        plan = next(plan for plan in site.truth()["videos"] if plan["sizes"] and not plan["is_deleted"])
        aweme = site.detail(plan["id"])

        clip = fetch(site, smallest(aweme)["url_list"][0])
        cover = fetch(site, aweme["video"]["cover"]["url_list"][0])

    assert (clip.status_code, clip.text) == (503, "ffmpeg is not installed")
    assert cover.status_code == 200


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
def test_pages_are_only_read(site, method):
    assert requests.request(method, f"{site.web_url}/search/x", timeout=10).status_code == 405
