"""Clips and sounds by ffmpeg: drawn layers that move, a gentle tune, and exactly as many bytes as were announced."""

import os
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sample_platform.art.scenes import Sprite, scene
from sample_platform.world import Gear, Sound, Video

FPS = 24
LONGEST_DRAWN = 8.0
"""A longer clip repeats this many seconds without encoding them again."""


class CannotMake(Exception):
    """ffmpeg is missing or refused; the message is its last line."""


@dataclass
class Ffmpeg:
    """Runs ffmpeg; `stop` ends what runs, so that no encoder outlives the site."""

    running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    is_stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def run(self, arguments: Sequence[str | Path]) -> None:
        command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y", *map(str, arguments)]
        with self._lock:
            if self.is_stopped:
                raise CannotMake("the site is stopping")
            try:
                process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            except FileNotFoundError as error:
                raise CannotMake("ffmpeg is not installed") from error
            self.running.add(process)
        try:
            _, errors = process.communicate()
        finally:
            self.running.discard(process)
        if process.returncode:
            lines = errors.decode(errors="replace").strip().splitlines()
            raise CannotMake(lines[-1] if lines else f"ffmpeg ended with {process.returncode}")

    def stop(self) -> None:
        with self._lock:
            self.is_stopped = True
            for process in list(self.running):
                process.kill()


def tune(sound: Sound) -> str:
    """An ffmpeg source: soft plucked notes of a pentatonic scale over a quiet bass, different for every sound."""
    steps = (0, 3, 5, 7, 10, 12, 15)
    key = 196 * 2 ** ((sound.index * 5 % 12) / 12)
    beat = 0.26 + (sound.index % 5) * 0.04
    notes = [steps[(sound.index * 3 + place * (2 + sound.index % 3)) % len(steps)] for place in range(8)]
    which = f"mod(floor(t/{beat}),8)"
    pitch = "+".join(f"eq({which},{place})*{key * 2 ** (step / 12):.3f}" for place, step in enumerate(notes))
    since = f"mod(t,{beat})"
    pluck = f"0.22*sin(2*PI*({pitch})*{since})*exp(-{since}*7)*min(1,{since}*200)"
    octave = f"0.07*sin(4*PI*({pitch})*{since})*exp(-{since}*11)*min(1,{since}*200)"
    bass = f"0.10*sin(2*PI*{key / 2:.3f}*t)*(0.6+0.4*sin(2*PI*t/{beat * 8}))"
    return f"aevalsrc='{pluck}+{octave}+{bass}':s=44100:c=mono"


def make_sound(ffmpeg: Ffmpeg, sound: Sound, target: Path) -> None:
    options = ["-t", str(sound.seconds), "-c:a", "libmp3lame", "-b:a", "96k", "-metadata", f"title={sound.title}"]
    ffmpeg.run(["-f", "lavfi", "-i", tune(sound), *options, "-f", "mp3", target])


def make_clip(ffmpeg: Ffmpeg, video: Video, gear: Gear, target: Path) -> None:
    """Encode one rendition into `target`, padded to `video.bytes(gear)`."""
    workshop = target.with_suffix(".parts")
    workshop.mkdir(parents=True, exist_ok=True)
    try:
        drawn = min(video.seconds, LONGEST_DRAWN)
        inputs, graph = _layers(video, gear, workshop, drawn)
        for share in (0.8, 0.5, 0.25):
            _encode(ffmpeg, video, gear, inputs, graph, drawn, share, target)
            if target.stat().st_size + 8 <= video.bytes(gear):
                break
        else:
            raise CannotMake("the clip does not fit the size that was announced")
        pad(target, video.bytes(gear))
    finally:
        for part in workshop.iterdir():
            part.unlink()
        workshop.rmdir()


def pad(target: Path, size: int) -> None:
    """Bring an mp4 to exactly `size` bytes by a `free` box at its end, which players skip."""
    missing = size - target.stat().st_size
    with target.open("ab") as file:
        file.write(missing.to_bytes(4, "big") + b"free" + bytes(missing - 8))
        os.fsync(file.fileno())


