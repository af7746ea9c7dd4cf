"""The site's files: made when first asked for, or in the background before, and kept."""

import asyncio
import logging
import os
import shutil
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pillow_heif
from PIL import Image

from sample_platform import clips
from sample_platform.art import pictures
from sample_platform.world import Author, Gear, Sound, Video, World

logger = logging.getLogger(__name__)

Maker = Callable[[Path], None]


def _be_nice() -> None:
    """Background work yields to visitors (on Linux a priority belongs to the thread, and its children inherit it)."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)


@dataclass
class Studio:
    world: World
    folder: Path
    ffmpeg: clips.Ffmpeg = field(default_factory=clips.Ffmpeg)
    _front: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "front"), repr=False)
    _back: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "back", initializer=_be_nice), repr=False)
    _making: dict[Path, asyncio.Future[None]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for unfinished in list(self.folder.glob("*/*.tmp*")):
            if unfinished.is_dir():
                shutil.rmtree(unfinished)
            else:
                unfinished.unlink()

    # --- what there is ----------------------------------------------------------------------------------------------
    async def cover(self, video: Video, suffix: str, *, back: bool = False) -> Path:
        target = self.folder / "covers" / f"{video.number}{suffix}"
        return await self._file(target, lambda path: save(pictures.cover(video), path, suffix), back)

    async def slide(self, video: Video, position: int, suffix: str, *, back: bool = False) -> Path:
        target = self.folder / "slides" / f"{video.number}-{position}{suffix}"
        return await self._file(target, lambda path: save(pictures.slide(video, position), path, suffix), back)

    async def avatar(self, author: Author, size: int, suffix: str = ".jpeg", *, back: bool = False) -> Path:
        target = self.folder / "avatars" / f"{author.index}-{size}{suffix}"
        return await self._file(target, lambda path: save(pictures.avatar(author, size), path, suffix), back)

    async def huge(self) -> Path:
        """A small file that unpacks to 108 million pixels."""
        return await self._file(self.folder / "odd" / "huge.png", lambda path: Image.new("1", (12_000, 9_000)).save(path), False)

    async def sound(self, sound: Sound, *, back: bool = False) -> Path:
        target = self.folder / "sounds" / f"{sound.index}.mp3"
        return await self._file(target, lambda path: clips.make_sound(self.ffmpeg, sound, path), back)

    async def clip(self, video: Video, gear: Gear, *, back: bool = False) -> Path:
        target = self.folder / "clips" / f"{video.art}-{gear.name}.mp4"
        return await self._file(target, lambda path: clips.make_clip(self.ffmpeg, video, gear, path), back)

    async def _file(self, target: Path, maker: Maker, back: bool) -> Path:
        """The finished file; askers at the same time share one making."""
        if target.exists():
            return target
        if target not in self._making:
            pool = self._back if back else self._front
            loop = asyncio.get_running_loop()
            self._making[target] = loop.run_in_executor(pool, make, target, maker)
            self._making[target].add_done_callback(lambda _: self._making.pop(target, None))
        await asyncio.shield(self._making[target])
        return target

    # --- the first start --------------------------------------------------------------------------------------------
    async def prepare(self, warm_clips: int) -> None:
        """Make ahead what visitors see first: covers, faces, the most watched clips. The rest is made when asked for."""
        videos = sorted(self.world.videos.values(), key=lambda video: -video.growth.audience)
        clips_first = [video for video in videos if video.gears][:warm_clips]
        await self._stage("covers", [partial(self.cover, video, ".jpeg", back=True) for video in videos])
        await self._stage("faces", [partial(self.avatar, person, 720, back=True) for person in self.world.authors])
        await self._stage("clips", [partial(self.clip, video, video.gears[0], back=True) for video in clips_first])
        logger.info("Sample platform: content is ready")

    async def _stage(self, what: str, jobs: Sequence[Callable[[], Awaitable[Path]]]) -> None:
        said = 0
        for done, job in enumerate(jobs, 1):
            try:
                await job()
            except (clips.CannotMake, OSError) as error:
                logger.error("Sample platform: %s are not made: %s", what, error)
                return
            if done == len(jobs) or done * 4 // len(jobs) > said:
                said = done * 4 // len(jobs)
                logger.info("Sample platform: %s %d of %d", what, done, len(jobs))

    def stop(self) -> None:
        self.ffmpeg.stop()
        for pool in (self._front, self._back):
            pool.shutdown(wait=True, cancel_futures=True)


def make(target: Path, maker: Maker) -> None:
    """Make a file beside its place and move it there whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.stem}.tmp{target.suffix}")
    maker(part)
    part.replace(target)


def save(picture: Image.Image, path: Path, suffix: str) -> None:
    if suffix == ".webp":
        picture.save(path, "WEBP", quality=82, method=2)
    elif suffix == ".heic":
        pillow_heif.from_pillow(picture.convert("RGB")).save(path, quality=70)
    elif suffix == ".avif":
        picture.convert("RGB").save(path, "AVIF", quality=60, speed=9)
    else:
        picture.convert("RGB").save(path, "JPEG", quality=86, progressive=True)
