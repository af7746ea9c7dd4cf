"""An author: who they are, how much of theirs was seen, and all of it."""

from dataclasses import replace
from typing import Any

from django.db.models import Avg, Count, Max, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from catalog.filters import ORDERINGS, Filters
from crawler.models import Author, Video
from pages.asking import is_htmx
from pages.profiles import SORT, profile_context
from pages.rising import Choice, read_filters, show_feed

DEFAULT = "-published_at"
"""Everything of the author, scored or not."""


@require_safe
def author(request: HttpRequest, pk: int) -> HttpResponse:
    author = get_object_or_404(Author, pk=pk)
    filters, errors = listed(request)
    shown = show_feed(request, replace(filters, author=pk))
    if is_htmx(request) and not shown.is_first:
        return render(request, "pages/_more.html", {"feed": shown})
    context = {
        **profile_context(request, pk),
        "author": author,
        "facts": facts_of(Video.objects.filter(author=author).aggregate(**TOTALS)),
        "feed": shown,
        "errors": errors,
        "orderings": orderings_of(request, filters),
    }
    return render(request, "pages/author.html", context)


TOTALS: dict[str, Any] = {
    "videos": Count("pk"),
    "all_views": Sum("views"),
    "all_likes": Sum("likes"),
    "usual": Avg("likes"),
    "surging": Count("pk", filter=Q(score__is_surging=True)),
    "latest": Max("published_at"),
}


def facts_of(totals: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in totals.items() if value is not None}


def listed(request: HttpRequest) -> tuple[Filters, dict[str, str]]:
    """How the list of a page about something is narrowed and ordered: newest first, unless the URL says otherwise."""
    filters, errors = read_filters(request, also={SORT})
    return (filters if "ordering" in request.GET else replace(filters, ordering=DEFAULT)), errors


def orderings_of(request: HttpRequest, filters: Filters) -> list[Choice]:
    names = [DEFAULT, *(name for name in ORDERINGS if name != DEFAULT)]
    return [
        Choice(str(ORDERINGS[name]), request.path if name == DEFAULT else f"?ordering={name}", name == filters.ordering)
        for name in names
    ]
