"""What can be watched where, how it is written, and what a pasted link asks for."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from crawler.links import LINKS, NoVideo, link_in, post_platform, site_url
from crawler.models import SourceKind
from crawler.providers import registry
from crawler.validators import READS, is_offered

TOPIC = _("Words as you would type them into the platform's own search.")
LINK = _("The link of one video or carousel; it is looked at again and again.")
ANY_LINK = _("The link of a video on any site that can be read (yt-dlp knows more than a thousand).")
EXAMPLES = {
    ("douyin", "topic"): "街头美食",
    ("douyin", "hashtag"): "#猫",
    ("douyin", "profile"): "https://www.douyin.com/user/MS4wLjABAAAA…",
    ("douyin", "sound"): "https://www.douyin.com/music/6872216793570609154",
    ("douyin", "trending"): "hot",
    ("douyin", "url"): "https://www.douyin.com/video/7300000000000000001",
    ("tiktok", "topic"): "street food",
    ("tiktok", "hashtag"): "#cats",
    ("tiktok", "profile"): "@someone",
    ("tiktok", "sound"): "https://www.tiktok.com/music/original-sound-7016547803243022337",
    ("tiktok", "trending"): "US",
    ("tiktok", "url"): "https://www.tiktok.com/@someone/video/7300000000000000001",
    (registry.ANY_LINK, "url"): "https://www.youtube.com/shorts/…",
}
LISTED = ("profile", "hashtag", "sound", "trending")
"""Kinds that have pages of their own, whose addresses say which they are."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind of source that a platform has."""

    platform: str
    kind: str
    help: Any
    example: str

    @property
    def label(self) -> str:
        return str(SourceKind(self.kind).label)

    @property
    def platform_label(self) -> str:
        return registry.PLATFORMS[self.platform].label

    @property
    def key(self) -> str:
        return f"{self.platform}:{self.kind}"


@dataclass(frozen=True, slots=True)
class Recognised:
    platform: str
    kind: str
    value: str


def offers() -> list[Offer]:
    """All that can be watched, platform by platform, in the order of the kinds."""
    return [
        Offer(platform, kind, _help(platform, kind), EXAMPLES.get((platform, kind), ""))
        for platform, _label in registry.choices()
        for kind in SourceKind.values
        if is_offered(platform, kind)
    ]


def recognise(text: str) -> Recognised | None:
    """What the link in a text asks for: a profile, hashtag, sound or list of a platform we know, or else one video.

    None for a text without a link, and for a short one: only a request would show where that leads. Asks nobody.
    """
    try:
        link = link_in(text)
    except NoVideo:
        return None
    platform = next((name for name, links in LINKS.items() if links.is_ours(link, site_url(name))), None)
    if platform is None:
        return Recognised(registry.ANY_LINK, SourceKind.URL, link)
    links, site = LINKS[platform], site_url(platform)
    if canonical := links.canonical(link, site):
        return Recognised(platform, SourceKind.URL, canonical)
    if links.is_short(link, site):
        return None
    for kind in LISTED:
        reads, _advice = READS.get((platform, kind), (None, None))
        if reads is not None and (value := reads(link, site)):
            return Recognised(platform, kind, value)
    return None


def settle_on_link(values: dict[str, Any]) -> Recognised | None:
    """Let a pasted link say what is watched, whatever was chosen beside it: changes `platform`, `kind` and `value` of what a
    form or the API has cleaned. Returns what it is, where that is not what was chosen.
    """
    text = values.get("value") or ""
    found = recognise(text) or (_short(text) if values.get("kind") == SourceKind.URL else None)
    if found is None or "platform" not in values or "kind" not in values:
        return None
    chosen = (values["platform"], values["kind"])
    values.update(platform=found.platform, kind=found.kind, value=found.value)
    return None if (found.platform, found.kind) == chosen else found


def _short(text: str) -> Recognised | None:
    """A short link, as one video: whose it is shows, though not where it leads."""
    try:
        link = link_in(text)
    except NoVideo:
        return None
    platform = post_platform(link)
    return Recognised(platform, SourceKind.URL, link) if platform else None


def _help(platform: str, kind: str) -> Any:
    if kind == SourceKind.TOPIC:
        return TOPIC
    if kind == SourceKind.URL:
        return ANY_LINK if platform == registry.ANY_LINK else LINK
    return READS[platform, kind][1]
