"""Which videos were posted before: looked for when their pictures are stored, and again by a pass that finds what was missed.

One statement gathers all that is near to any picture of a whole batch, by an index over parts of the perceptual hashes;
analysis.likeness says what of it is the same; a re-upload points at the earliest post that it is the same as.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from analysis.likeness import MOST_BITS, Match, Near, Pair, Post, judge
from analysis.models import AnalysisJob, Comparison, Reupload, ReuploadKind, SlideText
from downloads.models import Asset, AssetJob, AssetRole, AssetState, DownloadJob

COMMON = 100
"""A picture that so many videos have is the platform's, or a layout: it says nothing. Of a clip, so many copies are looked at."""
BATCH = 200
LOOKED_BACK = timedelta(days=2)
ONE_AT_A_TIME = 7_213_004
"""Of the advisory lock under which links are written."""

# The objects near to each picture are few: the bands leave about one in 1,600 of all, and the hash nearly none of these.
_NEAR = f"""
    WITH mine AS MATERIALIZED (
        SELECT a.video_id, a.role, a.position, a.object_id, o.phash
        FROM downloads_asset a JOIN downloads_storedobject o ON o.id = a.object_id
        WHERE a.video_id = ANY(%(ids)s) AND a.role IN ('cover', 'slide', 'video') AND a.state = 'ready'
    ), objects AS (
        SELECT mine.video_id, mine.role, mine.position, mine.object_id AS own_id, near.id AS object_id, near.bits
        FROM mine JOIN LATERAL (
            SELECT o.id, bit_count((o.phash # mine.phash)::bit(64)) AS bits FROM downloads_storedobject o
            WHERE o.phash IS NOT NULL AND analysis_bands(o.phash) && analysis_bands(mine.phash)
                AND bit_count((o.phash # mine.phash)::bit(64)) <= {MOST_BITS}
            LIMIT {COMMON + 1}
        ) near ON true
        WHERE mine.role <> 'video' AND mine.phash IS NOT NULL
        UNION ALL
        SELECT DISTINCT video_id, role, 0, object_id, object_id, 0 FROM mine WHERE role = 'video'
    ), near AS (
        SELECT o.video_id, o.role, o.position, o.own_id, o.object_id, o.bits, other.video_id AS other_id,
               other.position AS other_position, count(*) OVER (PARTITION BY o.video_id, o.role, o.position) AS others
        FROM objects o JOIN LATERAL (
            SELECT a.video_id, a.position FROM downloads_asset a
            WHERE a.object_id = o.object_id AND a.role = o.role AND a.state = 'ready' AND a.video_id IS NOT NULL
            LIMIT {COMMON + 1}
        ) other ON other.video_id <> o.video_id
    )
    SELECT DISTINCT video_id, other_id, role, position, other_position, bits, own_id = object_id AS is_equal FROM near
    WHERE role = 'video' OR others <= {COMMON}
"""

_POSTS = """
    SELECT v.id, v.kind, v.author_id, v.duration_ms, coalesce(v.published_at, v.first_seen_at),
           (SELECT count(*) FROM downloads_asset a WHERE a.video_id = v.id AND a.role = 'slide' AND a.state = 'ready')
    FROM crawler_video v WHERE v.id = ANY(%(ids)s)
"""

