"""Bringing in what links show, one or a list. Also where links arrive that a phone shares with the installed app."""

import time
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crawler import outbound, services
from crawler.links import NoVideo, link_in
from crawler.models import Source
from pages.asking import editor
from pages.forms import ImportForm
from workspaces.models import Membership

MOST_LINKS = 50
LIST_SECONDS = 15.0
"""A short link may take seconds to follow. What is left after these stays in the form."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a pasted list, and what became of it."""

    text: str
    source: Source | None = None
    error: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@editor
def import_link(request: HttpRequest, membership: Membership) -> HttpResponse:
    """POST `url`: a link, a share text with one inside, or a list with a link on each line. GET may carry `url`, or `text` with
    a link in it, as phones share them."""
    if request.method != "POST":
        return render(request, "pages/import.html", {"form": ImportForm(initial={"url": _shared(request)})})
    form = ImportForm(request.POST)
    if not form.is_valid():
        return render(request, "pages/import.html", {"form": form}, status=422)
    text = form.cleaned_data["url"]
    if len(lines := _list_in(text)) > 1:
        return _import_list(request, membership, lines)
    line = _import(text, membership)
    if line.source:
        return redirect("source", line.source.pk)
    form.add_error("url", line.error)
    return render(request, "pages/import.html", {"form": form}, status=422)


def _import(text: str, membership: Membership) -> Line:
    try:
        job = services.import_url(text, workspace=membership.workspace, by=membership.user)
    except outbound.ForbiddenAddress as error:
        return Line(text, error=error.message)
    except outbound.FetchError:
        return Line(text, error=_("This address cannot be found."))
    return Line(text, source=job.source)


def _list_in(text: str) -> list[str]:
    """The lines, where several of them hold a link: a share text has several lines too, and one link."""
    lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    return lines if sum(_has_link(line) for line in lines) > 1 else []


def _has_link(line: str) -> bool:
    try:
        link_in(line)
    except NoVideo as error:
        return error.code != "no_link"
    return True


def _import_list(request: HttpRequest, membership: Membership, lines: list[str]) -> HttpResponse:
    ends_at = time.monotonic() + LIST_SECONDS
    told: list[Line] = []
    for line in lines[:MOST_LINKS]:
        if time.monotonic() > ends_at:
            break
        told.append(_import(line, membership))
    left = lines[len(told) :]
    wrong = [line for line in told if line.error]
    again = ImportForm(initial={"url": "\n".join([*(line.text for line in wrong), *left])})
    context = {
        "form": again,
        "sources": list(dict.fromkeys(line.source for line in told if line.source)),
        "wrong": wrong,
        "left": len(left),
    }
    return render(request, "pages/import.html", context, status=422 if wrong or left else 200)


def _shared(request: HttpRequest) -> str:
    """The link in what was shared, where there is one."""
    words = f"{request.GET.get('url', '')} {request.GET.get('text', '')}"[:5000]
    try:
        return link_in(words)
    except NoVideo:
        return ""
