"""What `up --sample` makes of the sample platform: settings for the processes, and sources to look at."""

from urllib.parse import urlsplit

import pytest

from config import sample as wiring
from crawler.models import CrawlJob, Source
from tests.sample import Sample
from workspaces.models import first_workspace


def test_every_service_that_the_sample_speaks_for_is_looked_for_there_with_its_key():
    told = wiring.environment(9260)

    addresses = {name: urlsplit(value) for name, value in told.items() if name.endswith("_URL")}
    assert set(addresses) == {"DOUYIN_URL", "TIKTOK_URL", "SCRAPECREATORS_URL", "APIFY_URL"}
    assert {address.netloc for address in addresses.values()} == {"localhost:9262"}
    assert "localhost:9263" in told["FETCH_ALLOWED_HOSTS"].split(",")
    assert told["SCRAPECREATORS_API_KEY"]
    assert told["APIFY_API_TOKEN"]
    assert not any(name.startswith("GEMINI") for name in told)  # carousels are read on the machine


@pytest.mark.django_db
def test_what_the_sample_shows_is_watched_once(sample: Sample):
    port = (urlsplit(sample.web_url).port or 0) - 2
    workspace = first_workspace()

    new, total = wiring.watch(port, workspace)
    jobs = CrawlJob.objects.count()
    again = wiring.watch(port, workspace)

    assert new == total == jobs == Source.objects.count()
    assert again == (0, total)
    assert CrawlJob.objects.count() == jobs
    kinds = Source.objects.filter(platform="tiktok").values_list("kind", flat=True)
    assert set(kinds) == {"profile", "hashtag", "trending", "sound"}
    assert [source.value for source in Source.objects.filter(is_own=True)] == [wiring.OWN_PROFILE]
    assert Source.objects.get(kind="sound").sound.url.startswith(sample.tiktok_url)


@pytest.mark.django_db
def test_without_an_answer_of_the_sample_the_rest_is_watched():
    new, total = wiring.watch(1, first_workspace())

    assert new == total
    assert not Source.objects.filter(kind="sound").exists()
