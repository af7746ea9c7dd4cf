"""The facts of a part as a table that people read: things by their names, sizes and times in words."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from crawler.models import Outcome
from crawler.providers import registry
from jobs import kinds
from monitoring import health

NAMES: dict[str, Any] = {
    "queue": _("queue"),
    "is_paused": _("paused"),
    "waiting": _("waiting"),
    "oldest_seconds": _("waits the longest"),
    "running": _("running"),
    "leased": _("held by a living worker"),
    "retrying": _("retrying"),
    "later": _("later"),
    "failed_today": _("failed in 24 hours"),
    "failed": _("failed"),
    "completed": _("completed"),
    "cancelled": _("cancelled"),
    "active": _("active"),
    "in_trouble": _("in trouble"),
    "overdue": _("overdue"),
    "paused": _("paused"),
    "videos": _("videos"),
    "snapshots": _("observations"),
    "authors": _("authors"),
    "sounds": _("sounds"),
    "scores": _("scores"),
    "objects": _("files"),
    "bytes": _("kept in all"),
    "assets_wanted": _("files on their way"),
    "assets_failed": _("files that failed"),
    "ended": _("ended jobs"),
    "data_free_bytes": _("free for the data"),
    "media_free_bytes": _("free for the media"),
    "milliseconds": _("milliseconds"),
    "names": _("names"),
    "code": _("code"),
    "reason": _("reason"),
    "error": _("error"),
}
"""In the order in which they are shown: the database keeps none."""
ORDER = list(NAMES)


def as_table(facts: Mapping[str, Any]) -> SafeString:
    """One line for each fact; things that have the same facts each become the lines of one table with these as columns."""
    if not facts:
        return format_html("{}", "–")
    facts, things = _in_order(facts), list(facts.values())
    if all(isinstance(thing, Mapping) and thing and thing.keys() == things[0].keys() for thing in things):
        columns = [name for name in _in_order(things[0]) if name != "kind"]  # which names the line
        titles = ["", *(_label(name) for name in columns)]
        lines = [[_label(name), *(_in_words(column, thing[column]) for column in columns)] for name, thing in facts.items()]
    else:
        titles, lines = [], [[_label(name), _in_words(name, value)] for name, value in facts.items()]
    head = format_html_join("", "<th class='font-semibold pr-4 text-left'>{}</th>", ((title,) for title in titles))
    return format_html(
        "<table><tr>{}</tr>{}</table>", head, format_html_join("", "<tr>{}</tr>", ((_line(line),) for line in lines))
    )


def _in_order(facts: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sorted(facts.items(), key=lambda fact: ORDER.index(fact[0]) if fact[0] in NAMES else len(ORDER)))


def _line(cells: list[Any]) -> SafeString:
    name, *values = cells
    said = format_html_join("", "<td class='align-top pr-4'>{}</td>", ((value,) for value in values))
    return format_html("<th class='align-top font-semibold pr-4 text-left'>{}</th>{}", name, said)


def _label(name: str) -> Any:
    if name in NAMES:
        return NAMES[name]
    labels = {**dict(kinds.choices()), **dict(Outcome.choices), **dict(registry.choices())}
    if name in registry.PROVIDERS:
        return registry.PROVIDERS[name].label
    return labels.get(name) or name.replace("_", " ")


def _in_words(name: str, value: Any) -> Any:
    """A fact's value; its name says what a number counts."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, Mapping):
        return as_table(value)
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    if not isinstance(value, int | float):
        return value
    if name.endswith("bytes"):
        return filesizeformat(value)
    if name.endswith("_seconds"):
        return health.in_words(timedelta(seconds=value)) if value else "–"
    return number_format(value, force_grouping=True)