def _layers(video: Video, gear: Gear, workshop: Path, drawn: float) -> tuple[list[str | Path], str]:
    """Draw the scene's layers to files; return ffmpeg's inputs and the graph that moves them."""
    width, height = video.size(gear)
    pictures = scene(video, width, height)
    wide, high = round(width * 1.08), round(height * 1.08)
    inputs: list[str | Path] = []
    files = [("background", pictures.background), ("title", pictures.title)]
    files += [(f"sprite{place}", sprite.image) for place, sprite in enumerate(pictures.sprites)]
    for name, picture in files:
        path = workshop / f"{name}.png"
        picture.save(path, compress_level=1)
        inputs += ["-loop", "1", "-framerate", str(FPS), "-t", str(drawn), "-i", path]
    turn = f"2*PI*t/{drawn}"
    steps = [
        f"[0:v]scale={wide}:{high}:flags=fast_bilinear,"
        f"crop={width}:{height}:x='(in_w-out_w)/2*(1+sin({turn}))':y='(in_h-out_h)/2*(1+cos({turn}))'[s0]"
    ]
    for place, sprite in enumerate(pictures.sprites):
        steps.append(_moved(place, sprite, turn, width, height))
    steps.append(f"[s{len(pictures.sprites)}][1:v]overlay=0:0:format=auto,format=yuv420p[v]")
    return inputs, ";".join(steps)


def _moved(place: int, sprite: Sprite, turn: str, width: int, height: int) -> str:
    """One overlay step. Every motion returns to where it began, so that clips loop without a jump."""
    before, layer, after = f"[s{place}]", f"[{place + 2}:v]", f"[s{place + 1}]"
    x, y = str(sprite.x), str(sprite.y)
    if sprite.motion == "bob":
        y = f"{sprite.y}-abs(sin({turn}*2+{place}))*{height * 0.022:.1f}"
    elif sprite.motion == "float":
        x = f"{sprite.x}+sin({turn}+{place})*{width * 0.02:.1f}"
        y = f"{sprite.y}+cos({turn}*2+{place})*{height * 0.012:.1f}"
    elif sprite.motion == "cross":
        x = f"{sprite.x}+sin({turn}+{place * 2})*{width * 0.12:.1f}"
    elif sprite.motion == "fall":  # a sheet twice as high as the frame, repeating after one frame height
        y = f"mod(t*{height}/4,{height})-{height}"
    if sprite.motion == "sway":
        layer_name = f"[r{place}]"
        turned = f"{layer}format=rgba,rotate=a='0.10*sin({turn}*2+{place})':c=none:bilinear=1{layer_name};"
        return f"{turned}{before}{layer_name}overlay=x={x}:y={y}:eval=frame{after}"
    return f"{before}{layer}overlay=x='{x}':y='{y}':eval=frame{after}"


def _encode(
    ffmpeg: Ffmpeg,
    video: Video,
    gear: Gear,
    inputs: list[str | Path],
    graph: str,
    drawn: float,
    share: float,
    target: Path,
) -> None:
    layers = inputs.count("-i")
    rate = int(gear.bits * share) - 64_000
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "27", "-pix_fmt", "yuv420p", "-g", str(FPS * 2)]
    if gear.codec == "h265":
        codec = ["-c:v", "libx265", "-preset", "ultrafast", "-crf", "30", "-tag:v", "hvc1", "-x265-params", "log-level=none"]
    limits = ["-maxrate", str(rate), "-bufsize", str(rate // 2)]
    sound = ["-c:a", "aac", "-b:a", "64k", "-ac", "2"]
    tags = ["-map_metadata", "-1", "-metadata", f"comment=vid:{video.art}", "-fflags", "+bitexact", "-movflags", "+faststart"]
    looped = video.seconds > drawn
    first = target.with_suffix(".parts") / "drawn.mp4" if looped else target
    ffmpeg.run(
        [*inputs, "-f", "lavfi", "-t", str(drawn), "-i", tune(video.sound), "-filter_complex", graph]
        + ["-map", "[v]", "-map", f"{layers}:a", *codec, *limits, *sound, *tags, "-t", str(drawn), "-f", "mp4", first]
    )
    if looped:
        again = ["-stream_loop", "-1", "-i", first, "-t", str(video.seconds), "-c", "copy"]
        ffmpeg.run([*again, *tags, "-f", "mp4", target])
