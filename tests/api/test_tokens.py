"""Tokens: kept as hashes, shown once, listed by prefix, revoked at once."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from knox.models import AuthToken

from api.tokens import MOST_TOKENS, TooManyTokens, create_token, list_tokens, revoke_token
from jobs import kinds
from tests.api.conftest import ApiClient, People
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def ask(token: str) -> int:
    """How an address that needs a token answers, and one that needs none: a wrong one is refused by both."""
    headers = {"authorization": f"Bearer {token}"}
    [status] = {ApiClient().get(path, headers=headers).status_code for path in ("/api/sources", "/api/videos")}
    return status


def test_a_token_is_kept_as_a_hash_only(user: Any) -> None:
    token = create_token(user)

    row = AuthToken.objects.get()
    assert token.startswith("gsw_")
    assert len(token) >= 64
    stored = f"{row.digest} {row.token_key}"
    assert token not in stored
    assert token[20:] not in stored


def test_a_revoked_token_is_refused_at_once(people: People) -> None:
    token = create_token(people.editor.user)
    assert ask(token) == 200

    [info] = list_tokens(people.editor.user)
    assert token.startswith(info.prefix)
    assert revoke_token(people.editor.user, info.prefix)

    assert ask(token) == 401
    assert not revoke_token(people.editor.user, info.prefix)


def test_nobody_revokes_the_token_of_another(people: People) -> None:
    token = create_token(people.editor.user)
    [info] = list_tokens(people.editor.user)

    assert not revoke_token(people.foreigner.user, info.prefix)
    assert not revoke_token(people.editor.user, "\x00")
    assert ask(token) == 200


def test_an_expired_token_is_refused_and_not_listed(people: People) -> None:
    token = create_token(people.editor.user)
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))

    assert ask(token) == 401
    assert list_tokens(people.editor.user) == []


def test_the_token_of_a_closed_account_is_refused(people: People) -> None:
    token = create_token(people.editor.user)
    people.editor.user.is_active = False
    people.editor.user.save()

    assert ask(token) == 401


def test_a_person_holds_so_many_tokens_and_expired_ones_do_not_count(user: Any) -> None:
    for _ in range(MOST_TOKENS):
        create_token(user)
    with pytest.raises(TooManyTokens):
        create_token(user)

    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))

    assert create_token(user)
    assert AuthToken.objects.count() == 1


def test_a_token_costs_one_query_beside_what_is_asked(people: People, django_assert_num_queries: Any) -> None:
    token = create_token(people.editor.user)
    client = ApiClient()
    client.get("/api/queues", headers={"authorization": f"Bearer {token}"})

    with django_assert_num_queries(2 + len(kinds.all_kinds())):  # token, paused kinds, and a count for each kind
        assert client.get("/api/queues", headers={"authorization": f"Bearer {token}"}).status_code == 200


def test_the_command_makes_lists_and_revokes(people: People) -> None:
    name = people.editor.user.username

    token = run("token", name)
    assert ask(token) == 200

    listed = run("token", name, "--list")
    prefix = listed.partition("…")[0]
    assert token.startswith(prefix)
    assert token not in listed
    assert run("token", name, "--revoke", prefix) == "Revoked."
    assert ask(token) == 401
    with pytest.raises(CommandError, match="no token"):
        run("token", name, "--revoke", prefix)


def test_the_command_knows_people_by_name_or_address() -> None:
    first, second = UserFactory.create(), UserFactory.create(email="twice@example.org")
    UserFactory.create(email="twice@example.org")
    closed = UserFactory.create(is_active=False)

    assert run("token", first.email).startswith("gsw_")
    assert run("token", second.username).startswith("gsw_")
    with pytest.raises(CommandError, match="several"):
        run("token", "twice@example.org")
    with pytest.raises(CommandError, match="no user"):
        run("token", "nobody")
    with pytest.raises(CommandError, match="not active"):
        run("token", closed.username)


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue().strip()
