"""Clips and sounds by ffmpeg: drawn layers that move, a gentle tune, and exactly as many bytes as were announced."""

import shutil
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sample_platform.art.scenes import Sprite, scene
from sample_platform.world import Gear, Sound, Video

FPS = 24
ROUND = 2.5
"""Seconds of motion that are encoded; a clip repeats them without encoding them again."""
TURN = f"2*PI*t/{ROUND}"
SOUND_BITS = 64_000


class CannotMake(Exception):
    """ffmpeg is missing or refused; the message is its last line."""


@dataclass
class Ffmpeg:
    """Runs ffmpeg; `stop` ends what runs, so that no encoder outlives the site."""

    running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    is_stopped: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def run(self, arguments: Sequence[object]) -> None:
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
        inputs, graph = _layers(video, gear, workshop)
        for share in (0.85, 0.5, 0.25):
            _encode_round(ffmpeg, gear, inputs, graph, int(gear.bits * share) - SOUND_BITS, workshop / "round.mp4")
            _repeat(ffmpeg, video, workshop / "round.mp4", target)
            if target.stat().st_size + 8 <= video.bytes(gear):
                break
        else:
            raise CannotMake("the clip does not fit the size that was announced")
        pad(target, video.bytes(gear))
    finally:
        shutil.rmtree(workshop)


def pad(target: Path, size: int) -> None:
    """Bring an mp4 to exactly `size` bytes by a `free` box at its end, which players skip."""
    missing = size - target.stat().st_size
    with target.open("ab") as file:
        file.write(missing.to_bytes(4, "big") + b"free" + bytes(missing - 8))


def _layers(video: Video, gear: Gear, workshop: Path) -> tuple[list[str | Path], str]:
    """Draw the scene's layers to files; return ffmpeg's inputs and the graph that moves them."""
    width, height = video.size(gear)
    pictures = scene(video, width, height)
    # A little more than the frame, so that it can drift. Enlarged here, once, not by ffmpeg for each frame.
    background = pictures.background.resize((round(width * 1.06) // 2 * 2, round(height * 1.06) // 2 * 2))
    inputs: list[str | Path] = []
    layers = [background, pictures.title, *(sprite.image for sprite in pictures.sprites)]
    for place, picture in enumerate(layers):
        path = workshop / f"{place}.png"
        picture.save(path, compress_level=1)
        inputs += ["-i", path]
    # Each picture is decoded and converted once; `loop` then hands out the same frame.
    still = f"loop=loop=-1:size=1,setpts=N/{FPS}/TB"
    steps = [f"[{place}:v]format=yuva420p,{still}[l{place}]" for place in range(1, len(layers))]
    drift = f"crop={width}:{height}:x='(in_w-out_w)/2*(1+sin({TURN}))':y='(in_h-out_h)/2*(1+cos({TURN}))'"
    steps.append(f"[0:v]format=yuv420p,{still},{drift}[s0]")
    steps += [_moved(place, sprite, width, height) for place, sprite in enumerate(pictures.sprites)]
    steps.append(f"[s{len(pictures.sprites)}][l1]overlay=0:0[v]")
    return inputs, ";".join(steps)


def _moved(place: int, sprite: Sprite, width: int, height: int) -> str:
    """One overlay step. Every motion returns to where it began, so that a round can follow itself."""
    before, layer, after = f"[s{place}]", f"[l{place + 2}]", f"[s{place + 1}]"
    x, y = str(sprite.x), str(sprite.y)
    if sprite.motion == "bob":
        y = f"{sprite.y}-abs(sin({TURN}+{place}))*{height * 0.022:.1f}"
    elif sprite.motion == "float":
        x = f"{sprite.x}+sin({TURN}+{place})*{width * 0.02:.1f}"
        y = f"{sprite.y}+cos({TURN}+{place})*{height * 0.012:.1f}"
    elif sprite.motion == "cross":
        x = f"{sprite.x}+sin({TURN}+{place})*{width * 0.09:.1f}"
    elif sprite.motion == "fall":  # the sheet repeats itself after half a frame
        y = f"(t/{ROUND}-1)*{height / 2:.1f}"
    if sprite.motion == "sway":
        turned = f"{layer}rotate=a='0.09*sin({TURN})':c=none[r{place}];"
        return f"{turned}{before}[r{place}]overlay=x={x}:y={y}{after}"
    return f"{before}{layer}overlay=x='{x}':y='{y}'{after}"


def _encode_round(ffmpeg: Ffmpeg, gear: Gear, inputs: list[str | Path], graph: str, rate: int, target: Path) -> None:
    """One round of the motion, without sound."""
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "27", "-g", str(FPS)]
    if gear.codec == "h265":
        codec = ["-c:v", "libx265", "-preset", "ultrafast", "-crf", "30", "-tag:v", "hvc1", "-x265-params", "log-level=none"]
    limits = ["-maxrate", str(rate), "-bufsize", str(rate), "-pix_fmt", "yuv420p", "-bf", "0"]
    frames = ["-frames:v", str(int(FPS * ROUND)), "-r", str(FPS)]
    ffmpeg.run([*inputs, "-filter_complex", graph, "-map", "[v]", *codec, *limits, *frames, "-f", "mp4", target])


def _repeat(ffmpeg: Ffmpeg, video: Video, motion: Path, target: Path) -> None:
    """The whole clip: the round again and again, copied, under a tune of full length."""
    length = ["-t", f"{video.seconds:.3f}"]
    inputs = ["-stream_loop", "-1", "-i", motion, "-f", "lavfi", *length, "-i", tune(video.sound)]
    sound = ["-c:a", "aac", "-b:a", str(SOUND_BITS), "-ac", "2"]
    tags = ["-map_metadata", "-1", "-metadata", f"comment=vid:{video.art}", "-fflags", "+bitexact", "-movflags", "+faststart"]
    ffmpeg.run([*inputs, "-map", "0:v", "-map", "1:a", "-c:v", "copy", *sound, *tags, *length, "-f", "mp4", target])
