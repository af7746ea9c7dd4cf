"""What is configured, what answers, what is missing, and how to mend it. One small function per thing; each may raise."""

import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import redis
from constance import config
from cryptography.fernet import Fernet
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from analysis.analyzers import gemini, local
from config import celery, engines, preparation, proxies
from crawler import pauses
from crawler.models import BrowserSession, ProviderPause
from crawler.providers import browser
from downloads import storage
from downloads.processing import sandbox

GIB = 2**30
QUEUES = ("crawl", "media", "download", "upkeep")
BEAT_WRITES_EVERY = timedelta(minutes=5)  # django-celery-beat saves its run times every three
LATER = {
    "TikTok (posting)": ("TIKTOK_CLIENT_KEY", "TIKTOK_CLIENT_SECRET"),
    "Sentry": ("SENTRY_DSN",),
    "E-mail": ("EMAIL_URL",),
}


class Level(StrEnum):
    OK = "ok"
    OFF = "not configured"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    level: Level
    detail: str
    mend: str = ""


def examine() -> Iterator[Finding]:
    """Every check's findings, in order. A check that raises is itself a finding."""
    for name, check in CHECKS.items():
        try:
            yield from check()
        except Exception as exc:  # the outermost edge: whatever is wrong is what was asked for
            reason = str(exc).strip() or type(exc).__name__
            yield Finding(name, Level.BROKEN, reason.splitlines()[0][:300], MENDS.get(name, ""))


def database() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('server_version_num')::int")
        version, number = cursor.fetchone()
    where = f"embedded, in {engines.paths().cluster}" if engines.owns_database() else "at DATABASE_URL"
    is_known = number >= 140000
    yield Finding(
        "PostgreSQL",
        Level.OK if is_known else Level.BROKEN,
        f"{version}, {where}",
        "" if is_known else "Use PostgreSQL 14 or newer.",
    )
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    yield Finding(
        "Tables",
        Level.BROKEN if missing else Level.OK,
        f"{missing} migrations are not applied" if missing else "up to date",
        "Run: manage.py prepare" if missing else "",
    )


def redis_server() -> Iterator[Finding]:
    client = redis.Redis.from_url(engines.redis_url(), socket_timeout=3, socket_connect_timeout=3)
    info = client.info()
    policy = str(info.get("maxmemory_policy", "unknown"))
    where = f"embedded, at {engines.paths().redis}" if engines.owns_redis() else "at REDIS_URL"
    is_safe = policy in ("noeviction", "unknown")
    yield Finding(
        "Redis",
        Level.OK if is_safe else Level.WARNING,
        f"{info['redis_version']}, {where}, {info['used_memory_human']} used",
        "" if is_safe else f"It drops messages when full ({policy}). Run: redis-cli CONFIG SET maxmemory-policy noeviction",
    )


