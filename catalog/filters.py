"""What a feed may be narrowed to and ordered by: names and values as they stand in a URL, checked where they enter."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, time
from typing import Any, Self

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

MAX_BIGINT = 2**63 - 1
MAX_TEXT = 100
MAX_TIME = 40
MAX_TERMS = 6
WIDE_FROM = 0x2E80
"""From here on one character says enough to search for it alone; catalog_grams() indexes those singly."""

PLATFORM_FORM = "abcdefghijklmnopqrstuvwxyz0123456789_-"

ORDERINGS: dict[str, Any] = {
    "-virality": gettext_lazy("Rising"),
    "-breakout": gettext_lazy("Breaking out"),
    "-published_at": gettext_lazy("Newest"),
    "-views": gettext_lazy("Most viewed"),
    "-score": gettext_lazy("Classic"),
}
DEFAULT_ORDERING = "-virality"
"""Until staff choose another."""
ORDERING_WORDS = {
    "virality": "-virality",
    "breakout": "-breakout",
    "newest": "-published_at",
    "most_viewed": "-views",
    "classic": "-score",
}
"""The same by name; staff choose the default by these."""
KINDS: dict[str, Any] = {"clip": gettext_lazy("Clips"), "carousel": gettext_lazy("Carousels")}
LABELS: dict[str, Any] = {
    "q": gettext_lazy("Words in the title or on slides"),
    "hashtag": gettext_lazy("Hashtag"),
    "platform": gettext_lazy("Platform"),
    "kind": gettext_lazy("Kind"),
    "category": gettext_lazy("Category"),
    "source": gettext_lazy("Source"),
    "author": gettext_lazy("Author"),
    "sound": gettext_lazy("Sound"),
    "surging": gettext_lazy("Surging"),
    "min_views": gettext_lazy("Least views"),
    "min_score": gettext_lazy("Least classic score"),
    "download_status": gettext_lazy("Download"),
    "published_after": gettext_lazy("Published from"),
    "published_before": gettext_lazy("Published before"),
    "ordering": gettext_lazy("Order"),
}
"""What people call them."""
DOWNLOAD_STATUSES: dict[str, Any] = {
    "pending": gettext_lazy("not asked for"),
    "queued": gettext_lazy("queued"),
    "downloading": gettext_lazy("downloading"),
    "ready": gettext_lazy("ready"),
    "error": gettext_lazy("failed"),
}


class InvalidFilters(ValueError):
    """Some names or values mean nothing here. `errors` has a sentence for each name."""

    def __init__(self, errors: dict[str, str], understood: Filters) -> None:
        super().__init__(" ".join(f"{name}: {error}" for name, error in errors.items()))
        self.errors = errors
        self.understood = understood


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    platform: str | None = None
    kind: str | None = None
    source: int | None = None
    author: int | None = None
    sound: int | None = None
    category: str | None = None
    hashtag: str | None = None
    q: str | None = None
    min_views: int | None = None
    min_score: float | None = None
    surging: bool | None = None
    published_after: datetime | None = None
    published_before: datetime | None = None
    download_status: str | None = None
    ordering: str | None = None
    """None: as staff chose (catalog/ordering.py)."""

    @classmethod
    def parse(cls, params: Mapping[str, Any], *, also: Collection[str] = ()) -> Self:
        """Read query parameters; an empty value is as good as none. `also` names parameters that others read.

        Raises InvalidFilters, with every mistake at once.
        """
        values: dict[str, Any] = {}
        errors: dict[str, str] = {}
        for name in params:
            if name in also:
                continue
            if name not in PARSERS:
                errors[str(name)[:MAX_TEXT]] = _("There is no such filter. There are: %(names)s.") % {"names": ", ".join(PARSERS)}
                continue
            given = params.getlist(name) if hasattr(params, "getlist") else [params[name]]
            given = [text for text in (str(value).strip() for value in given) if text]
            if len(given) > 1:
                errors[name] = _("May be given once.")
            elif given:
                try:
                    values[name] = PARSERS[name](given[0])
                except ValueError as error:
                    errors[name] = str(error)
        found = cls(**values)
        if found.published_after and found.published_before and found.published_after > found.published_before:
            errors["published_after"] = _("The period would end before it begins.")
            found = replace(found, published_after=None)
        if errors:
            raise InvalidFilters(errors, found)
        return found

    def query(self) -> dict[str, str]:
        """As URL parameters, without what is default."""
        return {
            field.name: _spell(value)
            for field in fields(self)
            if (value := getattr(self, field.name)) not in (None, field.default)
        }

    def without(self, name: str) -> Self:
        default: Any = next(field.default for field in fields(self) if field.name == name)
        return replace(self, **{name: default})

    @property
    def is_narrowed(self) -> bool:
        """Anything but an ordering is set."""
        return bool(self.query().keys() - {"ordering"})

    @property
    def terms(self) -> list[str]:
        """The words of the search: each must be in the title, or on a slide."""
        return _terms(self.q) if self.q else []


def _spell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)


def fold(text: str) -> str:
    """As texts are compared in a search: without case, full width or ligatures."""
    return unicodedata.normalize("NFKC", text).lower()


def _terms(text: str) -> list[str]:
    return fold(text).split()


def _text(value: str) -> str:
    if len(value) > MAX_TEXT:
        raise ValueError(ngettext("At most %(n)d character.", "At most %(n)d characters.", MAX_TEXT) % {"n": MAX_TEXT})
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in value):
        raise ValueError(_("Has a character that no title can have."))
    return value


def _search(value: str) -> str:
    terms = _terms(_text(value))
    if len(terms) > MAX_TERMS:
        raise ValueError(ngettext("At most %(n)d word.", "At most %(n)d words.", MAX_TERMS) % {"n": MAX_TERMS})
    if not any(len(term) > 1 or ord(term[0]) >= WIDE_FROM for term in terms):
        raise ValueError(_("Search for two letters or more, or for one Chinese character."))
    return value


def _hashtag(value: str) -> str:
    tag = _text(value).lstrip("#＃").strip()
    if not tag:
        raise ValueError(_("Give the words of a hashtag."))
    return tag


def _platform(value: str) -> str:
    """Any well-formed name; which platforms there are only the rows know (catalog/known.py)."""
    if not set(value) <= set(PLATFORM_FORM) or len(value) > 20:
        raise ValueError(_("Not the name of a platform."))
    return value


def _one_of(choices: Collection[str]) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError(_("Must be one of: %(choices)s.") % {"choices": ", ".join(choices)})
        return value

    return parse


def _ordering(value: str) -> str:
    """As it is spelled in a URL; the names of ORDERING_WORDS are understood too."""
    return ORDERING_WORDS.get(value) or _one_of([*ORDERING_WORDS, *ORDERINGS])(value)


def is_id(text: str) -> bool:
    """Digits that a row could have for its key. Of some thousand, Python makes no number: so their length comes first."""
    return text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= MAX_BIGINT


def _whole(value: str) -> int:
    if not is_id(value):
        raise ValueError(_("Must be a whole number, 0 or more."))
    return int(value)


def _number(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or not value.isascii():
        raise ValueError(_("Must be a number."))
    return number


def _truth(value: str) -> bool:
    if value.lower() not in ("true", "1", "on", "false", "0"):
        raise ValueError(_("Must be true or false."))
    return value.lower() in ("true", "1", "on")


def _moment(value: str) -> datetime:
    """A date is its first moment, and a time without a zone is UTC."""
    try:
        if len(value) > MAX_TIME:
            raise ValueError(value)
        mended = re.sub(r"(T.*) (\d\d:?\d\d)$", r"\1+\2", value)  # a plus sign that was not escaped in the URL
        if (moment := parse_datetime(mended)) is None and (day := parse_date(value)) is not None:
            moment = datetime.combine(day, time.min)
        if moment is not None and moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        if moment is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(_("Must be a date or a time, such as 2026-11-20 or 2026-11-20T08:30:00Z."))


PARSERS: dict[str, Callable[[str], Any]] = {
    "platform": _platform,
    "kind": _one_of(KINDS),
    "source": _whole,
    "author": _whole,
    "sound": _whole,
    "category": _text,
    "hashtag": _hashtag,
    "q": _search,
    "min_views": _whole,
    "min_score": _number,
    "surging": _truth,
    "published_after": _moment,
    "published_before": _moment,
    "download_status": _one_of(DOWNLOAD_STATUSES),
    "ordering": _ordering,
}
