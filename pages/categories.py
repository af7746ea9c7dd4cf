"""Categories: all of them with their counts, and the feed of one."""

from dataclasses import replace
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog.categories import FRESH, leads_to
from catalog.categories import categories as read_categories
from catalog.categories import category as read_category
from catalog.filters import Filters
from pages.asking import is_htmx
from pages.rising import bar, read_filters, show_feed


@require_safe
def categories(request: HttpRequest) -> HttpResponse:
    found = read_categories()
    context = {
        "used": [category for category in found if category.videos],
        "unused": [category for category in found if not category.videos],
        "has_surged": any(category.surged for category in found),
        "days": FRESH.days,
    }
    return render(request, "pages/categories.html", context)


@require_safe
def category(request: HttpRequest, slug: str) -> HttpResponse:
    """A category that was merged into another leads there, with what the feed was narrowed to."""
    if (kept := leads_to(slug)) != slug:
        query = request.GET.urlencode()
        return HttpResponseRedirect(reverse("category", args=[kept]) + (f"?{query}" if query else ""))
    found = read_category(slug)
    if found is None:
        raise Http404
    filters, errors = read_filters(request)
    filters = replace(filters, category=slug)
    shown = show_feed(request, filters)
    if is_htmx(request) and not shown.is_first:
        return render(request, "pages/_more.html", {"feed": shown})
    context = {
        "category": found,
        "days": FRESH.days,
        "feed": shown,
        "filters": filters,
        "errors": errors,
        "page_url": reverse("category", args=[slug]),
        **bar(filters.without("category"), lambda changed: _link(slug, changed)),
    }
    return render(request, "pages/category.html", context)


def _link(slug: str, filters: Filters) -> str:
    """The category stands in the path."""
    path = reverse("category", args=[slug])
    query = urlencode(filters.without("category").query())
    return f"{path}?{query}" if query else path
