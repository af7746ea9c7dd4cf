"""Facts and three pictures of a clip: `python -m benchmarks.probe [--rounds N]`. Needs ffmpeg and ffprobe; makes its clips.

Row "probe + three thumbnails" of the performance table. The floor is ffprobe and three ffmpeg runs that seek, without a
sandbox; the product's one process also reads every packet and decodes sound, inside its sandbox. "Warm" is the same work
without the start of the process, the libraries and the sandbox: what a decoder that stays would cost.
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import p50, ratio, setup_django, show, take_turns

POINTS = (1.5, 7.5, 13.5)


def make_clip(path: Path, key_frames_every: int) -> None:
    """15 s, 1080 × 1920, 30 frames a second, about 4 Mbit/s, with sound."""
    subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=1080x1920:r=30:d=15"),
            *("-f", "lavfi", "-i", "sine=d=15", "-c:v", "libx264", "-preset", "veryfast", "-b:v", "4M"),
            *("-g", str(key_frames_every), "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest", "-movflags", "+faststart"),
            str(path),
        ],
        check=True,
    )


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def floor(clip: Path, folder: Path) -> None:
    facts = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(clip)]
    subprocess.run(facts, check=True, capture_output=True)
    for number, point in enumerate(POINTS):
        picture = ["ffmpeg", "-v", "error", "-y", "-ss", str(point), "-i", str(clip), "-frames:v", "1"]
        subprocess.run([*picture, "-vf", "scale=404:720", str(folder / f"{number}.jpg")], check=True)


def contestants(clip: Path, folder: Path) -> dict[str, Callable[[], float]]:
    from downloads.processing import sandbox
    from downloads.processing.inside import clip as inside
    from downloads.processing.probe import probe

    assert len(probe(clip).thumbnails) == 3
    return {
        "floor": lambda: timed(lambda: floor(clip, folder)),
        "probe": lambda: timed(lambda: probe(clip)),
        "warm": lambda: timed(lambda: inside.main(str(clip), "mov", 720)),
        "sandbox": lambda: timed(lambda: sandbox.run(["/usr/bin/true"], sandbox.Mounts(), sandbox.Limits())),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_args()
    setup_django()
    rows: list[tuple[str, ...]] = [
        ("key frames", "floor, ms", "probe, ms", "× floor", "warm, ms", "× floor", "empty sandbox, ms")
    ]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, every in (("each second", 30), ("each 4 s", 120), ("x264's own (8.3 s)", 250)):
            clip = folder / f"{every}.mp4"
            make_clip(clip, every)
            figures = take_turns(contestants(clip, folder), rounds=options.rounds)
            rows.append(
                (
                    name,
                    f"{p50(figures['floor']):.0f}",
                    f"{p50(figures['probe']):.0f}",
                    f"{ratio(figures, 'probe', 'floor'):.2f}",
                    f"{p50(figures['warm']):.0f}",
                    f"{ratio(figures, 'warm', 'floor'):.2f}",
                    f"{p50(figures['sandbox']):.1f}",
                )
            )
    show("Probe and three pictures of a 15 s clip, 1080 × 1920 (reach: ≤ 0.4 ×, warm ≤ 0.15 ×)", rows)


if __name__ == "__main__":
    main()
