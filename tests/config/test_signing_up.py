"""What doctor says of strangers who may sign up."""

import pytest
from constance.test import override_config
from pytest_django import Settings

from config.doctor import Level, signing_up


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("is_open", "site", "key", "level"),
    [
        (True, "https://videos.example.org", "a-key", Level.WARNING),
        (True, "https://videos.example.org", "", Level.OK),
        (True, "http://localhost:8000", "a-key", Level.OK),
        (False, "https://videos.example.org", "a-key", Level.OK),
    ],
)
def test_paid_keys_and_open_doors_are_a_warning(settings: Settings, is_open: bool, site: str, key: str, level: Level) -> None:
    settings.SITE_URL, settings.GEMINI_API_KEY = site, key
    settings.SCRAPECREATORS_API_KEY = settings.APIFY_API_TOKEN = ""

    with override_config(SIGN_UP_OPEN=is_open):
        [finding] = signing_up()

    assert finding.level == level
    assert ("SIGN_UP_OPEN" in finding.mend) == ("GEMINI_API_KEY" in finding.detail) == (level == Level.WARNING)
