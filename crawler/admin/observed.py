"""Rows that crawls write and staff only look at; links between the admin's lists, and out to the platform."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from django.db.models import Model, URLField
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from jobs.listing import BigListAdmin, OnlyLookedAt


def link_to(model: type[Model], text: Any, **filters: Any) -> SafeString:
    """A link to a list of the admin, filtered."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return format_html('<a class="underline" href="{}?{}">{}</a>', url, urlencode(filters), text)


def link_out(url: str) -> SafeString | str:
    """A link to the platform's own page; only to the web, whatever a row says."""
    if not url.startswith(("http://", "https://")):
        return "–"
    return format_html(
        '<a class="underline" href="{}" rel="noopener noreferrer" target="_blank">{}</a>', url, urlsplit(url).netloc
    )


class Observed(OnlyLookedAt, BigListAdmin):
    """What crawls write; looked at here."""

    shown: list[str] = []
    """What is shown of a row besides its columns."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        columns = [field.name for field in self.model._meta.concrete_fields if field.name != "id"]
        return [*(name for name in columns if name not in self.get_exclude(request, obj)), *self.shown]

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Addresses are shown by `show_link` alone: the theme makes a link of whatever stands in them."""
        return [field.name for field in self.model._meta.concrete_fields if isinstance(field, URLField)]

    @display(description=_("there"))
    def show_link(self, row: Any) -> SafeString | str:
        return link_out(row.url)
