"""How the product meets the sample platform: which of its addresses stand for whose, and what is watched there at first.

Nothing else knows of it: the processes get settings as any others, and read what answers there.
"""

import json
import shlex
import urllib.request
from collections.abc import Sequence
from typing import Any

from django.conf import settings

from config import engines
from config.supervisor import Program
from crawler import profiles, services, sounds
from crawler.models import Sound, Source, SourceKind
from crawler.providers.sound_links import SoundLink
from workspaces.models import Workspace

INTERVAL_MINUTES = 10
"""Often enough for a visitor to see numbers grow and a surge foretold."""
PAGES_PER_RUN = 5
"""All of a topic."""
PROFILES = ("meonhabo", "minhdidau", "hanoibites", "nina.old")
"""Two with many posts, one with few, one that was renamed: each looks different on its page."""
OWN_PROFILE = "linhansap"
LISTS = ((SourceKind.HASHTAG, "streetfood"), (SourceKind.TRENDING, "VN"))
SOUND_PLACE = 1
"""Of the sounds there: used by some dozens of posts, so that its page is full and its run short."""


def environment(port: int) -> dict[str, str]:
    """Settings for the processes: the sample's addresses and keys, whatever the machine's own are. No proxy leads there."""
    site = f"http://localhost:{port + 2}"
    hosts = [f"{host}:{each}" for each in (port + 2, port + 3) for host in ("localhost", "127.0.0.1")]
    proxies = ("DOUYIN_PROXY", "TIKTOK_PROXY", "SCRAPECREATORS_PROXY", "APIFY_PROXY")
    return {
        "DOUYIN_URL": site,
        "DOUYIN_PROVIDER": "browser",
        "TIKTOK_URL": f"{site}/tiktok",
        "TIKTOK_PROVIDER": "scrapecreators",
        "SCRAPECREATORS_URL": f"{site}/services/scrapecreators",
        "SCRAPECREATORS_API_KEY": "sample-scrapecreators-key",
        "APIFY_URL": f"{site}/services/apify",
        "APIFY_API_TOKEN": "sample-apify-token",
        "APIFY_SOUND_ACTOR": "clockworks~tiktok-sound-scraper",
        "FETCH_ALLOWED_HOSTS": ",".join([*settings.FETCH_ALLOWED_HOSTS, *hosts]),
        **dict.fromkeys(proxies, ""),
    }


def program(port: int, env: dict[str, str]) -> Program:
    data = shlex.quote(str(settings.DATA_DIR / "sample"))
    command = f"python -m sample_platform --port {port + 2} --cdn-port {port + 3} --data-dir {data}"
    return Program(name="sample", command=command, env=env, stops_last=True)


def watch(port: int, workspace: Workspace) -> tuple[int, int]:
    """Make what the sample shows sources of a workspace, once, and look at the new ones; return how many are new, and all."""
    topics = engines.PROJECT / "config" / "topics.txt"
    new, total = services.load_topics(topics, workspace, interval_minutes=INTERVAL_MINUTES, pages_per_run=PAGES_PER_RUN)
    if new:
        services.dispatch_due_sources()
    found = [*_profiles(workspace), *_lists(workspace), *_sounds(port, workspace)]
    return new + sum(found), total + len(found)


def _profiles(workspace: Workspace) -> Sequence[bool]:
    added = [profiles.add_profile(handle, is_own=None, workspace=workspace, by=None) for handle in PROFILES]
    added.append(profiles.add_profile(OWN_PROFILE, is_own=True, workspace=workspace, by=None))
    fresh = [one.source.pk for one in added if one.is_new]
    Source.objects.filter(pk__in=fresh).update(interval_minutes=INTERVAL_MINUTES, pages_per_run=PAGES_PER_RUN)
    return [one.is_new for one in added]


def _lists(workspace: Workspace) -> Sequence[bool]:
    found = []
    for kind, value in LISTS:
        source, is_new = Source.objects.get_or_create(
            workspace=workspace,
            platform="tiktok",
            kind=kind,
            value=value,
            defaults={"interval_minutes": INTERVAL_MINUTES, "pages_per_run": PAGES_PER_RUN},
        )
        if is_new:
            services.scan_now(source)
        found.append(is_new)
    return found


def _sounds(port: int, workspace: Workspace) -> Sequence[bool]:
    """Its address is the sample's own: this process has the settings of the real site."""
    try:
        with urllib.request.urlopen(f"http://localhost:{port + 2}/control/tiktok.json", timeout=30) as answer:
            told: dict[str, Any] = json.load(answer)["sounds"][SOUND_PLACE]
    except OSError:
        return []  # the next start finds it
    Sound.objects.get_or_create(platform="tiktok", external_id=told["id"], defaults={"url": told["url"]})
    return [sounds.watch(SoundLink(told["id"]), workspace=workspace)[1]]
