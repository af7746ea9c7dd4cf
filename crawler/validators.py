"""What a source's fields may hold; used by forms, the API and the admin alike."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crawler.cleaning import clean_text
from crawler.links import LINKS, NoVideo, holds_link, is_short, link_in, post_platform, site_url, spelling
from crawler.providers import douyin_links, registry, sound_links, tiktok_links
from crawler.timing import BadCron, next_tick

Reads = Callable[[str, str], str]
"""From what was typed, and the address of the platform's site, to what is watched; empty where it cannot be that."""

READS: dict[tuple[str, str], tuple[Reads, Any]] = {
    ("douyin", "profile"): (
        douyin_links.profile_id,
        gettext_lazy(
            "A profile's address, or only its last part: “MS4wLjABAAAA…” of “https://www.douyin.com/user/MS4wLjABAAAA…”."
        ),
    ),
    ("douyin", "hashtag"): (
        douyin_links.hashtag_value,
        gettext_lazy("A hashtag's name (“#猫”), or the address of its page (“https://www.douyin.com/hashtag/1577530461786125”)."),
    ),
    ("douyin", "sound"): (
        douyin_links.sound_id,
        gettext_lazy("The address of a sound's page (“https://www.douyin.com/music/6872216793570609154”), or its number."),
    ),
    ("tiktok", "profile"): (
        tiktok_links.find_handle,
        gettext_lazy("A profile's name (“@someone”), or the address of its page (“https://www.tiktok.com/@someone”)."),
    ),
    ("tiktok", "hashtag"): (
        tiktok_links.find_hashtag,
        gettext_lazy("A hashtag's name (“#cats”), or the address of its page (“https://www.tiktok.com/tag/cats”)."),
    ),
    ("tiktok", "trending"): (
        tiktok_links.region,
        gettext_lazy("A trending list is that of a country: two letters, such as “US” or “VN”."),
    ),
    ("tiktok", "sound"): (
        sound_links.sound_id,
        gettext_lazy("A sound's link (“https://www.tiktok.com/music/original-sound-7016547803243022337”), or its number."),
    ),
    ("douyin", "trending"): (douyin_links.hot_list, gettext_lazy("Douyin has one list of what is hot: write “hot”.")),
}


def is_offered(platform: str, kind: str) -> bool:
    """Whether a platform has this kind of list."""
    if platform == registry.ANY_LINK:
        return kind == "url"
    return platform in registry.PLATFORMS and (kind in ("topic", "url") or (platform, kind) in READS)


def validate_cron(value: str) -> None:
    try:
        next_tick(value, 0, timezone.now())
    except BadCron as error:
        raise ValidationError(
            _("Not a cron line that can be followed: five fields, in UTC, such as “0 */2 * * *”."), code="bad_cron"
        ) from error


def validate_plain_text(value: str) -> None:
    """No NUL, no control characters, no marks that turn the direction of text."""
    if clean_text(value, len(value))[0] != value.strip():
        raise ValidationError(_("Remove invisible and control characters."), code="unclean")


def clean_value(platform: str, kind: str, value: str) -> str:
    """What a source of this kind watches, in its one spelling: a pasted address becomes the id in it.

    Raises ValidationError, which says what belongs there.
    """
    text = value.strip()
    if kind == "url":
        if platform in LINKS and not post_platform(text):
            raise ValidationError(
                _("This link leads to no video. To watch a profile, hashtag or sound, paste its own address."), code="no_video"
            )
        return spelling(text, platform)
    reads, advice = READS.get((platform, kind), (None, None))
    if reads is None or advice is None:
        if kind == "topic":
            _check_words(text)
        return text
    if is_short(text, platform):
        raise _short_link()
    found = reads(text, site_url(platform))
    if not found:
        raise ValidationError(advice, code=f"bad_{kind}")
    return found


def _check_words(text: str) -> None:
    """Raises ValidationError for a topic without words, and for a link: no platform finds anything by one."""
    if not text.strip(". "):
        raise ValidationError(_("There are no words to search for."), code="bad_topic")
    if not holds_link(text):
        return
    try:
        link = link_in(text)
    except NoVideo:
        link = ""
    if any(is_short(link, platform) for platform in LINKS):
        raise _short_link()
    raise ValidationError(
        _("This link is of nothing that can be watched: that would be a profile, hashtag, sound, trending list or video."),
        code="bad_link",
    )


def _short_link() -> ValidationError:
    return ValidationError(
        _("Only a request would show where this short link leads: open it in a browser and paste the address it leads to."),
        code="short_link",
    )
