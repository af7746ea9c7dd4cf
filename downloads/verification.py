"""Whether a file that arrived is the one that was promised. Pure: facts and expectations in, an error or nothing out."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from downloads.errors import VerificationError
from downloads.processing.probe import Facts

SLACK_SECONDS = 1.5
SLACK_SHARE = 0.05
"""Platforms round durations to whole seconds or cut a tail; a different clip is further off than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the platform said of the file, where it did. `sizes` are the lengths that its offers were said to have."""

    picture: bool = True
    sound: bool = False
    duration_seconds: float | None = None
    sizes: Sequence[int] = ()


def verify(facts: Facts, expected: Expected) -> None:
    """Raises VerificationError: no_picture, no_sound, undecodable, truncated, wrong_duration."""
    if expected.picture and not facts.has_picture:
        raise VerificationError(_("The file has sound but no picture."), code="no_picture")
    if expected.sound and not facts.has_sound:
        raise VerificationError(_("The file has no sound."), code="no_sound")
    if facts.has_picture and not (facts.width and facts.height):
        raise VerificationError(_("The picture has no size."), code="undecodable")
    if facts.reach_seconds <= 0:
        raise VerificationError(_("The file holds no playing time."), code="undecodable")
    _check_times(facts, expected)


def verify_size(size: int, expected: Expected) -> None:
    """Before anything looks into the file. Raises VerificationError: wrong_length."""
    if expected.sizes and size not in expected.sizes:
        nearest = min(expected.sizes, key=lambda promised: abs(promised - size))
        raise VerificationError(
            _("The file has %(size)d bytes, the platform promised %(promised)d.") % {"size": size, "promised": nearest},
            code="wrong_length",
        )


def _check_times(facts: Facts, expected: Expected) -> None:
    if facts.duration_seconds - facts.reach_seconds > slack(facts.duration_seconds):
        raise VerificationError(
            _("The file says it lasts %(duration).1f s but holds only %(reach).1f s.")
            % {"duration": facts.duration_seconds, "reach": facts.reach_seconds},
            code="truncated",
        )
    promised = expected.duration_seconds
    if promised and abs(facts.duration_seconds - promised) > slack(promised):
        raise VerificationError(
            _("The file lasts %(duration).1f s, the platform promised %(promised).1f s.")
            % {"duration": facts.duration_seconds, "promised": promised},
            code="wrong_duration",
        )


def slack(seconds: float) -> float:
    """How much two durations of one clip may differ, in seconds."""
    return max(SLACK_SECONDS, seconds * SLACK_SHARE)
