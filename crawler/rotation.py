"""Secrets after a change of keys: which can still be read, and writing them anew with the newest key."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from crawler.encryption import DecryptionError, EncryptedJSONField, current_key_id, decrypt, encrypt, key_id


@dataclass(frozen=True, slots=True)
class State:
    """How many stored secrets there are, how many of them an older key wrote, and how many no configured key opens."""

    total: int = 0
    old: int = 0
    unreadable: int = 0


def state() -> State:
    """Try every stored secret. The canary of the keys: anything unreadable means that a key is missing."""
    total = old = unreadable = 0
    for field, _pk, stored in _stored():
        total += 1
        old += key_id(stored) != current_key_id()
        try:
            decrypt(stored, context=field.context)
        except DecryptionError:
            unreadable += 1
    return State(total, old, unreadable)


def reencrypt() -> int:
    """Write with the newest key what an older one wrote; return how many. Raises DecryptionError, and then changes nothing."""
    done = 0
    with transaction.atomic(), connection.cursor() as cursor:
        for field, pk, stored in list(_stored(for_update=True)):
            if key_id(stored) == current_key_id():
                continue
            anew = encrypt(decrypt(stored, context=field.context), context=field.context)
            cursor.execute(f'UPDATE "{field.model._meta.db_table}" SET "{field.column}" = %s WHERE id = %s', [anew, pk])
            done += 1
    return done


def _stored(*, for_update: bool = False) -> Iterator[tuple[EncryptedJSONField, Any, str]]:
    """Every encrypted value as it lies in the database; read past the field, which would open it."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedJSONField):
                yield from _values(model, field, "FOR UPDATE" if for_update else "")


def _values(model: type[models.Model], field: EncryptedJSONField, lock: str) -> Iterator[tuple[EncryptedJSONField, Any, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT id, "{field.column}" FROM "{model._meta.db_table}" WHERE "{field.column}" IS NOT NULL ORDER BY id {lock}'
        )
        for pk, stored in cursor.fetchall():
            yield field, pk, stored
