"""A provider that answers as a test tells it. Its fixture is `told`."""

from crawler.providers.base import Counts, MediaURL, Page, VideoData
from tests.factories import SourceFactory


class Told:
    """Lists the pages it was given; a page may be an error, raised when its turn comes."""

    pages: list = []
    cursors: list = []
    closed = 0

    def crawl(self, query, access, *, cursor, pages):
        Told.cursors.append(cursor)
        begin = cursor["at"] if cursor else 0
        try:
            for at, page in enumerate(Told.pages[begin : begin + pages], start=begin):
                if isinstance(page, Exception):
                    raise page
                is_last = at + 1 == len(Told.pages)
                yield Page(videos=page, cursor=None if is_last else {"at": at + 1}, skipped={"live": 1})
        finally:
            Told.closed += 1

    def fetch_video(self, url, access):
        if isinstance(Told.pages[0], Exception):
            raise Told.pages[0]
        return Told.pages[0][0]

    def knows(self, url, base_url):
        return url.startswith("https://told.test/")


def video(number, **changes):
    return VideoData(
        **{
            "platform": "told",
            "external_id": str(number),
            "kind": "clip",
            "url": f"https://told.test/{number}",
            "counts": Counts(likes=number),
            "media": (MediaURL(url="https://told.test/1.mp4"),),
            **changes,
        }
    )


def told_source(**changes):
    return SourceFactory(platform="told", **changes)
