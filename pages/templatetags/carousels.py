"""How slides and what was read on them are written on the pages."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from catalog.filters import fold

register = template.Library()


@register.filter
def marked(text: str, terms: Sequence[str]) -> SafeString:
    """The text with the words searched for in <mark>, compared as the search compares: case and width do not count."""
    letters = [(at, folded) for at, letter in enumerate(text) for folded in fold(letter)]
    folded = "".join(letter for _at, letter in letters)
    chosen: set[int] = set()
    for term in filter(None, terms):
        begin = folded.find(term)
        while begin >= 0:
            chosen.update(letters[place][0] for place in range(begin, begin + len(term)))
            begin = folded.find(term, begin + 1)
    parts: list[str] = []
    for at, letter in enumerate(text):
        if at in chosen and at - 1 not in chosen:
            parts.append("<mark>")
        parts.append(escape(letter))
        if at in chosen and at + 1 not in chosen:
            parts.append("</mark>")
    return mark_safe("".join(parts))  # every letter was escaped above


@register.filter
def share_of_sure(confidence: float) -> str:
    """0.974 becomes 97 %: cut, so that only certainty itself is 100 %."""
    return f"{int(confidence * 100)} %"


@register.filter
def engine(name: str, model: str) -> str:
    """Who read it, in words."""
    words = {"local": _("the reader on this machine"), "gemini": _("Gemini")}
    said = words.get(name, name)
    return f"{said} ({model})" if model else str(said)
