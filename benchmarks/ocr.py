"""Slides read on this machine: `python -m benchmarks.ocr [--slides 100] [--rounds 3]`. Draws its slides itself.

The floor is bare RapidOCR as it comes, called with the bytes of each slide. The product opens the same bytes in the sandbox,
writes a small copy, recognises the words, joins the lines and decides on types and category. Both use the same models. Memory
is that of the process after each round of the product: it must not grow.
"""

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import p50, ratio, setup_django, show, take_turns

PER_CAROUSEL = 6


def drawn(count: int) -> list[bytes]:
    """Slides of 1080 × 1440 and more, with Chinese and English on them."""
    from sample_platform.art import pictures
    from sample_platform.world import World

    found: list[bytes] = []
    for video in World(seed=1, first_day=time.time()).videos.values():
        for position in range(len(video.slides)):
            if len(found) == count:
                return found
            buffer = io.BytesIO()
            pictures.slide(video, position).convert("RGB").save(buffer, "JPEG", quality=86)
            found.append(buffer.getvalue())
    return found


def resident_mib() -> float:
    """Of this process, now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def rate(slides: int, work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return slides / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slides", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    setup_django()
    from rapidocr import RapidOCR

    from analysis.analyzers import local
    from analysis.analyzers.base import Carousel, KnownCategory
    from analysis.analyzers.topics import STARTERS
    from analysis.pictures import decoded

    slides = drawn(options.slides)
    bare = RapidOCR(params={"Global.log_level": "error"})
    known = [KnownCategory(slug=slug, name=name) for slug, (name, _words) in STARTERS.items()]
    memory: list[float] = []

    def read_bare() -> None:
        for content in slides:
            bare(content)

    def read_ours() -> None:
        with tempfile.TemporaryDirectory() as folder:
            for start in range(0, len(slides), PER_CAROUSEL):
                paths = []
                for number, content in enumerate(slides[start : start + PER_CAROUSEL]):
                    path = Path(folder, f"{start + number}")
                    path.write_bytes(content)
                    paths.append(path)
                pictures = [picture for picture in decoded(list(enumerate(paths))) if picture is not None]
                reading = local.Local().read(
                    Carousel(pictures=pictures, categories=known), progress=lambda _: None, spend=lambda _: None
                )
                assert len(reading.slides) == len(paths)
        memory.append(resident_mib())

    count = len(slides)
    figures = take_turns({"bare": lambda: rate(count, read_bare), "ours": lambda: rate(count, read_ours)}, rounds=options.rounds)
    show(
        f"{count} slides read on this machine (reach: ≥ 0.8 ×, memory steady)",
        [
            ("bare RapidOCR, slides/s", "product, slides/s", "× floor", "memory after each round, MiB"),
            (
                f"{p50(figures['bare']):.2f}",
                f"{p50(figures['ours']):.2f}",
                f"{ratio(figures, 'ours', 'bare'):.2f}",
                ", ".join(f"{each:.0f}" for each in memory),
            ),
        ],
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
