"""Pages and API show what we keep, in a size that fits, or say how far it is; never a platform's own address."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from django.test import Client
from PIL import Image
from playwright.sync_api import Page, expect

from crawler.models import Video
from downloads import wanting
from downloads.models import Asset, AssetRole, AssetState, StoredObject
from jobs import kinds
from jobs.runner import drain
from tests.browser.conftest import apart
from tests.downloads.conftest import use_media
from tests.downloads.servers import http, running_liar
from tests.factories import AssetFactory, ScoreFactory, SoundFactory, StoredObjectFactory, VideoFactory

THEIRS = "https://p3-sign.example-cdn.org/picture.webp?x-expires=1"


def picture_row(**facts: Any) -> StoredObject:
    row: StoredObject = StoredObjectFactory.create(
        mime="image/jpeg",
        width=720,
        height=960,
        small=StoredObjectFactory.create(mime="image/webp", width=240, height=320),
        medium=StoredObjectFactory.create(mime="image/webp", width=720, height=960),
        **facts,
    )
    return row


def carousel() -> Video:
    """Ready, wanted, failed, removed, and one that was only listed."""
    sound = SoundFactory.create(play_url=THEIRS, cover_url=THEIRS)
    video: Video = VideoFactory.create(
        carousel=True, cover_url=THEIRS, author__avatar_url=THEIRS, sound=sound, slides=[{"urls": [THEIRS]}] * 5
    )
    ScoreFactory.create(video=video)
    AssetFactory.create(video=video, role=AssetRole.SLIDE, quality="", position=0, object=picture_row())
    AssetFactory.create(video=video, role=AssetRole.SLIDE, quality="", position=1, wanted=True)
    for position, state in ((2, AssetState.FAILED), (3, AssetState.REMOVED)):
        AssetFactory.create(
            video=video, role=AssetRole.SLIDE, quality="", position=position, state=state, object=None, error_code="gone"
        )
    return video


@pytest.mark.django_db
def test_every_slide_has_its_picture_or_says_why_not(client: Client) -> None:
    video = carousel()

    page = client.get(f"/videos/{video.pk}/").content.decode()

    assert page.count("This picture is on its way.") == 2
    assert page.count("This picture could not be fetched.") == 1
    assert page.count("This picture was removed") == 1
    assert page.count("720w") == 1
    assert "x-expires" not in page


@pytest.mark.django_db
def test_the_api_says_so_too_and_gives_links_of_ours(client: Client) -> None:
    video = carousel()
    AssetFactory.create(video=None, sound=video.sound, role=AssetRole.AUDIO, quality="", object__mime="audio/mpeg")

    answer = client.get(f"/api/videos/{video.pk}")

    found = answer.json()
    assert [slide["state"] for slide in found["slides"]] == ["ready", "pending", "failed", "removed", "pending"]
    assert [slide["url"] is not None for slide in found["slides"]] == [True, False, False, False, False]
    assert found["slides"][0]["thumbnails"]["small"].startswith("http://testserver/media/")
    assert found["slides"][2]["error_code"] == "gone"
    assert (found["cover_state"], found["cover_url"]) == ("pending", None)
    assert (found["sound"]["audio_state"], found["sound"]["cover_state"]) == ("ready", "pending")
    assert found["sound"]["audio_url"].startswith("http://testserver/media/")
    assert "x-expires" not in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/api/videos", "/authors/{author}/", "/api/authors/{author}", "/surging/", "/trends/"])
def test_no_page_shows_an_address_that_expires(client: Client, path: str) -> None:
    video = carousel()

    answer = client.get(path.format(author=video.author_id))

    assert answer.status_code == 200
    assert "x-expires" not in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "title", "word"),
    [
        (None, "Its cover is on its way", "pending"),
        (AssetState.WANTED, "Its cover is on its way", "pending"),
        (AssetState.FAILED, "Its cover could not be fetched", "failed"),
    ],
)
def test_a_card_without_its_cover_says_how_far_it_is(client: Client, state: str | None, title: str, word: str) -> None:
    video = ScoreFactory.create(video__cover_url=THEIRS).video
    if state:
        AssetFactory.create(video=video, role=AssetRole.COVER, quality="", state=state, object=None)

    assert title in client.get("/").content.decode()
    assert client.get("/api/videos").json()["results"][0]["cover_state"] == word


@pytest.mark.django_db
def test_a_card_offers_its_cover_in_two_sizes_and_a_jpeg_for_the_rest(client: Client) -> None:
    video = ScoreFactory.create().video
    AssetFactory.create(video=video, role=AssetRole.COVER, quality="", object=picture_row(), state=AssetState.WANTED)

    page = client.get("/").content.decode()

    assert " 240w, " in page
    assert f'cover-{video.pk}.jpg"' in page
    assert client.get("/api/videos").json()["results"][0]["cover_state"] == "ready", "fetched again, shown until then"


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [1280, 390])
def test_heic_shows_in_a_browser_long_after_its_address_expired(
    page: Page, live_server: Any, settings: Any, tmp_path: Path, width: int
) -> None:
    use_media(settings, f"file:{tmp_path / 'media'}")
    settings.TEMP_DIR = tmp_path / "tmp"
    pillow_heif.register_heif_opener()
    buffer = BytesIO()
    image = Image.radial_gradient("L").resize((1080, 1440)).convert("RGB")
    image.save(buffer, "HEIF")
    with running_liar() as liar:
        settings.FETCH_ALLOWED_HOSTS = [f"127.0.0.1:{liar.port}"]
        address = liar.serve("/p.heic", http(200, buffer.getvalue(), Content_Type="image/heic"))
        video = VideoFactory.create(carousel=True, cover_url=address, slides=[{"urls": [address]}] * 2)
        ScoreFactory.create(video=video)
        apart(lambda: (wanting.want([video.pk]), drain(kinds.get("asset"))))
        liar.serve("/p.heic", http(403))  # and here the address expires
    types: dict[str, str] = {}
    page.on("response", lambda answer: types.update({answer.url: answer.headers.get("content-type", "")}))
    page.set_viewport_size({"width": width, "height": 900})

    page.goto(live_server.url)
    cover = page.locator(".cover img").first
    expect(cover).to_be_visible()
    page.wait_for_function("() => document.querySelector('.cover img').naturalWidth > 0")
    src = cover.evaluate("image => image.src")
    assert page.request.get(src).headers["content-type"] == "image/jpeg", "what browsers without WebP get"

    page.goto(f"{live_server.url}/videos/{video.pk}/")
    page.wait_for_function("() => [...document.querySelectorAll('.slide img')].some(image => image.naturalWidth > 0)")
    slide = page.locator(".slide img").first
    assert page.request.get(slide.evaluate("image => image.src")).headers["content-type"] == "image/jpeg"
    assert not [url for url, kind in types.items() if "heic" in kind or "heif" in kind]
    assert {asset.original.mime for asset in Asset.objects.filter(role="slide") if asset.original} == {"image/heic"}
