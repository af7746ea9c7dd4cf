"""Fetching files with their hash: `python -m benchmarks.download [--rounds N]`. Needs curl and sha256sum.

Row "download with sha256" of the performance table: 10 MB files over loopback, 1, 8 and 32 at once, each slot several in a row.
The floor is curl, which writes and does not hash; its processor time is compared after adding sha256sum's over the same bytes.
The product goes through the guarded door (address checked, deadline, cap), hashes while it writes, and could resume.
"""

import argparse
import os
import tempfile
import threading
from pathlib import Path
from typing import Any

from benchmarks.measure import p50, ratio, show, take_turns
from benchmarks.transfer import measured, of_children, report, running_server, setup_bare

SIZE = 10_000_000
FILES = {1: 16, 8: 48, 32: 96}
"""How many in all, by how many at once."""


def fetch_all(address: str, at_once: int, folder: Path) -> None:
    """In the child."""
    from downloads.fetching import fetch_to_file, forget

    def fetch(slot: int) -> None:
        for number in range(FILES[at_once] // at_once):
            dest = folder / f"{slot}-{number}"
            fetched = fetch_to_file([f"{address}/{slot}/{number}"], dest, deadline_seconds=120, max_bytes=10**8)
            assert fetched.size == SIZE
            forget(dest)

    threads = [threading.Thread(target=fetch, args=[slot]) for slot in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def curl(address: str, at_once: int, folder: Path) -> dict[str, float]:
    count = FILES[at_once]
    urls = [word for number in range(count) for word in (f"{address}/{number}", "-o", str(folder / f"curl-{number}"))]
    parallel = ["-Z", "--parallel-max", str(at_once)] if at_once > 1 else []
    figures = of_children(["curl", "-s", *parallel, *urls])
    hashed = of_children(["sha256sum", *(str(folder / f"curl-{number}") for number in range(count))])
    for number in range(count):
        (folder / f"curl-{number}").unlink()
    return {"seconds": figures["seconds"], "cpu": figures["cpu"] + hashed["cpu"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--child", nargs=3, metavar=("ADDRESS", "AT_ONCE", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        setup_bare()
        address, at_once, folder = options.child
        report(lambda: fetch_all(address, int(at_once), Path(folder)))
        return

    rows: list[tuple[str, ...]] = [("at once", "curl, MB/s", "product, MB/s", "× curl", "CPU × (curl + sha256)", "peak RSS, MB")]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        source = folder / "source"
        source.write_bytes(os.urandom(SIZE))
        with running_server(source) as address:
            allowed = {"FETCH_ALLOWED_HOSTS": address.partition("//")[2]}
            for at_once, count in FILES.items():
                seen: dict[str, list[dict[str, Any]]] = {"curl": [], "product": []}

                def run_curl(at_once: int = at_once, seen: Any = seen) -> float:
                    seen["curl"].append(curl(address, at_once, folder))
                    return FILES[at_once] * SIZE / float(seen["curl"][-1]["seconds"])

                def run_product(at_once: int = at_once, seen: Any = seen) -> float:
                    seen["product"].append(measured("benchmarks.download", address, str(at_once), str(folder), env=allowed))
                    return FILES[at_once] * SIZE / float(seen["product"][-1]["seconds"])

                figures = take_turns({"curl": run_curl, "product": run_product}, rounds=options.rounds)
                cpu = p50(a["cpu"] / b["cpu"] for a, b in zip(seen["product"][1:], seen["curl"][1:], strict=True))
                rows.append(
                    (
                        f"{at_once} ({count} files)",
                        f"{p50(figures['curl']) / 1e6:.0f}",
                        f"{p50(figures['product']) / 1e6:.0f}",
                        f"{ratio(figures, 'product', 'curl'):.2f}",
                        f"{cpu:.2f}",
                        f"{max(run['peak_mb'] for run in seen['product']):.0f}",
                    )
                )
    show("Download of 10 MB files with sha256 (reach: ≥ 0.6 × at 1, ≥ 0.85 × at 8 and 32; CPU ≤ 1.1 ×; RSS ≤ 60 MB at 32)", rows)


if __name__ == "__main__":
    main()
