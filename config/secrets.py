"""Secrets that must exist and that nobody has to invent: made once, kept under `DATA_DIR`, never shown."""

import base64
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from config import engines


def secret_key() -> str:
    return _kept("secret_key", secrets.token_urlsafe(64))


def field_encryption_key() -> str:
    """32 random bytes as Fernet spells them."""
    return _kept("field_encryption_key", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())


def apify_webhook_secret() -> str:
    return _kept("apify_webhook_secret", secrets.token_urlsafe(32))


def _kept(name: str, fresh: str) -> str:
    """What the file says; `fresh` when there is none yet. Of many processes at once, one writes."""
    path = engines.data_dir() / "secrets" / name
    with suppress(FileNotFoundError):
        return path.read_text().strip()
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)  # readable by its owner only
    with os.fdopen(descriptor, "w") as file:
        file.write(fresh)
        file.flush()
        os.fsync(descriptor)
    with suppress(FileExistsError):
        os.link(temporary, path)
    Path(temporary).unlink()
    return path.read_text().strip()
