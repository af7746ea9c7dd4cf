"""The carousel on a video's page: its slides with what was read on them, and the wish to have them read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from analysis.services import request_analysis
from catalog.carousels import carousel
from catalog.detail import slides_of
from catalog.filters import Filters, InvalidFilters
from catalog.kept import Kept
from crawler.models import Video, VideoKind
from pages.asking import editor, is_htmx
from workspaces.middleware import membership_of
from workspaces.models import Membership


def context_of(request: HttpRequest, video: Video, slides: Sequence[Kept]) -> dict[str, Any]:
    """What `pages/_carousel.html` and `pages/_reading.html` show."""
    terms = searched(request)
    membership = membership_of(request)
    return {
        "carousel": carousel(video, slides, terms),
        "terms": terms,
        "q": request.GET.get("q", "") if terms else "",
        "may_read": membership is not None and membership.may_edit,
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
    context = context_of(request, video, slides_of(video))
    return _part(request, video, context, is_changed=context["carousel"].signature != request.GET.get("seen"))


@require_POST
@editor
def read(request: HttpRequest, membership: Membership, pk: int) -> HttpResponse:
    """Have the slides read, for the first time or again."""
    video = get_object_or_404(Video, pk=pk, kind=VideoKind.CAROUSEL)
    request_analysis(video, by=membership.user)
    if is_htmx(request):
        return _part(request, video, context_of(request, video, slides_of(video)), is_changed=False)
    messages.success(request, _("The slides will be read."))
    return HttpResponseRedirect(f"{reverse('video', args=[pk])}#reading")


def _part(request: HttpRequest, video: Video, context: dict[str, Any], *, is_changed: bool) -> HttpResponse:
    shown = {**context, "video": video, "card": {"id": video.pk}, "is_changed": is_changed}
    return render(request, "pages/_reading.html", shown)
