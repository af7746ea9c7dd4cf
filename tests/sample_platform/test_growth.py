import itertools

import pytest

from sample_platform.clock import Anchor, Clock
from sample_platform.growth import Growth, Quirk, Wave
from sample_platform.world import World

HOUR = 3600.0
RATIOS = {"digg_count": 0.05, "comment_count": 0.004, "share_count": 0.01, "collect_count": 0.01}


def growth(**changes: object) -> Growth:
    facts: dict[str, object] = {
        "seed": "x",
        "published_at": 1_000_000.0,
        "audience": 100_000.0,
        "half_life": 20 * HOUR,
        "peak_hour": 20.0,
        "noise": 0.2,
        "ratios": RATIOS,
    }
    return Growth(**(facts | changes))  # type: ignore[arg-type]


def test_views_never_fall_and_slow_down_with_age():
    curve = growth()

    hourly = [curve.views(1_000_000 + hour * HOUR) for hour in range(240)]

    assert all(after >= before for before, after in itertools.pairwise(hourly))
    assert hourly[24] > 5 * (hourly[120] - hourly[96])
    assert curve.views(999_999) == 0


def test_the_same_seed_gives_the_same_numbers_in_whatever_order_they_are_asked():
    one, other = growth(), growth()

    late = one.counts(1_000_000 + 90 * HOUR)

    assert other.counts(1_000_000 + 3 * HOUR) == one.counts(1_000_000 + 3 * HOUR)
    assert other.counts(1_000_000 + 90 * HOUR) == late


def test_a_wave_adds_its_views_after_its_start_and_peaks_when_planned():
    starts_at, peaks_at = 1_000_000 + 100 * HOUR, 1_000_000 + 104 * HOUR
    wave = Wave(starts_at, peaks_at, height=50.0)
    flat, surging = growth(noise=0.0), growth(noise=0.0, wave=wave)

    gained = [surging.views(starts_at + hour * HOUR) - flat.views(starts_at + hour * HOUR) for hour in range(-5, 40)]
    hourly = [after - before for before, after in itertools.pairwise(gained)]

    assert gained[:6] == [0.0] * 6
    assert gained[-1] == pytest.approx(50 * 4 * HOUR * 1.847, rel=0.02)
    assert hourly.index(max(hourly)) in {5 + 3, 5 + 4}


@pytest.mark.parametrize(
    ("name", "counter", "size", "within", "after"),
    [
        ("zeros", "digg_count", 0, lambda now, true: now == 0, lambda now, true: now == true),
        ("negative", "comment_count", 1, lambda now, true: now == -1, lambda now, true: now == true),
        ("reset", "digg_count", 0.5, lambda now, true: 0 < now < true, lambda now, true: 0 < now < true),
        ("bots", "share_count", 900, lambda now, true: true < now < true + 900, lambda now, true: now == true + 900),
    ],
)
def test_a_quirk_bends_its_counter_when_planned(name, counter, size, within, after):
    begins, ends = 1_000_000 + 50 * HOUR, 1_000_000 + 60 * HOUR
    true = growth()
    bent = growth(quirks=(Quirk(name, counter, begins, ends, size),))

    assert bent.counts(begins - 1) == true.counts(begins - 1)
    assert within(bent.counts(begins + 5 * HOUR)[counter], true.counts(begins + 5 * HOUR)[counter])
    assert after(bent.counts(ends + HOUR)[counter], true.counts(ends + HOUR)[counter])


def test_the_clock_runs_faster_and_jumps_but_never_back():
    clock = Clock([Anchor(1000.0, 1000.0, 1.0), Anchor(2000.0, 2000.0, 60.0), Anchor(2060.0, 23_600.0, 60.0)])

    assert clock.anchors[1].at(2010.0) == 2600.0
    assert clock.real(1500.0) == 1500.0
    assert clock.real(2600.0) == 2010.0
    assert clock.real(20_000.0) == 2060.0  # within the jump: it happened when the clock jumped
    assert clock.real(23_660.0) == 2061.0

    before = clock.now()
    clock.change(advance_seconds=-100)
    assert clock.now() >= before


@pytest.fixture(scope="module")
def world():
    return World(seed=7, first_day=1_790_000_000.0)


def test_the_demo_world_holds_what_it_promises(world):
    published = [video for video in world.videos.values() if video.published_at <= world.first_day]
    surges = [video for video in world.videos.values() if video.growth.wave]

    assert len(published) == 360
    assert sum(video.is_carousel for video in published) == 40
    assert len({video.topic.name for video in published}) == 8
    assert len({video.author.uid for video in published}) >= 50
    assert len({video.sound.id for video in published}) == 30
    assert 0.07 < len(surges) / len(world.videos) < 0.10
    assert 0.4 < sum(video.shows_views for video in published) / 360 < 0.6
    assert max(world.first_day - video.published_at for video in published) > 8 * 86400
    assert {quirk.name for video in published for quirk in video.growth.quirks} == {"reset", "zeros", "negative", "bots"}
    assert all(len(video.id) == 19 for video in published)


def test_some_surges_peak_within_hours_of_the_first_start(world):
    soon = [
        video.growth.wave.peaks_at - world.first_day
        for video in world.videos.values()
        if video.growth.wave and 0.5 * HOUR < video.growth.wave.peaks_at - world.first_day < 3 * HOUR
    ]

    assert len(soon) >= 10
    assert min(soon) < HOUR


def test_a_repost_has_the_art_length_and_sound_of_the_original(world):
    reposts = [video for video in world.videos.values() if video.art != video.number]
    originals = {video.number: video for video in world.videos.values()}

    assert reposts
    for video in reposts:
        original = originals[video.art]
        assert (video.seconds, video.gears, video.width, video.sound) == (
            original.seconds,
            original.gears,
            original.width,
            original.sound,
        )
        assert video.id != original.id
