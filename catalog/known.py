"""What a feed may be narrowed to that only the rows know: the platforms that videos are of, and the categories there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from analysis.models import Category
from catalog.categories import leads_to
from catalog.filters import Filters, InvalidFilters
from crawler.models import Video
from crawler.providers import registry

MOST_NAMED = 20
"""Choices that a sentence names."""

# From each platform to the next one by the index of (platform, external_id): as many steps as platforms, however many videos.
_PLATFORMS_OF_VIDEOS = """
    WITH RECURSIVE found AS (
        (SELECT platform FROM crawler_video ORDER BY platform LIMIT 1)
        UNION ALL
        SELECT (SELECT v.platform FROM crawler_video v WHERE v.platform > found.platform ORDER BY v.platform LIMIT 1)
        FROM found WHERE found.platform IS NOT NULL
    )
    SELECT platform FROM found WHERE platform IS NOT NULL
"""


def read_filters(params: Mapping[str, Any], *, also: Collection[str] = ()) -> Filters:
    """As Filters.parse; a platform or category that there is not is a mistake too, and a former category its successor."""
    errors: dict[str, str] = {}
    try:
        filters = Filters.parse(params, also=also)
    except InvalidFilters as error:
        filters, errors = error.understood, error.errors
    if filters.platform and (wrong := what_is_wrong_with_platform(filters.platform)):
        filters, errors = filters.without("platform"), {**errors, "platform": wrong}
    if filters.category:
        slug = leads_to(filters.category)
        filters = replace(filters, category=slug)
        if not (Category.objects.filter(slug=slug).exists() or Video.objects.filter(category=slug).exists()):
            current = Category.objects.current().order_by("slug").values_list("slug", flat=True)
            filters, errors = filters.without("category"), {**errors, "category": _one_of(list(current[: MOST_NAMED + 1]))}
    if errors:
        raise InvalidFilters(errors, filters)
    return filters


def what_is_wrong_with_platform(name: str) -> str:
    """A sentence that names those there are; empty where this is one of them. A platform outlives its provider in its videos."""
    watched = [platform for platform in registry.PLATFORMS if platform != registry.ANY_LINK]
    if name in watched:
        return ""
    with connection.cursor() as cursor:
        cursor.execute(_PLATFORMS_OF_VIDEOS)
        seen = [platform for (platform,) in cursor.fetchall()]
    return "" if name in seen else _one_of([*watched, *(platform for platform in seen if platform not in watched)])


def _one_of(names: list[str]) -> str:
    if not names:
        return _("There are none yet.")
    listed = ", ".join(names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")
    return _("Must be one of: %(choices)s.") % {"choices": listed}
