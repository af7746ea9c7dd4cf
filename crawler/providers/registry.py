"""Which platforms can be read: slug -> (label, the provider, the setting that holds its address)."""

import pkgutil

from crawler.providers.base import Provider

PROVIDERS = {
    "douyin": ("Douyin", "crawler.providers.douyin:Douyin", "DOUYIN_URL"),
}


def choices() -> list[tuple[str, str]]:
    return [(slug, label) for slug, (label, _provider, _setting) in PROVIDERS.items()]


def get_provider(platform: str) -> Provider:
    """Imported at first use. Raises KeyError for a platform nobody reads."""
    provider: Provider = pkgutil.resolve_name(PROVIDERS[platform][1])()
    return provider
