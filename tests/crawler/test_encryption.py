import base64
import json
import os

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection

from crawler.access import access_for
from crawler.encryption import DecryptionError, decrypt, encrypt
from crawler.models import BrowserSession
from crawler.rotation import State, state
from jobs.errors import PermanentError
from tests.factories import BrowserSessionFactory


def key():
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def raw():
    with connection.cursor() as cursor:
        cursor.execute("SELECT storage_state FROM crawler_browsersession")
        return cursor.fetchone()[0]


def test_what_is_stored_says_nothing_and_is_never_the_same_twice(settings):
    settings.FIELD_ENCRYPTION_KEYS = [key()]

    first, second = encrypt("sessionid=秘密", context="t.c"), encrypt("sessionid=秘密", context="t.c")

    assert "sessionid" not in first
    assert first != second
    assert decrypt(first, context="t.c") == decrypt(second, context="t.c") == "sessionid=秘密"


def test_an_older_key_still_opens_and_the_newest_one_writes(settings):
    old, new = key(), key()
    settings.FIELD_ENCRYPTION_KEYS = [old]
    stored = encrypt("x", context="t.c")
    settings.FIELD_ENCRYPTION_KEYS = [new, old]

    assert decrypt(stored, context="t.c") == "x"
    assert encrypt("x", context="t.c").split(":")[1] != stored.split(":")[1]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: "plain text",
        lambda s: "",
        lambda s: s[:-4],
        lambda s: s.replace("gs1:", "gs2:"),
        lambda s: ":".join(["gs1", "00000000", s.split(":")[2]]),
        lambda s: s[:-10] + ("A" if s[-10] != "A" else "B") + s[-9:],
        lambda s: s + ":more",
        lambda s: "gs1:" + s.split(":")[1] + ":",
        lambda s: s.encode().hex(),
    ],
)
def test_what_was_changed_is_an_error_and_never_a_value(settings, spoil):
    settings.FIELD_ENCRYPTION_KEYS = [key()]
    stored = encrypt("x" * 50, context="t.c")

    with pytest.raises(DecryptionError):
        decrypt(spoil(stored), context="t.c")


def test_a_value_moved_to_another_column_does_not_open(settings):
    settings.FIELD_ENCRYPTION_KEYS = [key()]

    with pytest.raises(DecryptionError):
        decrypt(encrypt("x", context="t.c"), context="t.d")


@pytest.mark.parametrize("keys", [[], ["short"], [base64.urlsafe_b64encode(b"x" * 16).decode()]])
def test_keys_that_are_none_are_refused(settings, keys):
    settings.FIELD_ENCRYPTION_KEYS = keys

    with pytest.raises((ImproperlyConfigured, ValueError)):
        encrypt("x", context="t.c")


@pytest.mark.django_db
def test_a_wrong_key_is_an_error_where_it_matters_and_overwrites_nothing(settings):
    settings.FIELD_ENCRYPTION_KEYS = [key()]
    BrowserSessionFactory(platform="douyin", storage_state={"cookies": [], "origins": []})
    before = raw()
    settings.FIELD_ENCRYPTION_KEYS = [key()]

    with pytest.raises(DecryptionError):
        BrowserSession.objects.get()
    with pytest.raises(PermanentError) as refused:
        access_for("douyin")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("reencrypt")

    assert refused.value.code == "secret_unreadable"
    assert raw() == before
    assert state() == State(total=1, old=1, unreadable=1)


@pytest.mark.django_db
def test_after_reencrypting_the_old_key_can_go(settings, capsys):
    old, new = key(), key()
    settings.FIELD_ENCRYPTION_KEYS = [old]
    secret = {"cookies": [{"name": "sessionid", "value": "秘密"}], "origins": []}
    BrowserSessionFactory(platform="douyin", storage_state=secret)
    settings.FIELD_ENCRYPTION_KEYS = [new, old]
    assert state() == State(total=1, old=1)

    call_command("reencrypt")
    assert "1" in capsys.readouterr().out
    call_command("reencrypt")
    assert "0" in capsys.readouterr().out

    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert BrowserSession.objects.get().storage_state == secret
    assert state() == State(total=1)


@pytest.mark.django_db
def test_a_secret_shows_nowhere(settings):
    session = BrowserSessionFactory(platform="douyin", storage_state={"cookies": [{"name": "sessionid", "value": "s3cret"}]})

    assert "s3cret" not in repr(session)
    assert "s3cret" not in str(session)
    assert "s3cret" not in json.dumps(raw())
