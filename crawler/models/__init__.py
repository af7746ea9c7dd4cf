"""What is watched, and what was seen: sources, authors, sounds, videos and their counters over time."""

from crawler.models.choices import AutoDownload, Outcome, SourceKind, VideoKind, default_kinds, platform_choices
from crawler.models.jobs import CrawlJob, ObserveJob
from crawler.models.services import BrowserSession, ProviderPause, WebhookDelivery
from crawler.models.snapshots import AuthorSnapshot, MetricSnapshot, SoundSnapshot
from crawler.models.sources import Source
from crawler.models.videos import Author, Sound, SourceVideo, Video
from crawler.trending import TrendingWord

__all__ = [
    "Author",
    "AuthorSnapshot",
    "AutoDownload",
    "BrowserSession",
    "CrawlJob",
    "MetricSnapshot",
    "ObserveJob",
    "Outcome",
    "ProviderPause",
    "Sound",
    "SoundSnapshot",
    "Source",
    "SourceKind",
    "SourceVideo",
    "TrendingWord",
    "Video",
    "VideoKind",
    "WebhookDelivery",
    "default_kinds",
    "platform_choices",
]
