"""How numbers, times and pictures are written on the pages."""

from __future__ import annotations

import hashlib
import math
import unicodedata
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import formats, timezone, translation
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from catalog.cards import Card
from catalog.filters import LABELS
from crawler.models import Outcome
from crawler.providers import registry
from pages import charts

register = template.Library()

HUES = 12
LEFT_OUT = {
    "filtered": gettext_lazy("not wanted %d"),
    "live": gettext_lazy("live %d"),
    "ad": gettext_lazy("ads %d"),
    "deleted": gettext_lazy("deleted %d"),
    "malformed": gettext_lazy("unreadable %d"),
    "other": gettext_lazy("of another kind %d"),
}
"""Of what a look counted: what it saw and did not keep."""


@register.filter
def left_out(counts: dict[str, int]) -> str:
    return ", ".join(str(words) % counts[name] for name, words in LEFT_OUT.items() if counts.get(name))


@register.filter
def outcome_words(outcome: str) -> str:
    """How a look ended; a stage's own word, where it has one, stays as it is."""
    return str(dict(Outcome.choices).get(outcome, outcome))


@register.filter
def titled(title: str) -> str:
    """What a video is called; many have no words of their own."""
    return title or _("Untitled")


@register.filter
def human(number: float | None) -> str:
    """1234 becomes 1.2K (in Chinese 12345 becomes 1.2万). Nothing known is a dash, which is not 0."""
    if number is None:
        return "–"
    sign, number = ("−" if number < 0 else ""), abs(number)
    for size, unit in _units():
        if number >= size:
            tenths = int(number * 10 / size)  # cut, not rounded: nothing is said to have reached what it has not
            if tenths >= 1000 or tenths % 10 == 0:
                return f"{sign}{tenths // 10}{unit}"
            return sign + number_format(tenths / 10, 1) + unit
    return f"{sign}{int(number)}"


@register.filter
def tick(number: float, step: float) -> str:
    """A number of an axis, with as many digits as tell it from the next one."""
    size, unit = next(((size, unit) for size, unit in _units() if abs(number) >= size), (1.0, ""))
    digits = next((n for n in range(4) if math.isclose(step / size * 10**n, round(step / size * 10**n))), 4)
    return f"{number_format(number / size, digits)}{unit}"


def _units() -> tuple[tuple[float, str], ...]:
    if (translation.get_language() or "").startswith("zh"):
        return (1e8, "亿"), (1e4, "万")
    return (1e9, pgettext("number", "B")), (1e6, pgettext("number", "M")), (1e3, pgettext("number", "K"))


@register.filter
def whole(number: float | None) -> str:
    """All digits, in groups."""
    return "–" if number is None else number_format(round(number), 0, force_grouping=True)


@register.filter
def weight(number: float) -> str:
    """Two digits at most."""
    return number_format(round(number, 2), use_l10n=True)


@register.filter
def signed(number: float | None) -> str:
    """What was gained or lost: +1.2K."""
    if number is None:
        return "–"
    return human(number) if number < 0 else f"+{human(number)}"


@register.filter
def part(ratio: float | None) -> str:
    """A part of a whole, or a rate that may be more than it: 8.1 %; tenths only where they say something."""
    if ratio is None:
        return "–"
    value = ratio * 100
    return f"{number_format(round(value, 1), 0 if value >= 20 else 1)} %"


@register.filter
def percent(ratio: float | None) -> str:
    """0.5 becomes +50 %, and 12 becomes ×13."""
    if ratio is None:
        return "–"
    value = ratio * 100
    if value >= 900:
        return f"×{human(ratio + 1)}"
    return f"{'+' if value >= 0 else '−'}{abs(value):.0f} %"


@register.filter
def clock(milliseconds: int | None) -> str:
    """65000 becomes 1:05."""
    if milliseconds is None:
        return ""
    seconds = round(milliseconds / 1000)
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


