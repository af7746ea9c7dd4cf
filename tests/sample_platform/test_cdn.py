"""Media: real files, links that end, and Range as a resuming client needs it."""

import hashlib
import io

import pytest
import requests
from PIL import Image

from tests.sample import running_sample
from tests.sample_platform.conftest import BROWSER, fetch, probe, smallest


def test_every_size_of_a_clip_is_h264_with_sound_and_as_long_and_large_as_announced(site, clip, tmp_path):
    for gear in clip["video"]["bit_rate"]:
        address = gear["play_addr"]
        file = tmp_path / gear["gear_name"]
        file.write_bytes(fetch(site, address["url_list"][0]).content)

        facts = probe(file)
        picture = next(stream for stream in facts["streams"] if stream["codec_type"] == "video")
        sound = next(stream for stream in facts["streams"] if stream["codec_type"] == "audio")
        assert picture["codec_name"] == ("hevc" if gear["is_h265"] else "h264")
        assert (picture["width"], picture["height"]) == (address["width"], address["height"])
        assert sound["codec_name"] == "aac"
        assert float(facts["format"]["duration"]) * 1000 == pytest.approx(clip["duration"], abs=120)
        assert file.stat().st_size == address["data_size"]


def test_a_repost_has_the_very_bytes_of_the_original_and_others_do_not(tmp_path_factory):
    with running_sample(tmp_path_factory.mktemp("reposts"), videos=128) as site:
        plans = [plan for plan in site.truth()["videos"] if plan["kind"] == "clip" and not plan["is_deleted"]]
        repost = next(plan for plan in plans if plan["is_repost"] and plan["seconds"] < 20)
        others = [plan for plan in plans if plan["topic"] == repost["topic"] and plan["seconds"] < 20 and plan != repost]
        original = next(plan for plan in others if (plan["seconds"], plan["sizes"]) == (repost["seconds"], repost["sizes"]))
        third = next(plan for plan in others if plan != original)

        prints = [
            hashlib.sha256(fetch(site, smallest(site.detail(plan["id"]))["url_list"][0]).content).hexdigest()
            for plan in (repost, original, third)
        ]

    assert prints[0] == prints[1] != prints[2]


def test_pictures_come_as_webp_and_as_jpeg(site):
    plan = next(plan for plan in site.truth()["videos"] if plan["kind"] == "carousel" and not plan["is_deleted"])
    aweme = site.detail(plan["id"])

    for image in (aweme["images"][0], aweme["images"][1]):
        formats = set()
        for url in (image["url_list"][0], image["url_list"][-1]):
            picture = Image.open(io.BytesIO(fetch(site, url).content))
            formats.add(picture.format)
            assert picture.size == (image["width"], image["height"])
        assert formats == {"WEBP", "JPEG"}

    cover = Image.open(io.BytesIO(fetch(site, aweme["video"]["cover"]["url_list"][0]).content))
    face = Image.open(io.BytesIO(fetch(site, aweme["author"]["avatar_thumb"]["url_list"][0]).content))
    assert (cover.size, face.size) == ((540, 720), (100, 100))


def test_the_sound_of_a_carousel_is_an_mp3_of_its_length(site, tmp_path):
    plan = next(plan for plan in site.truth()["videos"] if plan["kind"] == "carousel" and not plan["is_deleted"])
    aweme = site.detail(plan["id"])
    file = tmp_path / "sound"
    file.write_bytes(fetch(site, aweme["video"]["play_addr"]["url_list"][0]).content)

    facts = probe(file)

    assert facts["format"]["format_name"] == "mp3"
    assert float(facts["format"]["duration"]) == pytest.approx(aweme["music"]["duration"], abs=0.2)


def test_hot_links_are_refused(site, clip):
    url = smallest(clip)["url_list"][0]

    assert requests.get(url, headers=BROWSER, timeout=30).status_code == 403
    assert fetch(site, url, Referer="https://elsewhere.example/").status_code == 403
    assert fetch(site, url, Referer=f"{site.web_url}.evil.example/").status_code == 403
    assert fetch(site, url, **{"User-Agent": ""}).status_code == 403
    assert fetch(site, url).status_code == 200


