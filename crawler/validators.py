"""What a source's fields may hold; used by forms, the API and the admin alike."""

import re

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from crawler.cleaning import clean_text
from crawler.timing import BadCron, next_tick

_PROFILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.=-]*")


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


def validate_profile(value: str) -> None:
    """What stands behind `/user/` in a profile's address; not the address, which could lead anywhere."""
    if not _PROFILE.fullmatch(value.strip()):
        raise ValidationError(
            _("Only the last part of the profile's address: “MS4wLjABAAAA” of “https://www.douyin.com/user/MS4wLjABAAAA”."),
            code="bad_profile",
        )
