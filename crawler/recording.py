"""Writing down what was seen: one statement per page, whatever its number of videos.

The providers' dataclasses travel as they are, as one JSON parameter, and the statement takes them apart: that costs the least
client time. What a table keeps of them as JSON (media, slides) therefore has their fields as keys. It writes authors, then
sounds, then videos, each in the order of their ids, so that two workers which record the same videos wait for each other, and
never deadlock. Of an author or sound that several videos of a page carry, the last word counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import orjson
from psycopg.types.json import Jsonb

from crawler.cleaning import clean_sound
from crawler.models import Sound, SoundSnapshot, Source, Video
from crawler.providers.base import SoundData, VideoData
from crawler.signals import videos_observed
from jobs.statements import execute

# What a platform leaves out this time (an empty text, no counter) does not wipe out what it said before.
_RECORD = """
    WITH seen AS MATERIALIZED (
        SELECT shown.*, counts.*, author ->> 'external_id' AS author_key, sound ->> 'external_id' AS sound_key,
               (author ->> 'followers')::bigint AS followers
        FROM ROWS FROM (
            jsonb_to_recordset(%(videos)s) AS (
                platform text, external_id text, kind text, url text, title text, author jsonb, sound jsonb, hashtags text[],
                cover_url text, media jsonb, slides jsonb, duration_ms int, width int, height int, published_at timestamptz,
                counts jsonb, flags text[]
            )
        ) WITH ORDINALITY AS shown,
        jsonb_to_record(counts) AS counts (views bigint, likes bigint, comments bigint, shares bigint, saves bigint)
    ), author AS (
        INSERT INTO crawler_author AS old
            (platform, external_id, handle, name, url, avatar_url, bio, followers, following, likes, video_count, is_verified,
             first_seen_at, last_seen_at)
        SELECT DISTINCT ON (platform, new.external_id) platform, new.*, %(at)s, %(at)s
        FROM seen, jsonb_to_record(author) AS new (
            external_id text, handle text, name text, url text, avatar_url text, bio text, followers bigint, following bigint,
            likes bigint, videos bigint, is_verified bool
        )
        WHERE author IS NOT NULL
        ORDER BY platform, new.external_id, ordinality DESC
        ON CONFLICT (platform, external_id) DO UPDATE SET
            handle = coalesce(nullif(excluded.handle, ''), old.handle),
            name = coalesce(nullif(excluded.name, ''), old.name),
            url = coalesce(nullif(excluded.url, ''), old.url),
            avatar_url = coalesce(nullif(excluded.avatar_url, ''), old.avatar_url),
            bio = coalesce(nullif(excluded.bio, ''), old.bio),
            followers = coalesce(excluded.followers, old.followers),
            following = coalesce(excluded.following, old.following), likes = coalesce(excluded.likes, old.likes),
            video_count = coalesce(excluded.video_count, old.video_count),
            is_verified = excluded.is_verified, last_seen_at = excluded.last_seen_at
        RETURNING id, platform, external_id
    ), sound AS (
        INSERT INTO crawler_sound AS old
            (platform, external_id, title, author_name, duration_seconds, play_url, cover_url, is_original,
             url, uses, first_seen_at, last_seen_at)
        SELECT DISTINCT ON (platform, new.external_id) platform, new.*, %(at)s, %(at)s
        FROM seen, jsonb_to_record(sound) AS new (
            external_id text, title text, author_name text, duration_seconds float8, play_url text, cover_url text,
            is_original bool, url text, uses bigint
        )
        WHERE sound IS NOT NULL AND (SELECT count(*) FROM author) >= 0
        ORDER BY platform, new.external_id, ordinality DESC
        ON CONFLICT (platform, external_id) DO UPDATE SET
            title = coalesce(nullif(excluded.title, ''), old.title),
            author_name = coalesce(nullif(excluded.author_name, ''), old.author_name),
            duration_seconds = coalesce(excluded.duration_seconds, old.duration_seconds),
            play_url = coalesce(nullif(excluded.play_url, ''), old.play_url),
            cover_url = coalesce(nullif(excluded.cover_url, ''), old.cover_url),
            url = coalesce(nullif(excluded.url, ''), old.url), uses = coalesce(excluded.uses, old.uses),
            is_original = excluded.is_original, last_seen_at = excluded.last_seen_at
        RETURNING id, platform, external_id
    ), video AS (
        INSERT INTO crawler_video AS old
            (platform, external_id, kind, url, title, author_id, sound_id, category, hashtags, cover_url, media, slides,
             duration_ms, width, height, published_at, flags, views, likes, comments, shares, saves, gone_reason,
             first_seen_at, last_seen_at)
        SELECT seen.platform, seen.external_id, kind, url, title, author.id, sound.id, '', hashtags, cover_url, media, slides,
               duration_ms, width, height, published_at, flags, views, likes, comments, shares, saves, '', %(at)s, %(at)s
        FROM seen
        LEFT JOIN author ON author.platform = seen.platform AND author.external_id = author_key
        LEFT JOIN sound ON sound.platform = seen.platform AND sound.external_id = sound_key
        WHERE (SELECT count(*) FROM sound) >= 0
        ORDER BY seen.platform, seen.external_id
        ON CONFLICT (platform, external_id) DO UPDATE SET
            kind = excluded.kind, url = coalesce(nullif(excluded.url, ''), old.url),
            title = coalesce(nullif(excluded.title, ''), old.title),
            author_id = coalesce(excluded.author_id, old.author_id),
            sound_id = coalesce(excluded.sound_id, old.sound_id),
            hashtags = CASE WHEN excluded.hashtags = '{}' THEN old.hashtags ELSE excluded.hashtags END,
            cover_url = coalesce(nullif(excluded.cover_url, ''), old.cover_url),
            media = CASE WHEN excluded.media = '[]' THEN old.media ELSE excluded.media END,
            slides = CASE WHEN excluded.slides = '[]' THEN old.slides ELSE excluded.slides END,
            duration_ms = coalesce(excluded.duration_ms, old.duration_ms),
            width = coalesce(excluded.width, old.width), height = coalesce(excluded.height, old.height),
            published_at = coalesce(excluded.published_at, old.published_at), flags = excluded.flags,
            views = coalesce(excluded.views, old.views), likes = coalesce(excluded.likes, old.likes),
            comments = coalesce(excluded.comments, old.comments), shares = coalesce(excluded.shares, old.shares),
            saves = coalesce(excluded.saves, old.saves),
            gone_at = NULL, gone_reason = '', last_seen_at = excluded.last_seen_at
        RETURNING id, platform, external_id, xmax = 0 AS is_new
    ), sighting AS (
        INSERT INTO crawler_sourcevideo AS old (source_id, video_id, first_seen_at, last_seen_at)
        SELECT %(source)s::bigint, id, %(at)s, %(at)s FROM video WHERE %(source)s::bigint IS NOT NULL ORDER BY id
        ON CONFLICT (source_id, video_id) DO UPDATE SET last_seen_at = excluded.last_seen_at
    ), snapshot AS (
        INSERT INTO crawler_metricsnapshot
            (video_id, observed_at, views, likes, comments, shares, saves, followers)
        SELECT video.id, %(at)s, views, likes, comments, shares, saves, followers
        FROM video JOIN seen USING (platform, external_id)
        WHERE NOT EXISTS (
            SELECT 1 FROM crawler_metricsnapshot earlier
            WHERE earlier.video_id = video.id AND earlier.observed_at >= %(since)s
        )
        ON CONFLICT DO NOTHING
        RETURNING video_id
    )
    SELECT id, is_new, snapshot.video_id IS NOT NULL FROM video LEFT JOIN snapshot ON snapshot.video_id = video.id
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    video_ids: list[int]
    new: int
    updated: int
    """Known ones that got a snapshot."""