# What was seen of a video when it was compared; a reading of its slides may part what looks alike.
_SEEN = """
    SELECT wanted.id, count(a.id), greatest(max(a.ready_at), max(done.read_at))
    FROM unnest(%(ids)s::bigint[]) AS wanted (id)
    LEFT JOIN downloads_asset a ON a.video_id = wanted.id AND a.role IN ('cover', 'slide', 'video') AND a.state = 'ready'
    LEFT JOIN analysis_analysis done ON done.video_id = wanted.id
    GROUP BY wanted.id
"""
_MISSED = """
    SELECT seen.id FROM (
        SELECT lately.video_id AS id, count(*) AS parts, greatest(max(a.ready_at), max(done.read_at)) AS latest_at
        FROM (
            SELECT DISTINCT video_id FROM downloads_asset
            WHERE state = 'ready' AND role IN ('cover', 'slide', 'video') AND ready_at > %(since)s AND video_id IS NOT NULL
        ) lately
        JOIN downloads_asset a ON a.video_id = lately.video_id AND a.role IN ('cover', 'slide', 'video') AND a.state = 'ready'
        LEFT JOIN analysis_analysis done ON done.video_id = lately.video_id
        GROUP BY lately.video_id
    ) seen
    LEFT JOIN analysis_comparison c ON c.video_id = seen.id
    WHERE (c.parts, c.latest_at) IS DISTINCT FROM (seen.parts, seen.latest_at) LIMIT %(most)s
"""


def compare(video_ids: Sequence[int]) -> int:
    """Look for earlier and later posts of these videos; return how many links are new or lead elsewhere.

    A handful of statements for a whole batch. What was dismissed stays so.
    """
    ids = sorted(set(video_ids))
    if not ids:
        return 0
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
            cursor.execute(_SEEN, {"ids": ids})
            seen = cursor.fetchall()
        same, different = _judged(_pairs(ids))
        changed = _link(same, different)
        Comparison.objects.bulk_create(
            [Comparison(video_id=pk, parts=parts, latest_at=latest_at) for pk, parts, latest_at in seen],
            update_conflicts=True,
            unique_fields=["video"],
            update_fields=["parts", "latest_at"],
        )
    return changed


def follow(job: AssetJob | DownloadJob | AnalysisJob) -> None:
    """A video has something new: compare it once all of its pictures are there."""
    video_id = job.asset.video_id if isinstance(job, AssetJob) else job.video_id
    pictures = Asset.objects.filter(video=video_id, role__in=[AssetRole.COVER, AssetRole.SLIDE])
    if video_id is not None and not pictures.filter(state=AssetState.WANTED).exists():
        compare([video_id])


def find_missed() -> dict[str, int]:
    """Compare what nobody compared since its pictures came. Returns the counts for its record."""
    counts = {"compared": 0, "found": 0}
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_MISSED, {"since": timezone.now() - LOOKED_BACK, "most": BATCH})
            ids = [pk for (pk,) in cursor.fetchall()]
        counts["found"] += compare(ids)
        counts["compared"] += len(ids)
        if len(ids) < BATCH:
            return {name: count for name, count in counts.items() if count}


def dismiss(links: Iterable[Reupload], by: AbstractBaseUser | None) -> list[int]:
    """These are not the same, whatever is found later; returns those that were thought to be.

    What else their videos may be re-uploads of is looked for at once.
    """
    with transaction.atomic():
        rows = Reupload.objects.select_for_update().filter(pk__in=[link.pk for link in links], dismissed_at=None)
        videos = dict(rows.values_list("pk", "video_id"))
        Reupload.objects.filter(pk__in=videos).update(dismissed_at=timezone.now(), dismissed_by=by)
        compare(list(videos.values()))
    return list(videos)


def restore(links: Iterable[Reupload]) -> list[int]:
    """They are the same after all, as far as the pictures say; returns those that were dismissed."""
    with transaction.atomic():
        rows = Reupload.objects.select_for_update().filter(pk__in=[link.pk for link in links], dismissed_at__isnull=False)
        videos = dict(rows.values_list("pk", "video_id"))
        Reupload.objects.filter(pk__in=videos).delete()
        compare(list(videos.values()))
    return list(videos)


