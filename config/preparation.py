"""What must be done before the processes start: tables, seeds, a first person, static files.

Safe to repeat, and to start many times at once.
"""

import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from analysis import categories
from config import schedule
from downloads import storage
from downloads.errors import StorageError
from ranking import services as ranking
from workspaces.models import Membership, Role, first_workspace

ADMIN_NAME = "admin"
ONE_AT_A_TIME = 0x6772_7377  # "grsw": the advisory lock of everything that prepares


@dataclass(frozen=True, slots=True)
class Admin:
    name: str
    password: str | None
    """Known only when it was generated right now."""
    note: str


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold an advisory lock, with patience and without the web's time limits. Polls: a waiting query would hold a snapshot,
    which an index made CONCURRENTLY waits for."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0; SET lock_timeout = 0")
        while True:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [ONE_AT_A_TIME])
            if cursor.fetchone() == (True,):
                break
            time.sleep(0.2)
    try:
        yield
    finally:
        connection.close()  # ends the lock and the settings with the session


def migrate() -> int:
    """Apply what is missing; return how many migrations."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        call_command("migrate", interactive=False, verbosity=0)
    return len(plan)


@transaction.atomic
def ensure_admin() -> Admin:
    """Make the first administrator. ADMIN_PASSWORD, where given, is the password at every start."""
    given = str(settings.ADMIN_PASSWORD)
    users = get_user_model()._default_manager
    user = users.filter(username=ADMIN_NAME).first()
    if user is None and users.filter(is_superuser=True, is_active=True).exists() and not given:
        return Admin("", None, "no new administrator: there is one")
    generated = None
    if user is None:
        generated = None if given else secrets.token_urlsafe(12)
        user = users.model(username=ADMIN_NAME, is_staff=True, is_superuser=True)
        user.set_password(given or generated)
        user.save()
        note = "as ADMIN_PASSWORD says" if given else "generated now and shown this once"
    elif given and not user.check_password(given):
        user.set_password(given)
        user.save(update_fields=["password"])
        note = "as ADMIN_PASSWORD says"
    else:
        note = "as ADMIN_PASSWORD says" if given else "unchanged"
    Membership.objects.get_or_create(
        workspace=first_workspace(), user=user, defaults={"role": Role.OWNER, "is_active": not user.memberships.exists()}
    )
    return Admin(ADMIN_NAME, generated, note)


def seed() -> int:
    """Rows that every installation starts with, and models that this version can read; return how many schedules are new."""
    first_workspace()
    categories.seed()
    ranking.renew_models()
    return schedule.seed()


def ready_media() -> str:
    """Make the bucket where it is missing, and see that the media storage takes a write; return what stands in the way, or "".

    A storage that does not answer is no reason not to start: downloads wait for it, and everything else works.
    """
    try:
        storage.media().ensure_ready(allowed_origins())
    except StorageError as error:
        return str(error)
    return ""


def allowed_origins() -> list[str]:
    """Sites whose pages load media from the bucket."""
    parts = urlsplit(settings.SITE_URL)
    return [f"{parts.scheme}://{parts.netloc}", *settings.CORS_ALLOWED_ORIGINS]


def collect_static() -> bool:
    """Collect and compress static files if any changed since the last time; return whether it was needed."""
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    fingerprint = _static_fingerprint()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return False
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(fingerprint)
    return True


def _static_fingerprint() -> str:
    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, files in finder.list([]):
            found = Path(files.path(name)).stat()
            digest.update(f"{name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