def record(
    videos: Iterable[VideoData],
    *,
    source: Source | None,
    at: datetime,
    since: datetime | None = None,
    is_forced: bool = False,
) -> Recorded:
    """Store cleaned videos as seen at a moment, with their authors, sounds and one snapshot each.

    Videos that have a snapshot from `since` or later get no second one: a run which is resumed, or whose listing moved
    under it, observes each video once. `is_forced`: later stages fetch all media of these videos again.
    """
    by_id = {(video.platform, video.external_id): video for video in videos}
    if not by_id:
        return Recorded([], 0, 0)
    rows = execute(
        _RECORD,
        {
            "videos": Jsonb(list(by_id.values()), dumps=orjson.dumps),
            "source": source.pk if source else None,
            "at": at,
            "since": since or at,
        },
    )
    recorded = Recorded(
        [pk for pk, _is_new, _is_seen in rows],
        sum(is_new for _pk, is_new, _is_seen in rows),
        sum(is_seen and not is_new for _pk, is_new, is_seen in rows),
    )
    videos_observed.send_robust(sender=Video, video_ids=recorded.video_ids, at=at, is_forced=is_forced)
    return recorded


def record_sound(data: SoundData, source: Source, *, at: datetime) -> Sound | None:
    """What the list of a sound says of the sound itself: its facts, and how many use it, as seen at that moment."""
    sound = clean_sound(data)
    if sound is None:
        return None
    facts = {"author_name": sound.author_name, "play_url": sound.play_url, "cover_url": sound.cover_url, "title": sound.title}
    said: dict[str, object] = {name: value for name, value in (facts | {"url": sound.url}).items() if value}
    said |= {name: value for name in ("duration_seconds", "uses") if (value := getattr(sound, name)) is not None}
    kept, _is_new = Sound.objects.update_or_create(
        platform=source.platform,
        external_id=sound.external_id,
        defaults=said | {"is_original": sound.is_original, "last_seen_at": at},
        create_defaults=said | {"is_original": sound.is_original, "first_seen_at": at, "last_seen_at": at},
    )
    if source.sound_id != kept.pk:
        Source.objects.filter(pk=source.pk).update(sound=kept)
        source.sound = kept
    if sound.uses is not None:
        SoundSnapshot.objects.get_or_create(sound=kept, observed_at=at, defaults={"uses": sound.uses})
    return kept
