"""What a profile says of itself, once per run: the author, their counters over time, and whose profile the source is."""

from datetime import datetime

from crawler.cleaning import clean_author
from crawler.models import Source
from crawler.providers.base import AuthorData
from jobs.statements import execute

# What the profile leaves out this time does not wipe out what it said before.
_RECORD = """
    WITH author AS (
        INSERT INTO crawler_author AS old
            (platform, external_id, handle, name, url, avatar_url, bio, followers, following, likes, video_count, is_verified,
             first_seen_at, last_seen_at)
        VALUES (%(platform)s, %(external_id)s, %(handle)s, %(name)s, %(url)s, %(avatar_url)s, %(bio)s, %(followers)s::bigint,
                %(following)s::bigint, %(likes)s::bigint, %(videos)s::bigint, %(is_verified)s, %(at)s, %(at)s)
        ON CONFLICT (platform, external_id) DO UPDATE SET
            handle = coalesce(nullif(excluded.handle, ''), old.handle), name = coalesce(nullif(excluded.name, ''), old.name),
            url = coalesce(nullif(excluded.url, ''), old.url),
            avatar_url = coalesce(nullif(excluded.avatar_url, ''), old.avatar_url),
            bio = excluded.bio, followers = coalesce(excluded.followers, old.followers),
            following = coalesce(excluded.following, old.following), likes = coalesce(excluded.likes, old.likes),
            video_count = coalesce(excluded.video_count, old.video_count),
            is_verified = excluded.is_verified, last_seen_at = excluded.last_seen_at
        RETURNING id
    ), snapshot AS (
        INSERT INTO crawler_authorsnapshot (author_id, observed_at, followers, following, likes, video_count)
        SELECT id, %(at)s, %(followers)s::bigint, %(following)s::bigint, %(likes)s::bigint, %(videos)s::bigint FROM author
        WHERE coalesce(%(followers)s::bigint, %(following)s::bigint, %(likes)s::bigint, %(videos)s::bigint) IS NOT NULL
          AND NOT EXISTS (
              SELECT FROM crawler_authorsnapshot earlier
              WHERE earlier.author_id = author.id AND earlier.observed_at >= %(since)s
          )
        ON CONFLICT DO NOTHING
    )
    UPDATE crawler_source SET author_id = author.id FROM author WHERE crawler_source.id = %(source)s
    RETURNING author.id
"""


def record_profile(author: AuthorData, source: Source, *, at: datetime, since: datetime) -> None:
    """Store what a profile says of itself, with one snapshot per run (which began at `since`). One statement."""
    clean = clean_author(author)
    if clean is None:
        return
    facts = {name: getattr(clean, name) for name in ("external_id", "handle", "name", "url", "avatar_url", "bio")}
    counts = {name: getattr(clean, name) for name in ("followers", "following", "likes", "videos")}
    rest = {"platform": source.platform, "is_verified": clean.is_verified, "at": at, "since": since, "source": source.pk}
    [(source.author_id,)] = execute(_RECORD, {**facts, **counts, **rest}) or [(None,)]
