"""One post by its link, asked of those who can read it, one after the other."""

import logging

from crawler import pauses
from crawler.access import missing_settings, provider_names, reader_by
from crawler.providers.base import VideoData
from crawler.providers.errors import Blocked, Changed, Gone, LoginRequired, ServiceRefused, Unreachable
from crawler.providers.registry import PROVIDERS
from crawler.providers.tiktok_page import NOT_VISIBLE
from jobs.errors import JobError

logger = logging.getLogger(__name__)

WORTH_ASKING_ANOTHER = (Blocked, Changed, LoginRequired, Unreachable)


def look_at(platform: str, url: str, *, is_asked_for: bool = False) -> tuple[VideoData, int]:
    """The post, and what it cost in credits.

    The next is asked where one is blocked or does not understand, or where "gone" may mean "not from here". What the first
    one said is what counts if no other can say more. Services that are paused or lack their key are passed over, unless
    nobody else is there. Raises as Provider.fetch_video does, and Snooze where the only service is paused.
    """
    first: JobError | None = None
    for name in (names := provider_names(platform, "url")):
        is_last_hope = first is None and name == names[-1]
        if not is_last_hope and (missing_settings(name) or (pauses.is_paused(name) and not is_asked_for)):
            continue
        if is_last_hope and not is_asked_for:
            pauses.check(name)
        try:
            reader = reader_by(name, platform)
            video = reader.provider.fetch_video(url, reader.access)
        except ServiceRefused as error:
            waits = pauses.pause(name, error)
            if first is None and name == names[-1]:
                raise waits from error
            continue
        except (*WORTH_ASKING_ANOTHER, Gone) as error:
            first = first or error
            if isinstance(error, Gone) and error.code != NOT_VISIBLE:
                raise
            logger.info("A single look failed", extra={"provider": name, "platform": platform, "code": error.code})
            continue
        pauses.resume_after_success(name)
        return video, int(PROVIDERS[name].is_paid)
    assert first is not None
    raise first