def secrets_and_keys() -> Iterator[Finding]:
    for key in settings.FIELD_ENCRYPTION_KEYS:
        Fernet(key)  # raises for a key of the wrong length
    folder = settings.DATA_DIR / "secrets"
    loose = [path.name for path in folder.glob("*") if path.stat().st_mode & 0o077] if folder.exists() else []
    kept = [name for name in ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS") if not os.environ.get(name)]
    yield Finding(
        "Secrets",
        Level.WARNING if loose else Level.OK,
        f"others may read {', '.join(loose)}" if loose else f"generated, in {folder}" if kept else "from the environment",
        f"Run: chmod -R go= {folder}" if loose else "",
    )


def chromium() -> Iterator[Finding]:
    path = browser.executable() or _playwrights_own()
    with tempfile.TemporaryDirectory() as profile:
        command = [path, "--headless", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={profile}"]
        if os.geteuid() == 0:
            command.append("--no-sandbox")
        page = ["--dump-dom", "data:text/html,<p id=ready>"]
        finished = subprocess.run([*command, *page], capture_output=True, text=True, timeout=45, check=False)
    if 'id="ready"' not in finished.stdout:
        words = (finished.stderr.strip().splitlines() or [f"exit code {finished.returncode}"])[-1]
        raise RuntimeError(f"{path} does not start: {words}")
    yield Finding("Chromium", Level.OK, f"{path} starts")


def _playwrights_own() -> str:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    if not Path(path).exists():
        raise RuntimeError("no Chromium is installed")
    return path


def ffmpeg() -> Iterator[Finding]:
    for name in ("ffmpeg", "ffprobe"):
        if shutil.which(name) is None:
            raise RuntimeError(f"{name} is not installed")
    line = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, timeout=20, check=True).stdout
    yield Finding("ffmpeg", Level.OK, " ".join(line.split()[:3]))


def media_sandbox() -> Iterator[Finding]:
    sandbox.check()
    yield Finding("Sandbox", Level.OK, "bubblewrap makes one")


def media_storage() -> Iterator[Finding]:
    stores = {"Media storage": storage.media()}
    if backup := storage.backup():
        stores["Backup storage"] = backup
    for name, store in stores.items():
        sentences = store.ensure_ready(preparation.allowed_origins())
        free = store.free_bytes()
        room = f", {free / GIB:.1f} GiB free" if free is not None else ""
        yield Finding(name, Level.OK, f"takes a write and gives it back{room}", " ".join(sentences))


def disk() -> Iterator[Finding]:
    free = shutil.disk_usage(settings.DATA_DIR).free
    level = Level.BROKEN if free < GIB // 2 else Level.WARNING if free < 5 * GIB else Level.OK
    mend = (
        ""
        if level is Level.OK
        else "Free some space, move DATA_DIR, or lower the retention in the admin and run: manage.py cleanup"
    )
    yield Finding("Disk", level, f"{free / GIB:.1f} GiB free under {settings.DATA_DIR}", mend)


def workers() -> Iterator[Finding]:
    answers = celery.app.control.inspect(timeout=2.0).active_queues() or {}
    served = {queue["name"] for queues in answers.values() for queue in queues}
    missing = [name for name in QUEUES if name not in served]
    yield Finding(
        "Workers",
        Level.WARNING if missing else Level.OK,
        f"nobody works on: {', '.join(missing)}" if missing else f"{len(answers)} answer, every queue is served",
        "Run: manage.py up (or the Procfile's lines)" if missing else "",
    )


def beat() -> Iterator[Finding]:
    tasks = PeriodicTask.objects.filter(enabled=True)
    if not tasks.exists():
        yield Finding("Beat", Level.WARNING, "no periodic task is on", "Run: manage.py prepare, or switch some on in the admin")
        return
    last = tasks.exclude(last_run_at=None).order_by("-last_run_at").values_list("last_run_at", flat=True).first()
    is_alive = last is not None and timezone.now() - last < BEAT_WRITES_EVERY
    yield Finding(
        "Beat",
        Level.OK if is_alive else Level.WARNING,
        f"{tasks.count()} periodic tasks, last run {last:%Y-%m-%d %H:%M} UTC" if last else "has not run yet",
        "" if is_alive else "Run: manage.py up (or the Procfile's beat); it notes its runs every three minutes",
    )


def sample_platform() -> Iterator[Finding]:
    url = f"http://localhost:{settings.PORT + 2}/"
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError:
        yield Finding("Sample platform", Level.OFF, "not running", "Optional: manage.py up --sample")
    else:
        yield Finding("Sample platform", Level.OK, f"{url} answers; the workers of `up --sample` read it in Douyin's place")


def douyin() -> Iterator[Finding]:
    request = urllib.request.Request(settings.DOUYIN_URL, headers={"User-Agent": "Mozilla/5.0"})
    try:
        with urllib.request.urlopen(request, timeout=8) as response:
            said = f"answers {response.status}"
    except urllib.error.HTTPError as exc:
        said = f"answers {exc.code}"
    except OSError as exc:
        yield Finding(
            "Douyin",
            Level.WARNING,
            f"{settings.DOUYIN_URL} does not answer: {getattr(exc, 'reason', exc)}",
            "Check the network, or DOUYIN_URL",
        )
    else:
        yield Finding("Douyin", Level.OK, f"{settings.DOUYIN_URL} {said}")
    session = BrowserSession.objects.filter(platform="douyin").first()
    if session is None:
        yield Finding("Douyin cookies", Level.OFF, "crawling as a visitor", "Optional: add a browser session in the admin")
        return
    assert session.storage_state is not None  # decrypting proves the key
    is_old = session.expires_at is not None and session.expires_at < timezone.now()
    until = f" until {session.expires_at:%Y-%m-%d}" if session.expires_at else ""
    yield Finding(
        "Douyin cookies",
        Level.WARNING if is_old else Level.OK,
        f"set {session.updated_at:%Y-%m-%d}, valid{until}",
        "They have expired: add fresh ones in the admin" if is_old else "",
    )


def service_proxies() -> Iterator[Finding]:
    tried = list(proxies.try_all())
    for one in tried:
        if one.error:
            detail, mend = f"through {one.shown}: {one.error}", f"Check {one.setting}, or unset it to go there directly"
            yield Finding(f"{one.label} proxy", Level.WARNING, detail, mend)
        else:
            yield Finding(f"{one.label} proxy", Level.OK, f"{one.shown} connects us")
    if not tried:
        yield Finding("Proxies", Level.OFF, "every service is asked directly")


def collectors() -> Iterator[Finding]:
    """The services that collect for us, as settings name them, and which of them are paused."""
    for state in pauses.states():
        if state.pause is not None:
            detail = f"paused since {state.pause.since:%Y-%m-%d %H:%M} UTC: {state.pause.reason}"
            mend = "Mend what it says: it is tried again by itself, or resumed in the admin"
            yield Finding(state.label, Level.WARNING, detail, mend)
        elif state.missing:
            yield Finding(state.label, Level.OFF, "not configured", f"Optional: set {' and '.join(state.missing)}")
        else:
            yield Finding(state.label, Level.OK, "configured" if state.is_used else "configured, and asked for nothing")


def carousel_texts() -> Iterator[Finding]:
    """Who reads the slides of carousels, and whether it can."""
    if missing := local.missing_models():
        mend = "Run: make setup; the rapidocr package brings them"
        yield Finding("Local OCR", Level.BROKEN, f"its models are not there: {', '.join(missing)}", mend)
    else:
        yield Finding("Local OCR", Level.OK, f"{local.MODEL}, inside the package")
    pause = ProviderPause.objects.filter(provider=gemini.ENGINE, until__gt=timezone.now()).first()
    if not settings.GEMINI_API_KEY:
        yield Finding("Gemini", Level.OFF, "not configured: carousels are read on this machine", "Optional: set GEMINI_API_KEY")
    elif pause is not None:
        mend = "Mend what it says: asking for a carousel has it tried again"
        yield Finding("Gemini", Level.WARNING, f"paused until {pause.until:%Y-%m-%d %H:%M} UTC: {pause.reason}", mend)
    else:
        yield Finding("Gemini", Level.OK, f"configured, {settings.GEMINI_MODEL} at {settings.GEMINI_URL}")


def site() -> Iterator[Finding]:
    is_local = urlsplit(settings.SITE_URL).hostname in ("localhost", "127.0.0.1")
    if settings.DEBUG:
        yield Finding("Site", Level.WARNING, "DEBUG is on", "Unset DEBUG where others can reach it")
    elif not (settings.IS_HTTPS or is_local):
        yield Finding("Site", Level.WARNING, f"{settings.SITE_URL} is not encrypted", "Put https in front and say so in SITE_URL")
    else:
        yield Finding("Site", Level.OK, settings.SITE_URL)


def signing_up() -> Iterator[Finding]:
    """What strangers may do at our expense, where others can reach us."""
    paid = [name for name in ("SCRAPECREATORS_API_KEY", "APIFY_API_TOKEN", "GEMINI_API_KEY") if getattr(settings, name)]
    if not config.SIGN_UP_OPEN:
        yield Finding("Sign-up", Level.OK, "closed: staff add people in the admin")
    elif paid and urlsplit(settings.SITE_URL).hostname not in ("localhost", "127.0.0.1"):
        yield Finding(
            "Sign-up",
            Level.WARNING,
            f"anybody may sign up, and what they watch is paid for with {', '.join(paid)}",
            "Switch SIGN_UP_OPEN off under Admin → Settings, unless that is what you want",
        )
    else:
        yield Finding("Sign-up", Level.OK, "open to anybody")


def optional_services() -> Iterator[Finding]:
    for name, variables in LATER.items():
        missing = [variable for variable in variables if not os.environ.get(variable)]
        yield Finding(
            name,
            Level.OFF if missing else Level.OK,
            "not configured" if missing else "configured",
            f"Optional: set {' and '.join(missing)}" if missing else "",
        )


CHECKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "PostgreSQL": database,
    "Redis": redis_server,
    "Secrets": secrets_and_keys,
    "Site": site,
    "Sign-up": signing_up,
    "Chromium": chromium,
    "ffmpeg": ffmpeg,
    "Sandbox": media_sandbox,
    "Media storage": media_storage,
    "Disk": disk,
    "Workers": workers,
    "Beat": beat,
    "Sample platform": sample_platform,
    "Douyin": douyin,
    "Collectors": collectors,
    "Carousel texts": carousel_texts,
    "Proxies": service_proxies,
    "Optional services": optional_services,
}
MENDS = {
    "PostgreSQL": "Check DATABASE_URL, or unset it to use the embedded server",
    "Redis": "Check REDIS_URL, or unset it to use the embedded server",
    "Secrets": "FIELD_ENCRYPTION_KEYS are 32 random bytes in URL-safe base64 each, comma separated, the newest first",
    "Chromium": "Run: make setup (or apt-get install chromium), or set CHROMIUM_PATH",
    "ffmpeg": "Run: make setup (or apt-get install ffmpeg)",
    "Sandbox": "Run: apt-get install bubblewrap; in a container, allow user namespaces",
    "Media storage": "Check MEDIA_STORAGE and its credentials",
    "Workers": "Check REDIS_URL",
    "Beat": "Run: manage.py prepare",
    "Douyin": "Check FIELD_ENCRYPTION_KEYS: what was encrypted needs the key it was encrypted with",
}


def as_json(findings: list[Finding]) -> str:
    rows = [{"name": each.name, "level": each.level, "detail": each.detail, "mend": each.mend} for each in findings]
    return json.dumps(rows, ensure_ascii=False, indent=2)
