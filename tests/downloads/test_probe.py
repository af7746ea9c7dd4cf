"""What a file is, by itself; and what it must not be."""

import contextlib
import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from downloads.errors import VerificationError
from downloads.processing import audio, sandbox
from downloads.processing.probe import Facts, probe
from downloads.verification import Expected, verify, verify_size
from tests.downloads.conftest import MakeClip


def refusal(path: Path) -> str:
    with pytest.raises(VerificationError) as caught:
        probe(path)
    assert caught.value.message
    return caught.value.code


def test_the_facts_and_three_pictures_of_a_clip(clip: Path) -> None:
    probed = probe(clip)

    facts = probed.facts
    assert (facts.mime, facts.video_codec, facts.audio_codec) == ("video/mp4", "h264", "aac")
    assert (facts.width, facts.height, facts.fps, facts.frames) == (360, 640, 25.0, 75)
    assert facts.duration_seconds == pytest.approx(3, abs=0.1)
    assert [thumbnail.percent for thumbnail in probed.thumbnails] == [10, 50, 90]
    assert len({thumbnail.jpeg for thumbnail in probed.thumbnails}) == 3
    assert {(thumbnail.width, thumbnail.height) for thumbnail in probed.thumbnails} == {(360, 640)}


def test_a_clip_with_one_key_frame_still_has_three_pictures(make_clip: MakeClip) -> None:
    path = make_clip("one.mp4", seconds=4, options=("-c:v", "libx264", "-preset", "ultrafast", "-g", "999", "-an"))

    probed = probe(path)

    assert len({thumbnail.jpeg for thumbnail in probed.thumbnails}) == 3
    assert not probed.facts.has_sound


def test_large_clips_have_small_pictures(make_clip: MakeClip) -> None:
    probed = probe(make_clip("big.mp4", seconds=1, size="1080x1920"))

    assert {(t.width, t.height) for t in probed.thumbnails} == {(404, 720)}


def test_a_turned_clip_is_shown_upright(clip: Path, tmp_path: Path) -> None:
    turned = tmp_path / "turned.mp4"
    command = ["ffmpeg", "-v", "error", "-i", str(clip), "-c", "copy", "-metadata:s:v", "rotate=90", str(turned)]
    subprocess.run(command, check=True)

    probed = probe(turned)

    assert (probed.facts.width, probed.facts.height) == (640, 360)
    assert {(t.width, t.height) for t in probed.thumbnails} == {(640, 360)}


@pytest.mark.parametrize(
    ("name", "options", "mime", "codec"),
    [
        ("a.mov", (), "video/quicktime", "h264"),
        ("a.webm", ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"), "video/webm", "vp8"),
        ("a.ts", ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac"), "video/mp2t", "h264"),
        ("h.mp4", ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=0", "-c:a", "aac"), "video/mp4", "hevc"),
    ],
)
def test_other_containers_are_known(make_clip: MakeClip, name: str, options: tuple[str, ...], mime: str, codec: str) -> None:
    probed = probe(make_clip(name, options=options))

    assert (probed.facts.mime, probed.facts.video_codec) == (mime, codec)
    assert len(probed.thumbnails) == 3


def test_sound_is_taken_out_unchanged(clip: Path, tmp_path: Path) -> None:
    sound = audio.extract(clip, tmp_path)

    facts = probe(sound).facts
    assert (facts.mime, facts.audio_codec, facts.has_picture) == ("audio/mp4", "aac", False)
    assert facts.duration_seconds == pytest.approx(3, abs=0.1)


def test_a_silent_clip_has_no_sound_to_take(make_clip: MakeClip, tmp_path: Path) -> None:
    silent = make_clip("silent.mp4", options=("-c:v", "libx264", "-preset", "ultrafast", "-an"))

    with pytest.raises(VerificationError) as caught:
        audio.extract(silent, tmp_path)

    assert caught.value.code == "no_sound"


def test_an_mp3_is_known(clip: Path, tmp_path: Path) -> None:
    sound = tmp_path / "a"
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(clip), "-vn", "-f", "mp3", str(sound)], check=True)

    assert probe(sound).facts.mime == "audio/mpeg"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_media"),
        (b"   \n", "not_media"),
        (b"<!DOCTYPE html><html>captcha</html>", "not_media"),
        (b'{"status_code": 0}', "not_media"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "not_media"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "not_media"),
        (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n", "not_media"),
        (b"<?xml version='1.0'?><MPD></MPD>", "not_media"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not_media"),
        (b"GIF89a" + bytes(100), "not_media"),
        (b"%PDF-1.7", "not_media"),
        (b"PK\x03\x04" + bytes(100), "not_media"),
        (struct.pack(">I4s4s", 24, b"ftyp", b"heic") + bytes(12), "not_media"),
        (struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"isom", 0, b"isom", b"mp41"), "truncated"),
        (struct.pack(">I4s4sI", 3, b"ftyp", b"isom", 0), "undecodable"),
        pytest.param(struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + b"\0\0\0\x08free" * 10**6, "undecodable", id="tiny boxes"),
        (b"\x1aE\xdf\xa3" + bytes(200), "undecodable"),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(500), "undecodable"),
        ((b"\x47" + bytes(187)) * 10, "undecodable"),
    ],
)
def test_what_is_no_media_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)

    assert refusal(path) == code