def test_a_link_ends_and_cannot_be_prolonged(site, clip):
    url = smallest(clip)["url_list"][0]
    sign, ends = url.split("/")[3:5]

    assert fetch(site, url.replace(f"/{ends}/", f"/{int(ends, 16) + 99999:x}/")).status_code == 403
    assert fetch(site, url.replace(sign, "0" * 32)).status_code == 403
    assert fetch(site, url.replace(ends, "1")).status_code == 403
    cover = clip["video"]["cover"]["url_list"][0]
    assert fetch(site, cover.replace("x-expires=", "x-expires=9")).status_code == 403


def test_links_live_as_long_as_they_are_told_to(site, clip):
    requests.put(f"{site.web_url}/control/media", json={"seconds": 1}, timeout=10).raise_for_status()
    try:
        url = smallest(site.detail(clip["aweme_id"]))["url_list"][0]
        response = fetch(site, url)
        while response.status_code == 200:
            response = fetch(site, url)
    finally:
        requests.put(f"{site.web_url}/control/media", json={"seconds": 3600}, timeout=10).raise_for_status()

    assert (response.status_code, response.text) == (403, "forbidden: expired")


def test_the_lasting_address_leads_to_a_fresh_link_of_the_wanted_size(site, clip):
    for gear in clip["video"]["bit_rate"]:
        if not gear["is_h265"]:
            address = gear["play_addr"]
            answer = fetch(site, address["url_list"][-1])
            assert answer.status_code == 302
            assert answer.headers["location"].split("/")[9] == address["url_list"][0].split("/")[9]
    assert fetch(site, f"{site.web_url}/aweme/v1/play/?video_id=nothing").status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-99", 206, 0, 99),
        ("bytes=100-", 206, 100, None),
        ("bytes=-50", 206, -50, None),
        ("bytes=10-99999999999", 206, 10, None),
        ("bytes=0-0,5-9", 200, 0, None),
        ("bytes=9-5", 200, 0, None),
        ("bytes=-", 200, 0, None),
        ("chapters=1-2", 200, 0, None),
    ],
)
def test_ranges(site, clip, asked, status, first, last):
    url = smallest(clip)["url_list"][0]
    whole = fetch(site, url).content
    wanted = whole[first:] if last is None else whole[first : last + 1]

    answer = fetch(site, url, Range=asked)

    assert answer.status_code == status
    assert answer.content == wanted
    if status == 206:
        begin = first % len(whole)
        assert answer.headers["content-range"] == f"bytes {begin}-{begin + len(wanted) - 1}/{len(whole)}"


@pytest.mark.parametrize("asked", ["bytes=99999999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_unsatisfiable(site, clip, asked):
    address = smallest(clip)

    answer = fetch(site, address["url_list"][0], Range=asked)

    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{address['data_size']}")


def test_a_resume_continues_only_the_same_file(site, clip):
    url = smallest(clip)["url_list"][0]
    first = fetch(site, url, Range="bytes=0-9")

    for mark in (first.headers["etag"], first.headers["last-modified"]):
        assert fetch(site, url, Range="bytes=10-19", **{"If-Range": mark}).status_code == 206
    assert fetch(site, url, Range="bytes=10-19", **{"If-Range": '"another"'}).status_code == 200
    assert fetch(site, url, **{"If-None-Match": first.headers["etag"]}).status_code == 304


def test_head_tells_the_size_and_sends_nothing(site, clip):
    address = smallest(clip)

    headers = {**BROWSER, "Referer": f"{site.web_url}/"}
    answer = requests.head(address["url_list"][0], headers=headers, timeout=60)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(address["data_size"])


def test_unknown_media_are_not_found(site):
    for path in ("/", "/x", f"/{'0' * 32}/65f4182c/video/tos/cn/tos-cn-ve-15/nothing/", "/tos-cn-p-0015/nothing~x.webp"):
        assert fetch(site, f"{site.cdn_url}{path}").status_code == 404
