"""Database fields whose values are encrypted, and which fail closed: a wrong key is an error, never a value."""

import base64
import functools
import hashlib
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

PREFIX = "gs1"


class DecryptionError(Exception):
    """The value was written with a key that FIELD_ENCRYPTION_KEYS does not hold, or was changed or moved."""


@functools.cache
def _keys(configured: tuple[str, ...]) -> dict[str, AESGCM]:
    """By key id, the first being the one that encrypts."""
    keys = {}
    for text in configured:
        raw = base64.urlsafe_b64decode(text)
        if len(raw) != 32:
            raise ImproperlyConfigured("Each of FIELD_ENCRYPTION_KEYS is 32 bytes in URL-safe base64.")
        keys[hashlib.sha256(raw).hexdigest()[:8]] = AESGCM(raw)
    if not keys:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is empty.")
    return keys


def encrypt(plain: str, *, context: str) -> str:
    """`context` (a table and column) is bound in: a value copied into another column does not decrypt."""
    key_id, cipher = next(iter(_keys(tuple(settings.FIELD_ENCRYPTION_KEYS)).items()))
    nonce = os.urandom(12)
    sealed = nonce + cipher.encrypt(nonce, plain.encode(), context.encode())
    return f"{PREFIX}:{key_id}:{base64.urlsafe_b64encode(sealed).decode()}"


def decrypt(stored: str, *, context: str) -> str:
    """Raises DecryptionError for whatever was not encrypted here, with one of our keys, for this context."""
    try:
        prefix, key_id, text = stored.split(":")
        sealed = base64.urlsafe_b64decode(text)
        if prefix != PREFIX:
            raise ValueError(prefix)
        cipher = _keys(tuple(settings.FIELD_ENCRYPTION_KEYS))[key_id]
        return cipher.decrypt(sealed[:12], sealed[12:], context.encode()).decode()
    except (ValueError, KeyError, InvalidTag) as error:
        raise DecryptionError("A stored secret cannot be read with the configured keys.") from error


def key_id(stored: str) -> str:
    """Which key a value was written with; empty for what was not written here."""
    parts = stored.split(":")
    return parts[1] if len(parts) == 3 and parts[0] == PREFIX else ""


def current_key_id() -> str:
    """The key that new values are written with."""
    return next(iter(_keys(tuple(settings.FIELD_ENCRYPTION_KEYS))))


class EncryptedJSONField(models.TextField[Any, Any]):
    """A JSON value, encrypted as a whole. Cannot be searched or shown in the admin."""

    @property
    def context(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else encrypt(json.dumps(value), context=self.context)

    def from_db_value(self, value: str | None, *args: object) -> Any:
        return None if value is None else json.loads(decrypt(value, context=self.context))
