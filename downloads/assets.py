"""Small things brought: covers, slides, faces, sounds. A few are claimed together, fetched at once and decoded in one sandbox.

What is kept: of a slide its own bytes, for the carousel is the work itself and may be read, compared and published later;
where browsers do not show them (HEIC), a JPEG in full size is what people get, and the bytes stay beside it as the original.
Of a cover or a face only a JPEG of the size that pages show: it stands for something else, and nobody asks for more of it.
All of them have thumbnails in two sizes.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext as _

from crawler.links import site_url
from crawler.providers.errors import Gone
from downloads import fetching, objects, wanting
from downloads.errors import VerificationError
from downloads.models import Asset, AssetJob, AssetRole, AssetState, StoredObject
from downloads.processing import pictures
from downloads.processing.containers import container_of
from downloads.processing.pictures import Picture, Wish
from downloads.processing.probe import probe
from downloads.storing import store_picture
from downloads.verification import Expected, verify
from downloads.work import storage_troubles
from downloads.workplace import workplace
from jobs.errors import JobError, PermanentError, TransientError
from jobs.models import FINAL, State

MIB = 1024**2
MOST_BYTES = {AssetRole.COVER: 10 * MIB, AssetRole.AVATAR: 10 * MIB, AssetRole.SLIDE: 30 * MIB, AssetRole.AUDIO: 60 * MIB}
SECONDS = 20.0
SOUND_SECONDS = 60.0
HOPELESS = ("picture_too_large", "too_many_frames")
"""The same bytes would come again."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A file that was fetched, and what was found in it."""

    wish: Wish
    fetched: fetching.Fetched
    picture: Picture | VerificationError


def wish_for(role: str, path: Path) -> Wish:
    match role:
        case AssetRole.SLIDE:
            return Wish(path=path, keeps_original=True)
        case AssetRole.AVATAR:
            return Wish(path=path, side=pictures.SMALL, sides=(pictures.SMALL,))
        case _:
            return Wish(path=path)


@contextmanager
def prepare(jobs: Sequence[AssetJob]) -> Iterator[None]:
    """Fetch the pictures of these jobs side by side and look into them in one sandbox. See JobKind.prepare.

    What goes wrong with one of them is kept for its own turn in `bring`.
    """
    found = wanting.addresses(job.asset_id for job in jobs)
    assets = Asset.objects.exclude(role=AssetRole.AUDIO).in_bulk(found)
    chosen = [
        job for job in jobs if found[job.asset_id].urls and job.asset_id in assets and not _is_there(job, assets[job.asset_id])
    ]
    if not chosen:
        yield
        return
    roles = {pk: asset.role for pk, asset in assets.items()}
    with workplace(f"asset-{chosen[0].pk}-together", chosen[0].fence) as folder:
        places = {job.pk: folder / str(job.pk) for job in chosen}
        with ThreadPoolExecutor(len(chosen), thread_name_prefix="asset") as threads:
            waiting = {
                job.pk: threads.submit(_fetch, found[job.asset_id], roles[job.asset_id], places[job.pk], SECONDS)
                for job in chosen
            }
        fetched: dict[int, fetching.Fetched] = {}
        for job in chosen:
            job.tried_address = found[job.asset_id].fingerprint
            try:
                fetched[job.pk] = waiting[job.pk].result()
            except JobError as error:
                job.prepared = error
        wishes = {job.pk: wish_for(roles[job.asset_id], places[job.pk]) for job in chosen if job.pk in fetched}
        looked = dict(zip(wishes, pictures.look_at(list(wishes.values())), strict=True)) if wishes else {}
        for job in chosen:
            if job.pk in looked:
                job.prepared = Looked(wishes[job.pk], fetched[job.pk], looked[job.pk])
        try:
            yield
        finally:
            for job in chosen:
                job.prepared = None


