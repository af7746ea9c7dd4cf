"""What surges now: foretold before it peaks, with the evidence."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from catalog.surging import Foretold, surging, waiting
from pages.why import Why, say

HEADINGS: dict[str, tuple[Any, Any]] = {
    "open": (_("Surging"), _("An alert is out, and they still rise.")),
    "peaked": (_("Past their peak today"), _("Their rise per hour has halved since its highest.")),
    "watch": (_("Watched"), _("Not quite likely enough, carried by one counter only, or found when nearly at the top already.")),
}


@require_safe
def surging_now(request: HttpRequest) -> HttpResponse:
    sections = [
        {
            "state": section.state,
            "heading": HEADINGS[section.state][0],
            "lead": HEADINGS[section.state][1],
            "rows": [(foretold, _said(foretold)) for foretold in section.shown],
            "count": section.count,
            "more": section.count - len(section.shown),
        }
        for section in surging()
    ]
    counts = {section["state"]: section["count"] for section in sections}
    context = {
        "sections": [section for section in sections if section["count"]],
        "counts": counts,
        "waiting": None if counts["open"] else waiting(),
    }
    return render(request, "pages/surging.html", context)


def _said(foretold: Foretold) -> Why | None:
    return say(foretold.why) if foretold.why else None