def _pairs(ids: list[int]) -> list[Pair]:
    with connection.cursor() as cursor:
        cursor.execute(_NEAR, {"ids": ids})
        rows = cursor.fetchall()
    posts = _posts({pk for row in rows for pk in row[:2]})
    pairs: dict[tuple[int, int], Pair] = {}
    for one, other, *near in rows:
        # Within a batch a pair is found from both of its ends: once is enough.
        if one in posts and other in posts and (other, one) not in pairs:
            pairs.setdefault((one, other), Pair(posts[one], posts[other])).near.append(Near(*near))
    return list(pairs.values())


def _judged(pairs: list[Pair]) -> tuple[list[tuple[Post, Post, Match]], list[tuple[int, int]]]:
    """The later and the earlier post of each pair that is the same; and the ids of those that only look alike."""
    carousels = {post.id for pair in pairs if pair.one.kind == "carousel" for post in (pair.one, pair.other)}
    texts: dict[int, dict[int, str]] = {}
    for video_id, position, text in SlideText.objects.filter(video__in=carousels).values_list("video_id", "position", "text"):
        texts.setdefault(video_id, {})[position] = text
    same, different = [], []
    for pair in pairs:
        found = judge(pair, texts.get(pair.one.id, {}), texts.get(pair.other.id, {}))
        earlier, later = sorted((pair.one, pair.other), key=lambda post: post.place)
        if found is None:
            different.append((later.id, earlier.id))
        else:
            same.append((later, earlier, found))
    return same, different


def _link(same: list[tuple[Post, Post, Match]], different: list[tuple[int, int]]) -> int:
    """Each later post points at the earliest one that it is the same as. Returns how many do so now and did not before."""
    ids = {pk for pair in different for pk in pair} | {post.id for later, earlier, _match in same for post in (later, earlier)}
    known = list(Reupload.objects.filter(Q(video__in=ids) | Q(original__in=ids)))
    dismissed = {(row.video_id, row.original_id) for row in known if row.dismissed_at}
    live = {row.video_id: row for row in known if not row.dismissed_at}

    # What only looked alike until it was read; and what points ahead, because a time of posting became known.
    alike = {row.pk for one, other in different if (row := live.get(one)) and row.original_id == other and not row.is_equal}
    ahead = {row.pk for later, earlier, _match in same if (row := live.get(earlier.id)) and row.original_id == later.id}
    Reupload.objects.filter(pk__in=alike | ahead).delete()
    live = {video_id: row for video_id, row in live.items() if row.pk not in alike | ahead}

    best: dict[int, tuple[Post, Match]] = {}
    for later, earlier, match in sorted(same, key=lambda link: link[1].place):
        # Neither what was dismissed itself, nor a copy of it.
        roots = {earlier.id, live[earlier.id].original_id if earlier.id in live else earlier.id}
        if later.id not in best and not any({(later.id, root), (root, later.id)} & dismissed for root in roots):
            best[later.id] = (earlier, match)
    originals = _posts(live[video_id].original_id for video_id in best if video_id in live)
    changed = []
    for video_id, (earlier, match) in best.items():
        row = live.get(video_id)
        before = originals.get(row.original_id) if row else None
        if before is not None and before.place < earlier.place:
            continue  # the earliest one is known, though its pictures may be gone
        found = Reupload(video_id=video_id, original_id=earlier.id, kind=_kind(match), distance=match.bits)
        if row is None or _facts(row) != _facts(found):
            changed.append(found)
    Reupload.objects.filter(video__in=[row.video_id for row in changed], dismissed_at=None).delete()
    Reupload.objects.bulk_create(changed)
    return len(changed)


def _facts(row: Reupload) -> tuple[int, str, int]:
    return row.original_id, row.kind, row.distance


def _kind(match: Match) -> ReuploadKind:
    return ReuploadKind.EQUAL_BYTES if match.is_equal else ReuploadKind.SIMILAR_PICTURES


def _posts(ids: Iterable[int]) -> dict[int, Post]:
    with connection.cursor() as cursor:
        cursor.execute(_POSTS, {"ids": list(ids)})
        return {row[0]: Post(*row) for row in cursor.fetchall()}
