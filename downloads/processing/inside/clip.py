"""Runs inside the sandbox: one pass over a clip or a sound, answered as one JSON object on stdout.

argv: the file, its demuxer, the longest side of a thumbnail (0: none). FFmpeg's libraries in this process (PyAV) cost
one start-up where ffprobe and ffmpeg cost one each. The answer is built by a process that a hostile file may own:
whoever reads it trusts none of its types.
"""

import base64
import json
import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

sys.path.append("/packages")

import av
from av.codec.context import ThreadType

POINTS = (0.1, 0.5, 0.9)
FORWARD_FRAMES = 60
"""How far a picture is decoded on from its key frame when two points share it (three: twice as far)."""
MOST_PACKETS = 2_000_000


def main(path: str, demuxer: str, side: int) -> dict[str, Any]:
    av.logging.set_level(av.logging.PANIC)
    whitelist = {"protocol_whitelist": "file", "format_whitelist": demuxer, "enable_drefs": "0"}
    if demuxer != "mov":
        del whitelist["enable_drefs"]
    with av.open(path, format=demuxer, options=whitelist) as container:
        videos = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
        video = videos[0] if videos else None
        audio = container.streams.audio[0] if container.streams.audio else None
        answer = facts(container, video, audio)
        keys = read_packets(container, video, audio, answer)
        answer["thumbnails"] = []
        sample(container, video, audio, keys, side, answer)
    return answer


def facts(container: Any, video: Any, audio: Any) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "duration": seconds(container.duration, Fraction(1, av.time_base)),
        "bitrate": container.bit_rate,
        "streams": len(container.streams),
        "complaints": [],
    }
    if video is not None:
        context = video.codec_context
        rate = video.average_rate or video.guessed_rate
        answer["video"] = {
            "codec": context.codec.canonical_name,
            "width": context.width,
            "height": context.height,
            "fps": float(rate) if rate else None,
            "duration": seconds(video.duration, video.time_base),
            "pixel_format": context.pix_fmt or "",
        }
    if audio is not None:
        context = audio.codec_context
        answer["audio"] = {
            "codec": context.codec.canonical_name,
            "sample_rate": context.sample_rate,
            "channels": context.layout.nb_channels,
            "duration": seconds(audio.duration, audio.time_base),
        }
    return answer


def read_packets(container: Any, video: Any, audio: Any, answer: dict[str, Any]) -> list[int]:
    """Every packet: is it whole, does its inside add up, and how far does each stream reach? Returns key frame times."""
    keys: list[int] = []
    count = 0
    reach: dict[int, list[Any]] = {stream.index: [0, None, None] for stream in (video, audio) if stream is not None}
    nal_size = length_prefix(video.codec_context) if video is not None else 0
    for packet in container.demux(*(s for s in (video, audio) if s is not None)):
        if not packet.size:
            continue
        count += 1
        if count > MOST_PACKETS:
            answer["complaints"].append("too_many_packets")
            break
        seen = reach[packet.stream.index]
        seen[0] += 1
        if packet.is_corrupt:
            answer["complaints"].append("corrupt_packet")
        if packet.pts is not None:
            end = packet.pts + (packet.duration or 0)
            seen[1] = packet.pts if seen[1] is None else min(seen[1], packet.pts)
            seen[2] = end if seen[2] is None else max(seen[2], end)
        if video is not None and packet.stream.index == video.index:
            if packet.is_keyframe and packet.pts is not None:
                keys.append(packet.pts)
            if nal_size and not adds_up(memoryview(packet), nal_size):
                answer["complaints"].append("broken_packet")
    for name, stream in (("video", video), ("audio", audio)):
        if stream is not None:
            packets, first, last = reach[stream.index]
            answer[name]["packets"] = packets
            answer[name]["start"] = seconds(first, stream.time_base)
            answer[name]["reach"] = None if first is None else seconds(last - first, stream.time_base)
    answer["complaints"] = sorted(set(answer["complaints"]))
    return sorted(keys)


def length_prefix(context: Any) -> int:
    """How many bytes give the length of each unit inside a packet (H.264 and H.265 in MP4), or 0."""
    extra = context.extradata or b""
    if context.name == "h264" and len(extra) > 6 and extra[0] == 1:
        return (extra[4] & 3) + 1
    if context.name == "hevc" and len(extra) > 22 and extra[0] == 1:
        return (extra[21] & 3) + 1
    return 0


def adds_up(data: memoryview, size: int) -> bool:
    """Whether the units fill the packet exactly: zeros, shifted or foreign bytes do not."""
    at, end = 0, len(data)
    while at < end:
        length = int.from_bytes(data[at : at + size], "big")
        if not length:
            return False
        at += size + length
    return at == end


