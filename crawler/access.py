"""Who reads what, and with what means: the address, key, proxy and signed-in session that settings and staff give a provider."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from crawler import outbound
from crawler.encryption import DecryptionError
from crawler.links import LINKS, post_platform, site_url
from crawler.models import BrowserSession
from crawler.providers import registry
from crawler.providers.base import Access, Provider
from crawler.providers.errors import NotConfigured
from jobs.errors import PermanentError


@dataclass(frozen=True, slots=True)
class Reader:
    """A provider, ready to be asked about one platform."""

    name: str
    provider: Provider
    access: Access


def reader_for(platform: str, kind: str = "") -> Reader:
    """Who reads this kind of source of a platform (links and single videos: no kind).

    Raises NotConfigured where its key or address is missing, PermanentError where a stored secret cannot be read.
    """
    return reader_by(provider_name(platform, kind), platform)


def reader_by(name: str, platform: str) -> Reader:
    """One provider, ready to be asked about a platform. Raises as reader_for does."""
    return Reader(name, registry.get_provider(name), access_by(name, platform))


def provider_name(platform: str, kind: str = "") -> str:
    """The first of provider_names."""
    return provider_names(platform, kind)[0]


def provider_names(platform: str, kind: str = "") -> tuple[str, ...]:
    """As settings choose, in the order of asking. A platform nobody watches any more is read as any link is."""
    entry = registry.PLATFORMS.get(platform)
    if entry is None:
        return registry.provider_names(registry.ANY_LINK)
    return registry.provider_names(platform, kind, _setting(entry.choice_setting))


def access_for(platform: str, kind: str = "") -> Access:
    """What the provider of a platform may use. Raises as reader_for does."""
    return access_by(provider_name(platform, kind), platform)


def access_by(name: str, platform: str) -> Access:
    """What one provider may use. Raises as reader_for does."""
    entry = registry.PROVIDERS[name]
    if missing := missing_settings(name):
        message = _("%(label)s is not configured: set %(names)s.")
        raise NotConfigured(message % {"label": entry.label, "names": ", ".join(missing)})
    try:
        session = BrowserSession.objects.filter(platform=platform).first()
    except DecryptionError as error:
        message = _("The cookies kept for this platform cannot be read with the configured keys: enter them anew.")
        raise PermanentError(message, code="secret_unreadable") from error
    base_url = _setting(entry.base_url_setting).rstrip("/")
    proxy = _setting(entry.proxy_setting)
    return Access(
        provider=name,
        platform=platform,
        base_url=base_url,
        site_url=site_url(platform),
        key=_setting(entry.key_setting),
        proxy=proxy,
        storage_state=session.storage_state if session else None,
        options={name: _setting(setting) for name, setting in entry.option_settings.items()},
        door=outbound.door_to(base_url, proxy=proxy),
    )


def missing_settings(name: str) -> list[str]:
    """The settings without which a provider cannot be asked, and which are not set."""
    entry = registry.PROVIDERS[name]
    needed = [entry.base_url_setting, entry.key_setting if entry.needs_key else ""]
    return [setting for setting in needed if setting and not _setting(setting)]


def is_paid(platform: str) -> bool:
    """Whether a look at a single post of a platform may cost: somebody who would be asked charges, and has its key."""
    return any(registry.PROVIDERS[name].is_paid and not missing_settings(name) for name in provider_names(platform))


def platform_of(url: str) -> str:
    """Who is to be asked for a link: the platform that knows it as its own, else whoever takes any."""
    if known := post_platform(url):
        return known
    own = (platform for platform in registry.PLATFORMS if platform not in (registry.ANY_LINK, *LINKS))
    return next((p for p in own if _provider(p).knows(url, site_url(p))), registry.ANY_LINK)


def _provider(platform: str) -> Provider:
    return registry.get_provider(provider_name(platform))


def _setting(name: str) -> str:
    return str(getattr(settings, name)) if name else ""
