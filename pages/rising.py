"""The feed: what rises, narrowed, searched and ordered by the URL alone."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from analysis.models import Category
from catalog import known
from catalog.cursors import InvalidCursor
from catalog.feed import FeedPage, count_new, feed, newest_id
from catalog.filters import DOWNLOAD_STATUSES, KINDS, ORDERINGS, Filters, InvalidFilters, is_id
from catalog.ordering import ordering_of
from crawler.models import Author, Sound, Source
from crawler.providers import registry
from pages.asking import is_htmx
from pages.why import HEAD_OF_ORDERING, Why, why
from workspaces.middleware import workspace_of

PAGE = 30
"""Whole rows, whether 2, 3, 5 or 6 fit side by side."""
MOST_NEW = 99
Link = Callable[[Filters], str]


@dataclass(frozen=True, slots=True)
class Choice:
    """A link that changes one thing about the feed."""

    label: str
    url: str
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class FeedView:
    """A feed and the links around it, for any page that shows one."""

    page: FeedPage
    filters: Filters
    more_url: str
    is_first: bool
    whys: dict[int, Why]
    """Why its videos rank, by id: as the ordering asks."""

    @property
    def query(self) -> str:
        """Of the URL: all that narrows and orders it."""
        return urlencode(self.filters.query())


@require_safe
def rising(request: HttpRequest) -> HttpResponse:
    filters, errors = read_filters(request)
    shown = show_feed(request, filters)
    if is_htmx(request) and not shown.is_first:
        return render(request, "pages/_more.html", {"feed": shown})
    context = {
        "is_by_score": ordering_of(filters) not in ("-published_at", "-views"),
        "feed": shown,
        "filters": filters,
        "errors": errors,
        **bar(filters, url_of),
        "newest_id": newest_id() if shown.is_first else 0,
        "query": urlencode(filters.query()),
    }
    return render(request, "pages/rising.html", context)


@require_safe
def news(request: HttpRequest) -> HttpResponse:
    """The hint that new videos match, for a page that was made when `after` was the newest one."""
    after = request.GET.get("after", "")
    if not is_id(after):
        raise BadRequest(_("“after” must be the id of a video."))
    filters, _errors = read_filters(request)
    count = count_new(filters, after=int(after), most=MOST_NEW + 1)
    return render(request, "pages/_news.html", {"count": count, "most": MOST_NEW, "url": url_of(filters)})


def read_filters(request: HttpRequest, *, also: Collection[str] = ()) -> tuple[Filters, dict[str, str]]:
    """What the URL asks for; and what of it means nothing here, to be told to the visitor. `also`: what others read."""
    errors: dict[str, str] = {}
    try:
        filters = known.read_filters(request.GET, also={"cursor", "after", *also})
    except InvalidFilters as error:
        filters, errors = error.understood, error.errors
    if filters.source is not None:
        workspace = workspace_of(request)
        if workspace is None or not Source.objects.filter(pk=filters.source, workspace=workspace).exists():
            raise Http404  # what another workspace's source has shown is its own knowledge
    return filters, errors


def show_feed(request: HttpRequest, filters: Filters) -> FeedView:
    """The page of the feed that the URL's cursor names. A cursor that is not ours is a 400."""
    cursor = request.GET.get("cursor", "")
    try:
        page = feed(filters, cursor=cursor, limit=PAGE)
    except InvalidCursor as error:
        raise BadRequest(str(error)) from error
    more = urlencode({**request.GET.dict(), "cursor": page.next_cursor}) if page.next_cursor else ""
    whys = why([card.id for card in page.cards], HEAD_OF_ORDERING.get(ordering_of(filters), "virality"))
    return FeedView(page, filters, f"{request.path}?{more}" if more else "", not cursor, whys)


def bar(filters: Filters, link: Link) -> dict[str, Any]:
    """The choices over a feed. `link`: from filters to the address of the page that they narrow."""
    ordering = ordering_of(filters)
    return {
        "orderings": [
            Choice(str(label), link(replace(filters, ordering=name)), name == ordering) for name, label in ORDERINGS.items()
        ],
        "kinds": [
            Choice(_("All"), link(replace(filters, kind=None)), filters.kind is None),
            *(Choice(str(label), link(replace(filters, kind=name)), name == filters.kind) for name, label in KINDS.items()),
        ],
        "surging": Choice(_("Surging"), link(replace(filters, surging=None if filters.surging else True)), bool(filters.surging)),
        "chips": chips(filters, link),
        "platforms": [name for name, _label in registry.choices() if name != registry.ANY_LINK],
        "download_statuses": DOWNLOAD_STATUSES.items(),
    }


def url_of(filters: Filters) -> str:
    query = urlencode(filters.query())
    return f"{reverse('rising')}?{query}" if query else reverse("rising")


def chips(filters: Filters, link: Link) -> list[Choice]:
    """What narrows the feed beyond the buttons that are always there, each with the URL without it."""
    return [
        Choice(_label(name, value), link(filters.without(name)))
        for name, value in filters.query().items()
        if name not in ("ordering", "kind", "surging") or (name == "surging" and not filters.surging)
    ]


def _label(name: str, value: str) -> str:
    templates: dict[str, str] = {
        "q": _("“%(value)s”"),
        "platform": _("on %(value)s"),
        "category": _("category %(value)s"),
        "hashtag": _("#%(value)s"),
        "min_views": _("%(value)s views or more"),
        "min_score": _("classic score %(value)s or more"),
        "published_after": _("published from %(value)s"),
        "published_before": _("published before %(value)s"),
        "download_status": _("download: %(value)s"),
        "surging": _("not surging"),
        "source": _("from source %(value)s"),
        "author": _("by %(value)s"),
        "sound": _("with the sound %(value)s"),
    }
    named: dict[str, Any] = {"author": Author, "sound": Sound}
    if name in named:
        value = str(named[name].objects.filter(pk=value).first() or value)
    if name == "category":
        value = str(Category.objects.filter(slug=value).first() or value)
    if name == "platform":
        value = dict(registry.choices()).get(value, value)
    if name == "download_status":
        value = str(DOWNLOAD_STATUSES[value])
    return templates[name] % {"value": value.removesuffix("T00:00:00Z")}
