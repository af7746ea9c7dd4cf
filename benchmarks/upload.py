"""A large file fetched and put into a bucket: `python -m benchmarks.upload [--rounds N] [--megabytes N]`. Needs curl.

Row "upload" of the performance table. The stand-in server is the bottleneck, so processor time and memory of our side count, not
seconds. The floor is the sum of a download alone (curl), a hash alone (sha256sum) and a put alone (the SDK, parts of 8 MB, no
checksum); the product fetches through the guarded door, hashes, puts with a checksum per part, and reads size and checksum back.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measure import p50, show, take_turns
from benchmarks.transfer import measured, of_children, report, running_server, setup_bare

PART = 8 * 1024 * 1024


@contextmanager
def running_bucket() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=2).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def reset(bucket: str) -> None:
    """Forget all objects: they lie in the stand-in's memory."""
    urllib.request.urlopen(urllib.request.Request(f"{bucket}/moto-api/reset", method="POST"), timeout=30).close()


def bring(address: str, folder: Path) -> None:
    """In the child: the product."""
    from downloads import storage
    from downloads.fetching import fetch_to_file

    dest = folder / "part"
    fetched = fetch_to_file([f"{address}/file"], dest, deadline_seconds=600, max_bytes=10**10)
    assert storage.put(dest, sha256=fetched.sha256, size=fetched.size, mime="video/mp4")


def put_only(path: Path) -> None:
    """In the child: the SDK's bare calls."""
    from downloads import storage

    store: Any = storage.media()
    name = {"Bucket": store.bucket_name, "Key": "bare"}
    upload = store.client.create_multipart_upload(**name)["UploadId"]
    parts = []
    with path.open("rb") as file:
        for number, part in enumerate(iter(lambda: file.read(PART), b""), 1):
            answer = store.client.upload_part(**name, UploadId=upload, PartNumber=number, Body=part)
            parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    store.client.complete_multipart_upload(**name, UploadId=upload, MultipartUpload={"Parts": parts})


def child(what: str, where: str, folder: str) -> None:
    setup_bare()
    from downloads import storage

    storage.media().ensure_ready(["http://localhost"])
    report(lambda: bring(where, Path(folder)) if what == "product" else put_only(Path(where)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=400)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        source = folder / "source"
        with source.open("wb") as file:
            for _ in range(options.megabytes):
                file.write(os.urandom(1_000_000))
        with running_server(source) as address, running_bucket() as bucket:
            env = {
                "FETCH_ALLOWED_HOSTS": address.partition("//")[2],
                "MEDIA_STORAGE": f"s3://bench-{uuid.uuid4().hex[:8]}?endpoint={bucket}&region=us-east-1",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
            }
            seen: list[dict[str, Any]] = []

            def run_product() -> float:
                reset(bucket)
                seen.append(measured("benchmarks.upload", "product", address, str(folder), env=env))
                return float(seen[-1]["cpu"])

            def run_put() -> float:
                reset(bucket)
                return float(measured("benchmarks.upload", "put", str(source), str(folder), env=env)["cpu"])

            figures = take_turns(
                {
                    "curl": lambda: of_children(["curl", "-s", address, "-o", str(folder / "curl")])["cpu"],
                    "sha256sum": lambda: of_children(["sha256sum", str(source)])["cpu"],
                    "put": run_put,
                    "product": run_product,
                },
                rounds=options.rounds,
            )
    floors = [sum(parts) for parts in zip(figures["curl"], figures["sha256sum"], figures["put"], strict=True)]
    share = p50(a / b for a, b in zip(figures["product"], floors, strict=True))
    show(
        f"{options.megabytes} MB fetched and put into a bucket (reach: CPU ≤ 1.0 ×, RSS ≤ 100 MB)",
        [
            ("", "CPU, s"),
            *((f"{name} alone", f"{p50(figures[name]):.2f}") for name in ("curl", "sha256sum", "put")),
            ("floor, the sum", f"{p50(floors):.2f}"),
            ("product", f"{p50(figures['product']):.2f}"),
            ("× floor", f"{share:.2f}"),
            ("peak RSS, MB", f"{max(run['peak_mb'] for run in seen):.0f} (of which before it began {seen[-1]['base_mb']:.0f})"),
        ],
    )


if __name__ == "__main__":
    main()
