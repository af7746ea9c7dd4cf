"""Which platforms can be read, by whom, and where they are. To add one, add a line."""

import functools
from dataclasses import dataclass
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from crawler.providers.base import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    label: object
    path: str
    """Of the provider's class; imported at first use, because a browser or a downloader weighs much."""
    base_url_setting: str = ""


PROVIDERS: dict[str, Entry] = {
    "douyin": Entry(
        label="Douyin", path="crawler.providers.douyin.Douyin", base_url_setting="DOUYIN_URL"
    ),
    "link": Entry(label=_("any link"), path="crawler.providers.ytdlp.AnyLink"),
}


def choices() -> list[tuple[str, str]]:
    return [(platform, cast(str, entry.label)) for platform, entry in PROVIDERS.items()]


@functools.cache
def get_provider(platform: str) -> Provider:
    """One instance per process. Raises KeyError for a platform that nobody reads."""
    return cast(Provider, import_string(PROVIDERS[platform].path)())


def base_url(platform: str) -> str:
    """Where the platform is: the real site, unless its setting says otherwise. Without a slash at the end."""
    setting = PROVIDERS[platform].base_url_setting
    return str(getattr(settings, setting)).rstrip("/") if setting else ""