def test_a_playlist_cannot_hide_behind_a_movie_header(clip: Path, tmp_path: Path) -> None:
    """A reference to another file inside an MP4, and a text playlist glued to a real header."""
    playlist = tmp_path / "list.mp4"
    playlist.write_bytes(struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + b"\n#EXTM3U\n#EXTINF:1,\n" + str(clip).encode())

    assert refusal(playlist) in ("truncated", "undecodable")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_a_cut_file_is_truncated(clip: Path, tmp_path: Path, share: float) -> None:
    content = clip.read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(content[: int(len(content) * share)])

    assert refusal(path) == "truncated"


def test_a_cut_stream_without_an_index_ends_too_early(make_clip: MakeClip, tmp_path: Path) -> None:
    content = make_clip("a.webm", seconds=6, options=("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus")).read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(content[: len(content) // 2])

    with pytest.raises(VerificationError) as caught:
        verify(probe(path).facts, Expected())

    assert caught.value.code in ("truncated", "undecodable")


@pytest.mark.parametrize("damage", ["zeros", "shifted", "doubled", "foreign"])
def test_damage_inside_is_found(make_clip: MakeClip, tmp_path: Path, damage: str) -> None:
    content = bytearray(make_clip("long.mp4", seconds=6).read_bytes())
    middle, length = len(content) * 2 // 3, 20_000
    if damage == "zeros":
        content[middle : middle + length] = bytes(length)
    elif damage == "shifted":
        content[middle:] = content[middle + 7 :] + bytes(7)
    elif damage == "doubled":
        content[middle : middle + length] = content[middle - length : middle]
    else:
        content[middle : middle + length] = random.Random(1).randbytes(length)
    path = tmp_path / "damaged"
    path.write_bytes(content)

    assert refusal(path) == "undecodable"


def test_bad_bits_never_reach_the_worker(clip: Path, tmp_path: Path) -> None:
    """Forty seeded mutants: each is a verdict; whatever the decoder does, it does in its own process."""
    content, chance = clip.read_bytes(), random.Random(7)
    path = tmp_path / "mutant"
    limits = sandbox.Limits(wall_seconds=20, cpu_seconds=15)
    for _ in range(40):
        mutant = bytearray(content)
        for _ in range(chance.choice([1, 10, 200])):
            mutant[chance.randrange(len(mutant) if chance.random() < 0.5 else 4000)] ^= 1 << chance.randrange(8)
        path.write_bytes(mutant)
        with contextlib.suppress(VerificationError):
            probe(path, limits=limits)


def test_a_decoder_that_takes_too_long_is_stopped(clip: Path) -> None:
    with pytest.raises(VerificationError) as caught:
        probe(clip, limits=sandbox.Limits(wall_seconds=0.02))

    assert caught.value.code == "unsafe_media"


def test_a_clip_says_nothing_of_its_maker(clip: Path, tmp_path: Path) -> None:
    tagged = tmp_path / "tagged.mp4"
    command = ["ffmpeg", "-v", "error", "-i", str(clip), "-c", "copy", "-metadata", "title=<script>alert(1)</script>"]
    subprocess.run([*command, "-metadata", "location=+48.8584+002.2945/", str(tagged)], check=True)

    probed = probe(tagged)
    sound = audio.extract(tagged, tmp_path)

    assert b"script" not in b"".join(t.jpeg for t in probed.thumbnails) + sound.read_bytes()
    assert b"48.8584" not in sound.read_bytes()


def facts(**changes: object) -> Facts:
    plain = {
        "container": "mov", "mime": "video/mp4", "size": 1000, "duration_seconds": 15.0, "reach_seconds": 15.0,
        "width": 1080, "height": 1920, "video_codec": "h264", "audio_codec": "aac",
    }  # fmt: skip
    return Facts(**{**plain, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "expected", "code"),
    [
        (facts(), Expected(duration_seconds=15), ""),
        (facts(), Expected(duration_seconds=16.4), ""),
        (facts(), Expected(duration_seconds=14), ""),
        (facts(), Expected(duration_seconds=0), ""),
        (facts(), Expected(duration_seconds=20), "wrong_duration"),
        (facts(), Expected(duration_seconds=3), "wrong_duration"),
        (facts(reach_seconds=9.0), Expected(), "truncated"),
        (facts(reach_seconds=14.5), Expected(), ""),
        (facts(reach_seconds=0.0), Expected(), "undecodable"),
        (facts(video_codec=""), Expected(), "no_picture"),
        (facts(video_codec=""), Expected(picture=False, sound=True), ""),
        (facts(audio_codec=""), Expected(sound=True), "no_sound"),
        (facts(width=0), Expected(), "undecodable"),
        (facts(duration_seconds=600.0, reach_seconds=600.0), Expected(duration_seconds=620), ""),
    ],
)
def test_facts_are_held_against_what_was_promised(found: Facts, expected: Expected, code: str) -> None:
    if not code:
        verify(found, expected)
        return
    with pytest.raises(VerificationError) as caught:
        verify(found, expected)
    assert caught.value.code == code


def test_a_size_must_be_one_that_was_promised() -> None:
    verify_size(10, Expected())
    verify_size(10, Expected(sizes=(10, 20)))
    with pytest.raises(VerificationError) as caught:
        verify_size(15, Expected(sizes=(10, 20)))
    assert caught.value.code == "wrong_length"


def test_pillow_is_not_imported_by_workers() -> None:
    modules = "downloads.processing.pictures, downloads.processing.probe, downloads.work"
    code = f"import django, sys; django.setup(); import {modules}; print({{'PIL', 'av', 'boto3', 'yt_dlp'}} & set(sys.modules))"
    root = Path(__file__).resolve().parents[2]
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root, env=env)
    assert found.stdout.strip() == "set()"
