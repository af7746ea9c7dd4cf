"""A sound: whose it is, and the videos that use it."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from crawler.models import Sound, Video
from pages.asking import is_htmx
from pages.authors import TOTALS, facts_of, listed, orderings_of
from pages.rising import show_feed


@require_safe
def sound(request: HttpRequest, pk: int) -> HttpResponse:
    sound = get_object_or_404(Sound, pk=pk)
    filters, errors = listed(request)
    shown = show_feed(request, replace(filters, sound=pk))
    if is_htmx(request) and not shown.is_first:
        return render(request, "pages/_more.html", {"feed": shown})
    context = {
        "sound": sound,
        "duration_ms": sound.duration_seconds and sound.duration_seconds * 1000,
        "facts": facts_of(Video.objects.filter(sound=sound).aggregate(**TOTALS)),
        "feed": shown,
        "errors": errors,
        "orderings": orderings_of(request, filters),
    }
    return render(request, "pages/sound.html", context)
