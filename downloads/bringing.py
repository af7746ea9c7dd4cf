"""One attempt at one download job: each of its files on the same way into the storage.

Temporary file on the disk, hashed while written -> verified in the sandbox -> put into the storage and read back ->
one fenced transaction with its row. What fails anywhere leaves nothing that a row points at.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from crawler.models import Video, VideoKind
from crawler.providers.base import MediaURL, SlideData
from crawler.providers.errors import Gone
from downloads import fetching, objects, storage
from downloads.errors import VerificationError
from downloads.extractors.base import Found, Offer, Wanted
from downloads.models import Asset, AssetRole, AssetState, DownloadJob, Quality, StoredObject
from downloads.processing import audio, pictures, sandbox
from downloads.processing.containers import container_of
from downloads.processing.probe import Probed, probe
from downloads.services import has_files
from downloads.storing import store_picture
from downloads.verification import Expected, verify, verify_size
from jobs.errors import HandedBack, JobError, PermanentError, Snooze, TransientError

SECONDS = 25 * 60.0
"""For one attempt; under the kind's deadline, so that we end it and not the lease."""
MOST_CLIP_BYTES = 2 * 1024**3
MOST_PICTURE_BYTES = 30 * 1024**2
FETCHED = 80
"""Percent of the progress that is fetching; the rest is looking and storing."""

T = TypeVar("T")