@register.filter
def span(period: timedelta) -> str:
    """The largest whole unit of a period."""
    seconds = abs(int(period.total_seconds()))
    if seconds < 60:
        return _("a moment")
    if seconds < 3600:
        return _("%(n)d min") % {"n": seconds // 60}
    if seconds < 2 * 86_400:
        return _("%(n)d h") % {"n": seconds // 3600}
    days = seconds // 86_400
    if days < 60:
        return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    if days < 730:
        return _("%(n)d mo") % {"n": days // 30}
    return ngettext("%(n)d year", "%(n)d years", days // 365) % {"n": days // 365}


@register.filter
def every(minutes: int) -> str:
    """An interval in the largest unit that is whole."""
    if minutes % 1440 == 0:
        return ngettext("every day", "every %(n)d days", minutes // 1440) % {"n": minutes // 1440}
    if minutes % 60 == 0:
        return ngettext("every hour", "every %(n)d h", minutes // 60) % {"n": minutes // 60}
    return ngettext("every minute", "every %(n)d min", minutes) % {"n": minutes}


@register.simple_tag
def ago(at: datetime | None) -> SafeString | str:
    """How long since, or until; the script (static/js/app.js) adds the viewer's own time as its tip."""
    if at is None:
        return _("never")
    period = timezone.now() - at
    if abs(period) < timedelta(minutes=1):
        words = _("now")
    else:
        words = (_("%(span)s ago") if period > timedelta(0) else _("in %(span)s")) % {"span": span(period)}
    return format_html('<time datetime="{}" data-tip>{}</time>', _iso(at), words)


@register.simple_tag
def moment(at: datetime | None, style: str = "full") -> SafeString | str:
    """A time in UTC, which the script rewrites for the viewer's zone and language. Styles: full, short, day."""
    if at is None:
        return "–"
    words = {"full": "DATETIME_FORMAT", "short": "j M, H:i", "day": "DATE_FORMAT"}[style]
    said = formats.date_format(at, words) + (" UTC" if style == "full" else "")
    return format_html('<time datetime="{}" data-local="{}">{}</time>', _iso(at), style, said)


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


@register.filter
def iso(at: datetime) -> str:
    return _iso(at)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """One of templates/pages/_icons.html; without a label it is ornament."""
    if label:
        return format_html('<svg class="icon" role="img" aria-label="{}"><use href="#i-{}"/></svg>', label, name)
    return format_html('<svg class="icon" aria-hidden="true"><use href="#i-{}"/></svg>', name)


@register.simple_tag
def wave(card: Card) -> SafeString | str:
    """The card's recent growth, drawn along the foot of its cover."""
    curve = charts.sparkline([(point.at, point.value) for point in card.sparkline], width=120, height=36)
    if curve is None:
        return ""
    gained = card.sparkline[-1].value - card.sparkline[0].value
    words = _("%(gained)s since %(span)s ago") % {
        "gained": ("+" if gained >= 0 else "") + human(gained),
        "span": span(timezone.now() - card.sparkline[0].at),
    }
    return format_html(
        '<svg class="wave" viewBox="0 0 120 36" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path class="wave-area" d="{}"/><path class="wave-line" d="{}"/></svg>',
        words,
        curve.area,
        curve.line,
    )


@register.simple_tag
def small_curve(history: list[tuple[datetime, int]]) -> SafeString | str:
    curve = charts.sparkline(history, width=80, height=24)
    if curve is None:
        return ""
    return format_html(
        '<svg class="small-curve" viewBox="0 0 80 24" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="wave-area" d="{}"/><path class="wave-line" d="{}"/></svg>',
        curve.area,
        curve.line,
    )


@register.filter
def hue(key: Any) -> int:
    """Which of the placeholders' colours: always the same for the same thing."""
    return hashlib.sha256(str(key).encode()).digest()[0] % HUES


@register.filter
def initials(text: str) -> str:
    """Up to two letters that stand for a title or a name: of Latin words their first ones, else the first characters."""
    letters = [word for word in "".join(c if unicodedata.category(c)[0] in "LN" else " " for c in text).split() if word]
    if not letters:
        return "~"
    if ord(letters[0][0]) >= 0x2E80:
        return letters[0][:2]
    return "".join(word[0] for word in letters[:2]).upper()


@register.filter
def platform_name(platform: str) -> str:
    """As people know it; itself where we know it no more."""
    return dict(registry.choices()).get(platform, platform)


@register.filter
def filter_label(name: str) -> str:
    """What the filter of this name is called on pages; empty where there is no such filter."""
    return str(LABELS.get(name, ""))


@register.filter
def get(mapping: dict[Any, Any], key: Any) -> Any:
    return mapping.get(key)
