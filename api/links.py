"""Links that people give us: followed only where the house follows links at all."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from crawler import outbound
from crawler.access import platform_of
from crawler.connections import FetchError
from crawler.providers import registry


@contextmanager
def refused_links(field: str) -> Iterator[None]:
    """Makes a link that leads nowhere, or where we do not go, an error of its field."""
    try:
        yield
    except outbound.ForbiddenAddress as error:
        raise ValidationError({field: [error.message]}, code=error.code) from error
    except FetchError as error:
        raise ValidationError({field: [_("This address cannot be found.")]}, code=error.code) from error


def check_link(url: str) -> None:
    """Raises ValidationError for a link that leads nowhere, or where we do not go."""
    if platform_of(url) != registry.ANY_LINK:
        return
    with refused_links("value"):
        outbound.check_url(url)