@dataclass(slots=True)
class Bringing:
    """One attempt at one job: what is wanted, what is there already, and the way of each file into the storage."""

    job: DownloadJob
    video: Video
    folder: Path
    ends_at: float = field(default_factory=lambda: time.monotonic() + SECONDS)

    @property
    def wanted(self) -> Wanted:
        video = self.video
        return Wanted(
            platform=video.platform,
            url=video.url,
            is_carousel=self.is_carousel,
            media=tuple(_media(item) for item in video.media),
            slides=tuple(SlideData(urls=tuple(slide["urls"])) for slide in video.slides),
            sound_url=video.sound.play_url if video.sound else "",
            duration_seconds=video.duration_ms / 1000 if video.duration_ms else None,
        )

    @property
    def is_carousel(self) -> bool:
        return self.video.kind == VideoKind.CAROUSEL

    @property
    def wants_sound_only(self) -> bool:
        return self.job.quality == Quality.AUDIO

    def is_complete(self) -> bool:
        """Another job brought the same meanwhile."""
        return not self.job.is_refetch and has_files(self.video, self.job.quality)

    def from_our_own(self) -> bool:
        """Take the sound out of a clip that is kept already, instead of asking the platform again."""
        if not self.wants_sound_only or self.is_carousel or self.job.is_refetch:
            return False
        kept = (
            Asset.objects.filter(video=self.video, role=AssetRole.VIDEO, state=AssetState.READY, object__isnull=False)
            .select_related("object")
            .order_by("object__size")
            .first()
        )
        if kept is None or kept.object is None:
            return False
        clip = self.folder / "kept"
        with clip.open("wb") as file:
            for piece in storage.media().read(kept.object.key):
                file.write(piece)
                self.job.report()
        self._finish_sound(audio.extract(clip, self._fresh_folder("sound")))
        return True

    def everything(self, found: Found, extractor: str) -> None:
        """All files of the job from what one extractor found. Raises PermanentError, TransientError, Snooze."""
        DownloadJob.objects.filter(pk=self.job.pk, fence=self.job.fence).update(extractor=extractor)
        if found.is_fresh:
            self._remember(found)
        if self.is_carousel:
            if self.wants_sound_only:
                self._carousel_sound(found)
            else:
                self._slides(found)
        else:
            self._clip(found)

    def note_gone(self, error: Gone) -> None:
        """The platform itself says so: nobody needs to try again, in any quality."""
        with self.job.fenced():
            Video.objects.filter(pk=self.video.pk, gone_at=None).update(gone_at=timezone.now(), gone_reason=error.message[:200])

    # -- clips -------------------------------------------------------------------------------------

    def _clip(self, found: Found) -> None:
        offer = found.clip(self.job.quality, now=timezone.now())
        if offer is None:
            raise TransientError(_("The video has no address to fetch it from."), code="no_address")
        part = self.folder / "clip"
        expected = Expected(duration_seconds=found.duration_seconds or self.wanted.duration_seconds, sizes=_sizes(found, offer))

        def check(fetched: fetching.Fetched) -> Probed:
            verify_size(fetched.size, expected)
            probed = probe(fetched.path, thumbnail_side=0 if self.wants_sound_only else 720)
            verify(probed.facts, expected)
            return probed

        fetched, probed = self._fetch_checked(offer, part, check, container_of, MOST_CLIP_BYTES)
        if self.wants_sound_only:
            self._finish_sound(audio.extract(fetched.path, self._fresh_folder("sound")))
        else:
            self._finish_clip(fetched, probed)

    def _finish_clip(self, fetched: fetching.Fetched, probed: Probed) -> None:
        facts = probed.facts
        self._store(fetched.path, fetched.sha256, fetched.size, facts.mime)
        thumbnails = [(t, *objects.store_bytes(t.jpeg, mime="image/jpeg", folder=self.folder)) for t in probed.thumbnails]
        with self.job.fenced():
            row = objects.record(
                fetched.sha256,
                size=fetched.size,
                mime=facts.mime,
                width=facts.width,
                height=facts.height,
                duration_ms=round(facts.duration_seconds * 1000),
                facts=facts.as_json(),
            )
            self._asset(AssetRole.VIDEO, row, quality=self.job.quality)
            for thumbnail, sha256, size in thumbnails:
                small = objects.record(sha256, size=size, mime="image/jpeg", width=thumbnail.width, height=thumbnail.height)
                self._asset(AssetRole.THUMBNAIL, small, position=thumbnail.percent)
            self.job.complete("stored")

    def _finish_sound(self, path: Path) -> None:
        self.job.report(progress=FETCHED, note=_("looking into the file"))
        probed = probe(path, thumbnail_side=0)
        verify(probed.facts, Expected(picture=False, sound=True))
        facts, sha256 = probed.facts, objects.sha256_of_file(path)
        self._store(path, sha256, facts.size, facts.mime)
        with self.job.fenced():
            row = objects.record(
                sha256,
                size=facts.size,
                mime=facts.mime,
                duration_ms=round(facts.duration_seconds * 1000),
                facts=facts.as_json(),
            )
            self._asset(AssetRole.AUDIO, row, quality=Quality.AUDIO)
            self.job.complete("stored")

    # -- carousels ---------------------------------------------------------------------------------

    def _slides(self, found: Found) -> None:
        """Slide after slide, each recorded as soon as it is stored: a later attempt goes on where this one ended."""
        offers = found.slide_offers()
        if not offers:
            raise TransientError(_("The carousel has no addresses to fetch its pictures from."), code="no_address")
        here = set(
            Asset.objects.filter(video=self.video, role=AssetRole.SLIDE, state=AssetState.READY).values_list(
                "position", flat=True
            )
        )
        for number, offer in enumerate(offers):
            self.job.report(
                progress=95 * number // len(offers), note=_("picture %(n)d of %(all)d") % {"n": number + 1, "all": len(offers)}
            )
            if number not in here:
                self._slide(number, offer)
        if (sound := found.sound()) is not None:
            # A carousel without its music is still the carousel.
            with contextlib.suppress(TransientError, PermanentError):
                self._store_sound(sound)
        with self.job.fenced():
            self.job.complete("stored")

    def _slide(self, number: int, offer: Offer) -> None:
        path = self.folder / f"slide-{number}"
        wish = pictures.Wish(path=path, keeps_original=True)

        def check(fetched: fetching.Fetched) -> pictures.Picture:
            return pictures.look(wish)

        fetched, picture = self._fetch_checked(offer, path, check, pictures.kind_of, MOST_PICTURE_BYTES, reports=False)
        stored = store_picture(wish, picture, sha256=fetched.sha256, size=fetched.size, folder=self.folder)
        with self.job.fenced():
            shown, original = stored.record()
            self._asset(AssetRole.SLIDE, shown, position=number, original=original)
        fetching.forget(fetched.path)

    def _carousel_sound(self, found: Found) -> None:
        if (sound := found.sound()) is None:
            raise VerificationError(_("This carousel has no sound."), code="no_sound")
        self._store_sound(sound)
        with self.job.fenced():
            self.job.complete("stored")

    def _store_sound(self, offer: Offer) -> None:
        if Asset.objects.filter(video=self.video, role=AssetRole.AUDIO, state=AssetState.READY).exists():
            return

        def check(fetched: fetching.Fetched) -> Probed:
            probed = probe(fetched.path, thumbnail_side=0)
            verify(probed.facts, Expected(picture=False, sound=True))
            return probed

        fetched, probed = self._fetch_checked(
            offer, self.folder / "sound-file", check, container_of, MOST_PICTURE_BYTES * 2, reports=False
        )
        facts = probed.facts
        self._store(fetched.path, fetched.sha256, fetched.size, facts.mime, reports=False)
        with self.job.fenced():
            row = objects.record(
                fetched.sha256,
                size=fetched.size,
                mime=facts.mime,
                duration_ms=round(facts.duration_seconds * 1000),
                facts=facts.as_json(),
            )
            self._asset(AssetRole.AUDIO, row, quality=Quality.AUDIO)

    # -- one file ----------------------------------------------------------------------------------

    def _fetch_checked(
        self,
        offer: Offer,
        part: Path,
        check: Callable[[fetching.Fetched], T],
        check_head: fetching.CheckHead,
        most_bytes: int,
        *,
        reports: bool = True,
    ) -> tuple[fetching.Fetched, T]:
        """The first mirror whose file passes the check. Raises what says most of why none did."""

        def report(done: int, total: int | None) -> None:
            share = done / total if total else 0
            self.job.report(progress=int(FETCHED * share) if reports else None, note=_progress(done, total) if reports else None)

        errors: list[JobError] = []
        for url in offer.urls:
            try:
                fetched = fetching.fetch_to_file(
                    [url],
                    part,
                    deadline_seconds=self.ends_at - time.monotonic(),
                    max_bytes=most_bytes,
                    headers=offer.headers,
                    door=offer.door,
                    on_progress=report,
                    check_head=check_head,
                )
                self.job.report(progress=FETCHED if reports else None, note=_("looking into the file") if reports else None)
                return fetched, check(fetched)
            except VerificationError as error:
                fetching.forget(part)
                errors.append(error)
            except (sandbox.Unavailable, HandedBack):
                raise
            except (TransientError, PermanentError, Snooze) as error:
                errors.append(error)
        raise fetching.worst(errors)

    def _store(self, path: Path, sha256: str, size: int, mime: str, *, reports: bool = True) -> None:
        if reports:
            self.job.report(progress=FETCHED + 10, note=_("storing"))

        def report(done: int) -> None:
            self.job.report(progress=FETCHED + 10 + 9 * done // max(size, 1) if reports else None)

        objects.store(path, sha256=sha256, size=size, mime=mime, on_progress=report)
        self.job.report(progress=99 if reports else None)

    def _asset(
        self,
        role: AssetRole,
        row: StoredObject,
        *,
        quality: str = "",
        position: int = 0,
        original: StoredObject | None = None,
    ) -> None:
        Asset.objects.update_or_create(
            video=self.video,
            role=role,
            quality=quality,
            position=position,
            defaults={
                "object": row,
                "original": original,
                "state": AssetState.READY,
                "ready_at": timezone.now(),
                "error_code": "",
                "tried_address": "",
            },
        )

    def _remember(self, found: Found) -> None:
        """Fresh addresses serve the next quality too."""
        changes: dict[str, Any] = {}
        if found.media:
            changes["media"] = [_as_json(item) for item in found.media]
        if found.slides:
            changes["slides"] = [{"urls": s.urls, "width": s.width, "height": s.height} for s in found.slides]
        if changes:
            Video.objects.filter(pk=self.video.pk).update(**changes)

    def _fresh_folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        return folder


def _progress(done: int, total: int | None) -> str:
    if total:
        return _("%(done).1f of %(total).1f MB") % {"done": done / 1e6, "total": total / 1e6}
    return _("%(done).1f MB") % {"done": done / 1e6}


def _sizes(found: Found, offer: Offer) -> Sequence[int]:
    """What a file may weigh: a mirror sometimes hands out another of the variants that the platform named."""
    return () if offer.size is None else tuple(item.size for item in found.media if item.size)


def _media(item: dict[str, Any]) -> MediaURL:
    """As crawler.recording wrote it."""
    return MediaURL(**{**item, "expires_at": parse_datetime(item.get("expires_at") or "")})


def _as_json(item: MediaURL) -> dict[str, Any]:
    return {**asdict(item), "expires_at": item.expires_at.isoformat() if item.expires_at else None}
