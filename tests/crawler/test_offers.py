"""What can be watched where, and what a pasted link asks for: without asking anybody."""

from datetime import UTC, datetime, timedelta

import pytest

from crawler.models import SourceKind
from crawler.offers import Recognised, offers, recognise
from crawler.timing import shortest_gap
from crawler.validators import clean_value, is_offered

NUMBER = "7300000000000000001"


@pytest.fixture(autouse=True)
def _real_sites(settings):
    settings.DOUYIN_URL, settings.TIKTOK_URL = "https://www.douyin.com", "https://www.tiktok.com"


@pytest.mark.parametrize(
    ("text", "platform", "kind", "value"),
    [
        ("https://www.tiktok.com/@some.one", "tiktok", "profile", "some.one"),
        ("https://www.tiktok.com/@some.one?lang=en", "tiktok", "profile", "some.one"),
        ("look: https://www.tiktok.com/tag/cats !", "tiktok", "hashtag", "cats"),
        ("https://www.tiktok.com/music/original-sound-7016547803243022337", "tiktok", "sound", "7016547803243022337"),
        (f"https://www.tiktok.com/@x/photo/{NUMBER}?_t=1", "tiktok", "url", f"https://www.tiktok.com/@x/photo/{NUMBER}"),
        ("https://www.douyin.com/user/MS4wLjABAAAA", "douyin", "profile", "MS4wLjABAAAA"),
        ("https://www.douyin.com/hashtag/1577530461786125", "douyin", "hashtag", "1577530461786125"),
        ("https://www.douyin.com/music/6872216793570609154", "douyin", "sound", "6872216793570609154"),
        ("https://www.douyin.com/hot", "douyin", "trending", "hot"),
        (f"看 https://www.douyin.com/video/{NUMBER}，好", "douyin", "url", f"https://www.douyin.com/video/{NUMBER}"),
        ("https://www.youtube.com/shorts/abc", "link", "url", "https://www.youtube.com/shorts/abc"),
    ],
)
def test_a_link_says_what_it_is(text, platform, kind, value):
    assert recognise(text) == Recognised(platform, kind, value)


@pytest.mark.parametrize(
    "text",
    ["街头美食", "@someone", "#cats", "", "https://vm.tiktok.com/ZM12345/", "https://www.tiktok.com/about", "http://", "//x"],
)
def test_what_is_no_link_or_leads_who_knows_where_says_nothing(text):
    assert recognise(text) is None


def test_each_offer_has_help_and_an_example_that_is_accepted():
    assert {(offer.platform, offer.kind) for offer in offers()} == {
        *((platform, kind) for platform in ("douyin", "tiktok") for kind in SourceKind.values),
        ("link", "url"),
    }
    for offer in offers():
        assert offer.help
        assert clean_value(offer.platform, offer.kind, offer.example.removesuffix("…").replace("…", ""))


def test_what_a_platform_does_not_have_is_not_offered():
    assert not is_offered("link", "topic")
    assert not is_offered("myspace", "url")


@pytest.mark.parametrize(
    ("cron", "interval", "minutes"),
    [("* * * * *", 60, 1), ("*/5 * * * *", 60, 5), ("0,2 * * * *", 60, 2), ("0 3 * * *", 60, 1440), ("", 7, 7)],
)
def test_the_shortest_gap_of_a_schedule(cron, interval, minutes):
    assert shortest_gap(cron, interval, datetime(2026, 11, 21, 8, 30, tzinfo=UTC)) == timedelta(minutes=minutes)