def bring(job: AssetJob) -> str:
    """Fetch one small thing and keep it; returns "stored", or "kept" if a download was quicker. See JobKind.work."""
    job.report()
    prepared, job.prepared = job.prepared, None
    if isinstance(prepared, JobError):
        raise prepared
    with storage_troubles(job):
        if isinstance(prepared, Looked) and isinstance(prepared.picture, Picture):
            _keep(job, prepared, prepared.wish.path.parent)
            return "stored"
        asset = job.asset
        if _is_there(job, asset):
            return "kept"
        address = wanting.addresses([asset.pk])[asset.pk]
        job.tried_address = address.fingerprint
        urls = address.urls
        if isinstance(prepared, Looked):  # one of the mirrors gave something else: the others may know better
            urls = tuple(url for url in urls if url != prepared.fetched.url)
            if not urls and isinstance(prepared.picture, VerificationError):
                raise _final(prepared.picture)
        with workplace(f"asset-{job.pk}", job.fence) as folder:
            if asset.role == AssetRole.AUDIO:
                _sound(job, address, folder)
            else:
                _keep(job, _first_good(asset.role, urls, address, folder / "picture"), folder)
    return "stored"


def note_end(job: AssetJob) -> None:
    """A job that ended without bytes leaves its asset failed, with the address that failed; what was kept before stays."""
    if job.state in FINAL and job.state != State.COMPLETED:
        failed: dict[str, str] = {"state": AssetState.FAILED, "error_code": job.error_code[:40]}
        if job.tried_address:
            failed["tried_address"] = job.tried_address
        Asset.objects.filter(pk=job.asset_id, state=AssetState.WANTED, object=None).update(**failed)
        Asset.objects.filter(pk=job.asset_id, state=AssetState.WANTED).update(state=AssetState.READY)


def _is_there(job: AssetJob, asset: Asset) -> bool:
    """A download brought it since this was asked for: slides come both ways."""
    return asset.state == AssetState.READY and asset.ready_at is not None and asset.ready_at > job.created_at


def _first_good(role: str, urls: Sequence[str], address: wanting.Address, path: Path) -> Looked:
    """The first mirror whose file is a picture. Raises what says most of why none is."""
    errors: list[JobError] = []
    for url in urls or ("",):
        try:
            fetched = _fetch(address, role, path, SECONDS, only=url)
            wish = wish_for(role, path)
            return Looked(wish, fetched, pictures.look(wish))
        except VerificationError as error:
            errors.append(_final(error))
        except (TransientError, PermanentError) as error:
            errors.append(error)
    raise fetching.worst(errors)


def _fetch(address: wanting.Address, role: str, path: Path, seconds: float, *, only: str = "") -> fetching.Fetched:
    """Knows nothing of the database: several run side by side."""
    if not address.urls:
        raise Gone(_("This no longer has an address."))
    site = site_url(address.platform)
    return fetching.fetch_to_file(
        [only] if only else address.urls,
        path,
        deadline_seconds=seconds,
        max_bytes=MOST_BYTES[AssetRole(role)],
        headers={"Referer": f"{site}/"} if site else {},
        resume=False,
        check_head=container_of if role == AssetRole.AUDIO else pictures.kind_of,
    )


def _keep(job: AssetJob, looked: Looked, folder: Path) -> None:
    assert isinstance(looked.picture, Picture)
    stored = store_picture(looked.wish, looked.picture, sha256=looked.fetched.sha256, size=looked.fetched.size, folder=folder)
    with job.fenced():
        shown, original = stored.record()
        _ready(job, shown, original)
        job.complete("stored")


def _sound(job: AssetJob, address: wanting.Address, folder: Path) -> None:
    fetched = _fetch(address, AssetRole.AUDIO, folder / "sound", SOUND_SECONDS)
    job.report()
    probed = probe(fetched.path, thumbnail_side=0)
    verify(probed.facts, Expected(picture=False, sound=True))
    facts = probed.facts
    objects.store(fetched.path, sha256=fetched.sha256, size=fetched.size, mime=facts.mime)
    with job.fenced():
        row = objects.record(
            fetched.sha256,
            size=fetched.size,
            mime=facts.mime,
            duration_ms=round(facts.duration_seconds * 1000),
            facts=facts.as_json(),
        )
        _ready(job, row, None)
        job.complete("stored")


def _final(error: VerificationError) -> JobError:
    return PermanentError(error.message, code=error.code) if error.code in HOPELESS else error


def _ready(job: AssetJob, row: StoredObject, original: StoredObject | None) -> None:
    Asset.objects.filter(pk=job.asset_id).update(
        object=row, original=original, state=AssetState.READY, ready_at=timezone.now(), error_code="", tried_address=""
    )
