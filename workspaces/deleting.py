"""Deleting in the admin: who may delete a thing may delete what belongs to it."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

MOST_SHOWN = 20


class DeletesWhatBelongsToIt:
    """The consequences are shown, not asked permission for: nobody may delete a job by itself, but it goes with its source.

    Only what protects itself still stops it.
    """

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        shown, counts, _lacking, protected = super().get_deleted_objects(objs, request)  # type: ignore[misc]  # mixed into a ModelAdmin
        return _shortened(shown), counts, set(), protected


def _shortened(nested: list[Any]) -> list[Any]:
    """A source has thousands of crawls: a few of them tell, the counts say the rest."""
    # A list after a thing holds what belongs to that thing.
    kept: list[Any] = []
    things = 0
    for entry in nested:
        if isinstance(entry, list):
            if things <= MOST_SHOWN:
                kept.append(_shortened(entry))
            continue
        things += 1
        if things <= MOST_SHOWN:
            kept.append(entry)
    if things > MOST_SHOWN:
        kept.append(_("… and %d more.") % (things - MOST_SHOWN))
    return kept
