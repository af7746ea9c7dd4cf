"""Sound without picture: the first sound stream of a clip, copied as it is, without decoding."""

from pathlib import Path

from django.utils.translation import gettext as _

from downloads.errors import VerificationError
from downloads.processing import sandbox
from downloads.processing.containers import open_media
from downloads.processing.probe import read_answer

LIMITS = sandbox.Limits(wall_seconds=120, cpu_seconds=60)


def extract(clip: Path, folder: Path) -> Path:
    """Write the clip's sound into `folder` as M4A (AAC, ALAC), MP3 or WebM (Opus, Vorbis); return the new file.

    Raises VerificationError: no_sound, or what `probe` would.
    """
    container = open_media(clip)
    answer = read_answer(
        sandbox.run_script(
            "audio",
            ["/in/media", container.demuxer],
            sandbox.Mounts(reads={"/in/media": clip}, output=folder),
            LIMITS,
            packages=("av",),
        )
    )
    if answer.get("no_sound"):
        raise VerificationError(_("This video has no sound."), code="no_sound")
    written = folder / "sound"
    if written.is_symlink() or not written.is_file():
        raise VerificationError(_("The sound could not be taken out of the video."))
    return written
