"""Clips made by ffmpeg, buckets and containers on stand-in servers, and stores to put things into."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.settings import BASE_DIR
from downloads import locations, storage
from downloads.stores.base import Blob, Store
from tests.sample import free_port

MakeClip = Callable[..., Path]
AZURITE = BASE_DIR / "tests/azurite/node_modules/.bin/azurite-blob"


@pytest.fixture(scope="session")
def make_clip(tmp_path_factory: pytest.TempPathFactory) -> MakeClip:
    """`make_clip("a.mp4", seconds=3, …)`: a real H.264 clip with sound; made once per set of arguments."""
    folder = tmp_path_factory.mktemp("clips")

    def make(name: str = "clip.mp4", *, seconds: float = 3, size: str = "360x640", options: tuple[str, ...] = ()) -> Path:
        mark = hashlib.sha256(repr((name, seconds, size, options)).encode()).hexdigest()[:12]
        path = folder / f"{mark}-{name}"
        if not path.exists():
            subprocess.run(
                [
                    *("ffmpeg", "-v", "error", "-y"),
                    *("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d={seconds}"),
                    *("-f", "lavfi", "-i", f"sine=d={seconds}"),
                    *(options or ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac")),
                    *("-pix_fmt", "yuv420p", "-shortest", "-movflags", "+faststart"),
                    str(path),
                ],
                check=True,
            )
        return path

    return make


@pytest.fixture(scope="session")
def clip(make_clip: MakeClip) -> Path:
    return make_clip()


@pytest.fixture(scope="session")
def bucket_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running S3 stand-in (moto)."""
    port = free_port()
    log = (tmp_path_factory.mktemp("moto") / "log").open("wb")
    server = subprocess.Popen(
        [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)],
        stdout=log,
        stderr=log,
        env={**os.environ, "MOTO_S3_DEFAULT_KEY_BUFFER_SIZE": "1048576"},
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, server)
        yield address
    finally:
        server.terminate()
        server.wait(60)
        log.close()


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/moto-api/", timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("moto_server did not start")


@pytest.fixture(scope="session")
def azurite() -> Iterator[str]:
    """The connection string of a running Azurite, which keeps everything in memory."""
    node = shutil.which("node")
    if node is None or not AZURITE.exists():
        pytest.skip("Azurite is not installed; where there is Node.js, scripts/setup.sh tests does it")
    key = base64.b64encode(os.urandom(64)).decode()
    server = subprocess.Popen(
        [
            *(node, str(AZURITE), "--blobPort", "0", "--inMemoryPersistence", "--silent"),
            *("--skipApiVersionCheck", "--disableTelemetry"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "AZURITE_ACCOUNTS": f"test:{key}"},
    )
    assert server.stdout
    try:
        said = [line := server.stdout.readline()]
        while line and "listens on" not in line:
            said.append(line := server.stdout.readline())
        if not line:
            raise RuntimeError(f"Azurite did not start: {''.join(said)}")
        address = line.split()[-1]
        yield f"AccountName=test;AccountKey={key};BlobEndpoint={address}/test;"
    finally:
        server.terminate()
        server.communicate(timeout=60)


def use_media(settings: Any, url: str) -> None:
    """Point the media store elsewhere, for the rest of a test."""
    settings.STORAGES = {**settings.STORAGES, "media": locations.storage_settings(url, base=BASE_DIR)}
    storage._direct_link.cache_clear()


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`place("azure", "some/prefix")`: what MEDIA_STORAGE says of a new and empty place, its credentials in the environment."""

    def find(kind: str, prefix: str = "") -> str:
        name = f"test-{uuid.uuid4().hex[:8]}/{prefix}".rstrip("/")
        if kind == "s3":
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
            return f"s3://{name}?endpoint={request.getfixturevalue('bucket_server')}&region=us-east-1"
        if kind == "azure":
            for other in ("ACCOUNT", "KEY", "SAS_TOKEN"):
                monkeypatch.delenv(f"AZURE_STORAGE_{other}", raising=False)
            monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", request.getfixturevalue("azurite"))
            return f"azure://{name}"
        return f"file:{tmp_path / 'media'}"

    return find


@pytest.fixture(params=["local", "s3", "azure"])
def store(request: pytest.FixtureRequest, settings: Any, place: Callable[..., str]) -> Store:
    """The media store of the test: a folder, a bucket and a container in turn."""
    use_media(settings, place(request.param, "some/prefix"))
    storage.media().ensure_ready(["http://localhost:8000"])
    return storage.media()


@pytest.fixture
def make_blob(tmp_path: Path) -> Callable[[bytes], Blob]:
    def make(content: bytes) -> Blob:
        sha256 = hashlib.sha256(content).hexdigest()
        path = tmp_path / f"temp-{uuid.uuid4().hex}"
        path.write_bytes(content)
        return Blob(path=path, key=storage.key_of(sha256), sha256=sha256, size=len(content), mime="video/mp4")

    return make
