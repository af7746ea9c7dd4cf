"""Which small things videos have, and which of them want fetching: covers, slides, faces, sounds. A few statements per page.

An asset is asked for once, and again when that may help: what failed, as soon as a crawl shows another address than the one
that failed (signed addresses expire; a picture that was refused for its bytes waits some hours too, for its address changes
at every crawl and its bytes do not); everything, when a crawl is told to (`is_forced`), and then what is kept stays until
the new one is there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection

from downloads.models import AssetRole
from jobs import nudge
from jobs.statements import numbers

PRIORITIES = {AssetRole.COVER: 40, AssetRole.SLIDE: 45, AssetRole.AVATAR: 50, AssetRole.AUDIO: 55}
"""After what people ask for (services.FOR_A_PERSON); what is seen first comes first."""
TRIES = 3
SLOW_AGAIN = timedelta(hours=6)
"""Between two tries of what was refused for its bytes, or whose address is still the one that failed."""
REFUSED = (
    *("bad_picture", "not_a_picture", "picture_too_large", "too_many_frames", "too_large", "unsafe_media"),
    *("not_media", "undecodable", "no_sound"),
)
LOOKED_BACK = timedelta(days=3)
MISSED_AT_ONCE = 1000

# The addresses of an asset, mirrors in their order; none: it cannot be asked for now. In `asset`, `v`, `a` and `s`.
URLS = """CASE
    WHEN asset.role = 'cover' AND v.cover_url <> '' THEN ARRAY[v.cover_url]
    WHEN asset.role = 'slide' THEN ARRAY(SELECT jsonb_array_elements_text(v.slides -> asset.position::int -> 'urls'))
    WHEN asset.role = 'avatar' AND a.avatar_url <> '' THEN ARRAY[a.avatar_url]
    WHEN asset.role = 'cover' AND s.cover_url <> '' THEN ARRAY[s.cover_url]
    WHEN asset.role = 'audio' AND s.play_url <> '' THEN ARRAY[s.play_url]
    ELSE ARRAY[]::text[]
END"""
OWNERS = """
    LEFT JOIN crawler_video v ON v.id = asset.video_id
    LEFT JOIN crawler_author a ON a.id = asset.author_id
    LEFT JOIN crawler_sound s ON s.id = asset.sound_id
"""
# Sound assets of a video itself are cut out of its clip, by downloads.
OURS = "(asset.role IN ('cover', 'slide', 'avatar') OR (asset.role = 'audio' AND asset.sound_id IS NOT NULL))"

# In the order of the owners' ids, so that two pages with the same people never wait for each other in a circle.
_MAKE = """
    WITH seen AS MATERIALIZED (
        SELECT id, author_id, sound_id, cover_url, slides FROM crawler_video WHERE id = ANY(%(ids)s::bigint[])
    )
    INSERT INTO downloads_asset
        (video_id, author_id, sound_id, role, position, quality, state, error_code, tried_address, created_at)
    SELECT has.*, '', 'wanted', '', '', statement_timestamp()
    FROM (
        SELECT id AS video, NULL::bigint AS author, NULL::bigint AS sound, 'cover' AS role, 0 AS position
        FROM seen WHERE cover_url <> ''
        UNION ALL
        SELECT id, NULL, NULL, 'slide', number - 1 FROM seen, generate_series(1, jsonb_array_length(slides)) AS number
        UNION ALL
        SELECT NULL, id, NULL, 'avatar', 0 FROM crawler_author
        WHERE avatar_url <> '' AND id IN (SELECT author_id FROM seen)
        UNION ALL
        SELECT NULL, NULL, id, role, 0
        FROM crawler_sound, LATERAL (VALUES ('cover', cover_url), ('audio', play_url)) AS shown (role, address)
        WHERE address <> '' AND id IN (SELECT sound_id FROM seen)
    ) AS has
    ORDER BY video, author, sound, role, position
    ON CONFLICT DO NOTHING
