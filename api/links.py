"""Links that people give us: followed only where the house follows links at all."""

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from crawler import outbound
from crawler.access import platform_of
from crawler.connections import FetchError
from crawler.providers import registry


def check_link(url: str) -> None:
    """Raises ValidationError for a link that leads nowhere, or where we do not go."""
    if platform_of(url) != registry.ANY_LINK:
        return
    try:
        outbound.check_url(url)
    except outbound.ForbiddenAddress as error:
        raise ValidationError(error.message, code=error.code) from error
    except FetchError as error:
        raise ValidationError(_("This address cannot be found."), code=error.code) from error
