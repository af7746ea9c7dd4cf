"""The words that rows are marked with."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SourceKind(models.TextChoices):
    TOPIC = "topic", _("topic")
    HASHTAG = "hashtag", _("hashtag")
    PROFILE = "profile", _("profile")
    SOUND = "sound", _("sound")
    TRENDING = "trending", _("trending list")
    URL = "url", _("link")


class Outcome(models.TextChoices):
    """How the last look at a source went. Blocked is not empty."""

    NEVER = "", _("not looked at yet")
    OK = "ok", _("ok")
    EMPTY = "empty", _("empty")
    BLOCKED = "blocked", _("blocked")
    LOGIN_REQUIRED = "login_required", _("login required")
    RATE_LIMITED = "rate_limited", _("rate limited")
    CHANGED = "changed", _("answer changed")
    UNREACHABLE = "unreachable", _("unreachable")
    GONE = "gone", _("gone")
    PRIVATE = "private", _("private")
    RENAMED = "renamed", _("renamed")
    SERVICE_REFUSED = "service_refused", _("service not usable")
    FAILED = "failed", _("failed")


class AutoDownload(models.TextChoices):
    NONE = "none", _("nothing")
    SURGING = "surging", _("what surges")
    ALL = "all", _("everything")


class VideoKind(models.TextChoices):
    CLIP = "clip", _("clip")
    CAROUSEL = "carousel", _("carousel")


def default_kinds() -> list[str]:
    return [VideoKind.CLIP.value, VideoKind.CAROUSEL.value]


def platform_choices() -> list[tuple[str, str]]:
    from crawler.providers import registry

    return registry.choices()