"""

_OF_VIDEOS = """
    WITH seen AS MATERIALIZED (
        SELECT id, author_id, sound_id FROM crawler_video WHERE id = ANY(%(ids)s::bigint[])
    ), mine AS MATERIALIZED (
        SELECT asset.* FROM seen JOIN downloads_asset asset ON asset.video_id = seen.id
        UNION
        SELECT asset.* FROM downloads_asset asset WHERE asset.author_id IN (SELECT author_id FROM seen)
        UNION
        SELECT asset.* FROM downloads_asset asset WHERE asset.sound_id IN (SELECT sound_id FROM seen)
    )"""
_FORGOTTEN = "WITH mine AS MATERIALIZED (SELECT * FROM downloads_asset WHERE state = 'wanted' ORDER BY id LIMIT %(most)s)"
_CHOSEN = "WITH mine AS MATERIALIZED (SELECT * FROM downloads_asset WHERE id = ANY(%(ids)s::bigint[]))"

_ENQUEUE = f"""
    {{mine}}, chosen AS MATERIALIZED (
        SELECT asset.id, asset.role, asset.state
        FROM mine asset {OWNERS}
        CROSS JOIN LATERAL (SELECT {URLS} AS urls) AS address
        LEFT JOIN LATERAL (
            SELECT max(finalized_at) AS at FROM downloads_assetjob ended
            WHERE asset.state = 'failed' AND ended.asset_id = asset.id
        ) AS last ON true
        WHERE {OURS} AND cardinality(urls) > 0 AND (
            %(is_forced)s OR asset.state = 'wanted' OR (asset.state = 'failed' AND (
                last.at IS NULL OR last.at < statement_timestamp() - %(slow)s::interval
                OR (asset.tried_address <> md5(urls::text) AND NOT asset.error_code = ANY(%(refused)s))
            ))
        ) AND NOT EXISTS (
            SELECT FROM downloads_assetjob live
            WHERE live.asset_id = asset.id AND live.state NOT IN ('completed', 'failed', 'cancelled')
        )
    ), again AS (
        UPDATE downloads_asset SET state = 'wanted', error_code = ''
        FROM (
            SELECT id FROM downloads_asset WHERE id IN (SELECT id FROM chosen WHERE state IN ('failed', 'removed'))
            ORDER BY id FOR NO KEY UPDATE
        ) AS locked
        WHERE downloads_asset.id = locked.id
    )
    INSERT INTO downloads_assetjob
        (asset_id, priority, max_attempts, state, outcome, error_code, error, attempt, fence, worker, progress, note, history)
    SELECT id, CASE role {" ".join(f"WHEN '{role.value}' THEN {number}" for role, number in PRIORITIES.items())} END, {TRIES},
        'pending', '', '', '', 0, 0, '', 0, '', '[]'
    FROM chosen ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING asset_id
"""

_MISSED = """
    SELECT v.id FROM crawler_video v
    WHERE v.last_seen_at >= statement_timestamp() - %(back)s::interval AND (
        (v.cover_url <> '' AND NOT EXISTS (SELECT FROM downloads_asset c WHERE c.video_id = v.id AND c.role = 'cover'))
        OR jsonb_array_length(v.slides) >
            (SELECT count(*) FROM downloads_asset p WHERE p.video_id = v.id AND p.role = 'slide')
        OR (v.author_id IS NOT NULL AND NOT EXISTS (SELECT FROM downloads_asset f WHERE f.author_id = v.author_id)
            AND EXISTS (SELECT FROM crawler_author a WHERE a.id = v.author_id AND a.avatar_url <> ''))
        OR (v.sound_id IS NOT NULL AND NOT EXISTS (SELECT FROM downloads_asset m WHERE m.sound_id = v.sound_id)
            AND EXISTS (SELECT FROM crawler_sound s WHERE s.id = v.sound_id AND (s.play_url <> '' OR s.cover_url <> '')))
    )
    ORDER BY v.last_seen_at DESC LIMIT %(most)s
"""


def want(video_ids: Iterable[int], *, is_forced: bool = False) -> int:
    """See to all that these videos, their authors and their sounds have; return how many jobs are new.

    Two statements, however many there are. `is_forced`: also what is kept already is fetched again.
    """
    ids = numbers(video_ids)
    with connection.cursor() as cursor:
        cursor.execute(_MAKE, {"ids": ids})
    return len(_enqueue(_OF_VIDEOS, ids=ids, is_forced=is_forced))


def want_again(asset_ids: Sequence[int]) -> list[int]:
    """Fetch these assets now, whatever became of them; return those that have a new job."""
    return _enqueue(_CHOSEN, ids=numbers(asset_ids), is_forced=True)


def find_missed() -> dict[str, int]:
    """What videos of the last days have and nobody sees to. Returns the count for its record."""
    with connection.cursor() as cursor:
        cursor.execute(_MISSED, {"back": f"{LOOKED_BACK.days} days", "most": MISSED_AT_ONCE})
        ids = [pk for (pk,) in cursor.fetchall()]
    new = want(ids) if ids else 0
    new += len(_enqueue(_FORGOTTEN, most=MISSED_AT_ONCE))
    return {"enqueued": new} if new else {}


def _enqueue(mine: str, *, is_forced: bool = False, **facts: Any) -> list[int]:
    """The assets whose jobs are new."""
    facts |= {"is_forced": is_forced, "slow": SLOW_AGAIN, "refused": list(REFUSED)}
    with connection.cursor() as cursor:
        cursor.execute(_ENQUEUE.format(mine=mine), facts)
        new = [asset_id for (asset_id,) in cursor.fetchall()]
    if new:
        nudge.nudge("asset")
    return new


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where an asset can be had now."""

    urls: tuple[str, ...]
    platform: str
    fingerprint: str
    """See Asset.tried_address."""


_ADDRESSES = f"""
    SELECT asset.id, urls, coalesce(v.platform, a.platform, s.platform), md5(urls::text)
    FROM downloads_asset asset {OWNERS}
    CROSS JOIN LATERAL (SELECT {URLS} AS urls) AS address
    WHERE asset.id = ANY(%(ids)s::bigint[])
"""


def addresses(asset_ids: Iterable[int]) -> dict[int, Address]:
    """By asset, as the latest crawl showed them; without addresses where it shows none."""
    with connection.cursor() as cursor:
        cursor.execute(_ADDRESSES, {"ids": numbers(asset_ids)})
        return {
            pk: Address(urls=tuple(urls), platform=platform, fingerprint=fingerprint)
            for pk, urls, platform, fingerprint in cursor.fetchall()
        }
