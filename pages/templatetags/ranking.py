"""How chances, factors and points of a score are written on the pages."""

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from pages.templatetags.groundswell import human
from pages.why import metrics_in_words

register = template.Library()


@register.filter
def chance(probability: float | None) -> str:
    """0.345 becomes 35 %. Never 0 or 100 %: nothing here is certain."""
    if probability is None:
        return "–"
    percent = round(probability * 100)
    if percent < 1:
        return "< 1 %"
    return "> 99 %" if percent >= 100 else f"{percent} %"


@register.filter
def share(ratio: float | None) -> str:
    """A part of a whole that was counted, so that it may be 0 or all."""
    return "–" if ratio is None else f"{ratio * 100:.0f} %"


@register.filter
def times(factor: float | None) -> str:
    """6.31 becomes 6.3 ×; large ones have no decimals, small ones two."""
    if factor is None:
        return "–"
    if factor >= 1000:
        return f"{human(factor)} ×"
    digits = 0 if factor >= 10 else 1 if factor >= 0.95 else 2
    return f"{number_format(round(factor, digits), digits)} ×"


@register.filter
def rate(per_hour: float | None) -> str:
    """What a counter gains in an hour: +1.2K; +0.3 where it is slow."""
    if per_hour is None:
        return "–"
    return f"+{human(per_hour)}" if per_hour >= 10 else f"+{number_format(round(per_hour, 1), 1)}"


@register.filter
def points(number: float) -> str:
    return f"{'+' if number >= 0 else '−'}{number_format(abs(round(number, 1)), 1)}"


@register.filter
def hours(number: float | None) -> str:
    """A lead, in hours."""
    return "–" if number is None else _("%(n)s h") % {"n": number_format(round(number, 1), 1)}


register.filter("counters", metrics_in_words)
