"""Runs inside the sandbox: copy the first sound stream to /out/sound. argv: the file, its demuxer."""

import json
import sys
from typing import Any

sys.path.append("/packages")

import av

MUXERS = {"aac": "ipod", "alac": "ipod", "mp3": "mp3", "opus": "webm", "vorbis": "webm"}


def main(path: str, demuxer: str) -> dict[str, Any]:
    av.logging.set_level(av.logging.PANIC)
    whitelist = {"protocol_whitelist": "file", "format_whitelist": demuxer}
    with av.open(path, format=demuxer, options=whitelist) as source:
        sounds = [s for s in source.streams.audio if s.codec_context.name in MUXERS]
        if not sounds:
            return {"no_sound": True}
        sound = sounds[0]
        muxer = MUXERS[sound.codec_context.name]
        options = {"fflags": "+bitexact", **({"movflags": "+faststart"} if muxer == "ipod" else {})}
        with av.open("/out/sound", "w", format=muxer, options=options) as target:
            copy = target.add_stream_from_template(sound)
            copy.metadata.clear()
            target.metadata.clear()
            for packet in source.demux(sound):
                if packet.dts is not None:
                    packet.stream = copy
                    target.mux(packet)
    return {"codec": sound.codec_context.name}


if __name__ == "__main__":
    try:
        result = main(sys.argv[1], sys.argv[2])
    except av.error.FFmpegError as error:
        result = {"unreadable": f"{type(error).__name__}: {error.strerror}"}
    sys.stdout.write(json.dumps(result))