def sample(container: Any, video: Any, audio: Any, keys: list[int], side: int, answer: dict[str, Any]) -> None:
    """Decode at 10, 50 and 90 %: a picture from the nearest key frame, and the sound beside it."""
    if video is None and audio is None:
        return
    guide = video if video is not None else audio
    first, length = answer_span(answer, "video" if video is not None else "audio", guide)
    used: list[int] = []
    for share in POINTS:
        target = first + int(length * share)
        if video is None:
            decode_sound(container, audio, target, answer)
            continue
        if not keys:
            answer["complaints"].append("no_key_frames")
            return
        key = min(keys, key=lambda pts: abs(pts - target))
        forward = used.count(key) * FORWARD_FRAMES
        used.append(key)
        frame = decode_picture(container, video, key, target, forward if target > key else 0)
        if frame is None:
            answer["complaints"].append("undecodable_picture")
        else:
            answer["video"]["rotation"] = frame.rotation
            if side:
                answer["thumbnails"].append(thumbnail(frame, side, seconds(frame.pts - first, video.time_base)))
        if audio is not None:
            decode_sound(container, audio, int(target * video.time_base / audio.time_base), answer)


def answer_span(answer: dict[str, Any], name: str, stream: Any) -> tuple[int, int]:
    first = answer[name].get("start") or 0
    length = answer[name].get("reach") or 0
    return int(first / stream.time_base), int(length / stream.time_base)


def decode_picture(container: Any, video: Any, key: int, target: int, forward: int) -> Any:
    """The key frame at `key`, or the picture up to `forward` frames after it and not after `target`. None if broken."""
    context = video.codec_context
    if not context.is_open:
        context.thread_count = 1
        context.thread_type = ThreadType.SLICE
        context.options = {"err_detect": "explode"}
    context.flush_buffers()
    context.skip_frame = "NONREF" if forward else "NONKEY"
    frame, fed = None, 0
    try:
        for packet in from_key_frame(container, video, key):
            frames = context.decode(packet)
            fed += 1
            if any(found.is_corrupt for found in frames):
                return None
            frame = frames[-1] if frames else frame
            if fed > forward or (frame is not None and frame.pts is not None and frame.pts >= target):
                break
        if frame is None:
            frames = context.decode(None)
            frame = frames[0] if frames and not frames[0].is_corrupt else None
    except av.error.FFmpegError:
        return None
    return frame


def from_key_frame(container: Any, video: Any, key: int) -> Iterator[Any]:
    """Packets of the picture from the key frame on. A transport stream has no index: its seek may land later, so go back."""
    for back in (0, 2, 10):
        container.seek(max(0, key - int(back / video.time_base)), stream=video, backward=True)
        found = False
        for packet in container.demux(video):
            if not packet.size:
                break
            found = found or (packet.pts == key and packet.is_keyframe)
            if found:
                yield packet
            elif packet.is_keyframe and packet.pts is not None and packet.pts > key:
                break
        if found:
            return


def decode_sound(container: Any, audio: Any, target: int, answer: dict[str, Any]) -> None:
    """A few packets of sound near `target`; silence beside a picture is no fault, undecodable sound is."""
    context = audio.codec_context
    context.flush_buffers()
    frames = failures = 0
    try:
        container.seek(target, stream=audio, backward=True)
        for number, packet in enumerate(container.demux(audio)):
            try:
                frames += len(context.decode(packet))
            except av.error.InvalidDataError:
                failures += 1
            if frames >= 3 or number >= 12:
                break
    except av.error.FFmpegError:
        failures += 1
    if failures > 1 and not frames:
        answer["complaints"].append("undecodable_sound")
    answer["audio"]["decoded"] = answer["audio"].get("decoded", 0) + frames


def thumbnail(frame: Any, side: int, at: float | None) -> dict[str, Any]:
    """A JPEG, upright, with square pixels and without any metadata of the clip."""
    width, height = frame.width, frame.height
    scale = min(1, side / max(width, height))
    small = frame.reformat(
        width=max(2, round(width * scale / 2) * 2),
        height=max(2, round(height * scale / 2) * 2),
        format="yuvj420p",
        interpolation="AREA",
        threads=1,
    )
    small = upright(small, frame.rotation)
    encoder: Any = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = small.width, small.height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1
    encoder.options = {"qmin": "3", "qmax": "3", "huffman": "optimal", "flags": "+bitexact"}
    small.pts = 0
    jpeg = b"".join(bytes(packet) for packet in [*encoder.encode(small), *encoder.encode(None)])
    return {"at": at, "width": small.width, "height": small.height, "jpeg": base64.b64encode(jpeg).decode()}


def upright(frame: Any, rotation: int) -> Any:
    turns = {90: ["2"], -270: ["2"], -90: ["1"], 270: ["1"], 180: ["1", "1"], -180: ["1", "1"]}.get(rotation)
    if not turns:
        return frame
    graph = av.filter.Graph()
    last: Any = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format.name, time_base=Fraction(1, 25))
    for turn in turns:
        step = graph.add("transpose", turn)
        last.link_to(step)
        last = step
    last.link_to(graph.add("buffersink"))
    graph.configure()
    graph.push(frame)
    return graph.pull()


def seconds(ticks: Any, base: Any) -> float | None:
    return None if ticks is None or base is None else float(ticks * base)


if __name__ == "__main__":
    try:
        result = main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    except av.error.FFmpegError as error:
        result = {"unreadable": f"{type(error).__name__}: {error.strerror}"}
    sys.stdout.write(json.dumps(result))
