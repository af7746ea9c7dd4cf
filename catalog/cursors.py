"""Where a feed goes on: sort key and id of the last card shown. Opaque to the outside, checked when it comes back. Pure."""

import base64
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

MAX_LENGTH = 200


class InvalidCursor(ValueError):
    """Not a cursor of ours, or one of another ordering. Start from the first page."""


@dataclass(frozen=True, slots=True)
class Cursor:
    ordering: str
    key: float | int | datetime
    id: int

    def __str__(self) -> str:
        key = self.key.isoformat() if isinstance(self.key, datetime) else self.key
        packed = json.dumps([self.ordering, key, self.id], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read(text: str, ordering: str) -> Cursor:
    """Raises InvalidCursor."""
    try:
        if len(text) > MAX_LENGTH:
            raise ValueError("too long")
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        its_ordering, key, video_id = json.loads(packed)
        if its_ordering != ordering:
            raise ValueError("another ordering")
        return Cursor(ordering, KEYS[ordering](key), _bigint(video_id))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise InvalidCursor(_("This cursor is not valid for this list. Start again from the first page.")) from error


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a number")
    return float(value)


def _bigint(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise ValueError("not an id")
    return value


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("without a zone")
    return moment.astimezone(UTC)


KEYS: dict[str, Callable[[Any], float | int | datetime]] = {
    "-virality": _finite,
    "-breakout": _finite,
    "-published_at": _moment,
    "-views": _bigint,
    "-score": _finite,
}
