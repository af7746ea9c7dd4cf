"""The carousel on a video's page: its slides with what was read on them, and the wish to have them read."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalog.carousels import carousel
from catalog.filters import Filters, InvalidFilters
from crawler.models import Video, VideoKind
from pages.asking import is_htmx


def context_of(request: HttpRequest, video: Video) -> dict[str, Any]:
    """What `pages/_carousel.html` and `pages/_reading.html` show."""
    terms = searched(request)
    found = carousel(video, terms)
    return {
        "carousel": found,
        "reading": found.reading,
        "terms": terms,
        "q": request.GET.get("q", "") if terms else "",
        "may_read": False,
    }


def searched(request: HttpRequest) -> list[str]:
    """The words of the search that led here. What is no search is as good as none."""
    try:
        return Filters.parse({"q": request.GET.get("q", "")}).terms
    except InvalidFilters:
        return []


@require_safe
@never_cache
def part(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the reading is, for a page that follows it; with the slides where they are others than it has `seen`."""
    video = get_object_or_404(Video, pk=pk, kind=VideoKind.CAROUSEL)
    if not is_htmx(request):
        return HttpResponseRedirect(reverse("video", args=[pk]))
    context = context_of(request, video)
    return _part(request, video, context, is_changed=context["carousel"].signature != request.GET.get("seen"))


def _part(request: HttpRequest, video: Video, context: dict[str, Any], *, is_changed: bool) -> HttpResponse:
    shown = {**context, "video": video, "card": {"id": video.pk}, "is_changed": is_changed}
    return render(request, "pages/_reading.html", shown)
