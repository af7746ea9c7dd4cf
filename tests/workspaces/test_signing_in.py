"""One way in, for everybody: what it tells, how often it may be tried, and that it works without Redis."""

import re
from typing import Any

import pytest
from constance.test import override_config
from django.core.cache import cache, caches
from django.urls import reverse

from config.cache import SteadyCache
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"


def try_in(client, login, password="wrong", **headers):
    return client.post(LOGIN, {"login": login, "password": password}, **headers)


def said(response):
    """The page without what differs at every request."""
    return re.sub(rb'(csrfmiddlewaretoken" value=")[^"]*|value="[^"]*"', b"", response.content)


def test_signing_up_signs_in_and_gives_a_workspace(client):
    words = "a rather long passphrase"

    response = client.post("/accounts/signup/", {"username": "mai", "password1": words, "password2": words})

    assert response.status_code == 302
    assert client.session["_auth_user_id"]
    from workspaces.models import Membership

    assert Membership.objects.get(user__username="mai").workspace.name == "mai’s workspace"


def test_what_a_password_must_be_is_said_as_a_list_within_the_help(client):
    page = client.get("/accounts/signup/").content.decode()

    assert re.search(r'<div class="help" id="id_password1_helptext"><ul>.*</ul></div>', page, re.DOTALL)


@pytest.mark.parametrize("path", [LOGIN, "/accounts/signup/", "/accounts/password/reset/"])
def test_the_link_to_sign_in_keeps_where_somebody_was_going_and_does_not_lead_to_itself(client, path):
    assert f'href="{LOGIN}?next=/sources/%3Fkind%3Dtopic"' in client.get(path, {"next": "/sources/?kind=topic"}).content.decode()
    assert f'href="{LOGIN}?next=/"' in client.get(path).content.decode()
    assert f'href="{LOGIN}?next=/surging/"' in client.get("/surging/").content.decode()


def test_a_closed_sign_up_says_so_and_makes_nobody(client, django_user_model):
    words = "a rather long passphrase"

    assert "/accounts/signup/" in client.get(LOGIN).content.decode()

    with override_config(SIGN_UP_OPEN=False):
        assert "/accounts/signup/" not in client.get(LOGIN).content.decode(), "a way that is closed is not offered"
        shown = client.get("/accounts/signup/")
        client.post("/accounts/signup/", {"username": "mai", "password1": words, "password2": words})

    assert "closed" in shown.content.decode().lower()
    assert not django_user_model.objects.filter(username="mai").exists()


def test_unknown_people_and_wrong_passwords_get_the_same_answer(client):
    UserFactory(username="known")

    known, unknown = try_in(client, "known"), try_in(client, "unknown")

    assert known.status_code == unknown.status_code == 200
    assert said(known) == said(unknown)


def test_guessing_stops_after_five_wrong_passwords_even_with_the_right_one(client):
    UserFactory(username="known")
    for _ in range(5):
        try_in(client, "known")

    response = try_in(client, "known", PASSWORD)

    assert response.status_code == 200
    assert "_auth_user_id" not in client.session


def test_a_forged_address_does_not_open_new_tries(client):
    for number in range(12):
        try_in(client, f"person{number}", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}", HTTP_X_REAL_IP=f"203.0.113.{number}")
    UserFactory(username="known")

    try_in(client, "known", PASSWORD, HTTP_X_FORWARDED_FOR="198.51.100.1")

    assert "_auth_user_id" not in client.session


def test_behind_a_trusted_proxy_each_visitor_counts_alone(client, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for number in range(12):
        try_in(client, f"person{number}", HTTP_X_FORWARDED_FOR="203.0.113.9")
    UserFactory(username="known")

    try_in(client, "known", PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.10")

    assert "_auth_user_id" in client.session


def test_a_visitor_who_comes_around_the_proxy_gets_an_answer(client, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2

    assert try_in(client, "nobody", HTTP_X_FORWARDED_FOR="203.0.113.9").status_code == 200


@pytest.fixture
def _without_redis(monkeypatch):
    """The cache's Redis is at an address where nobody listens."""
    steady: Any = caches["default"]
    monkeypatch.setattr(steady, "_client", None)
    monkeypatch.setattr(steady, "_server", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(SteadyCache, "rest_until", 0.0)
    yield
    steady.own.clear()
    monkeypatch.setattr(steady, "_client", None)


@pytest.mark.usefixtures("_without_redis")
def test_signing_in_works_without_redis(client):
    UserFactory(username="known")

    assert try_in(client, "known", PASSWORD).status_code == 302


@pytest.mark.usefixtures("_without_redis")
def test_guessing_is_limited_without_redis(client):
    UserFactory(username="known")
    for _ in range(5):
        try_in(client, "known")

    try_in(client, "known", PASSWORD)

    assert "_auth_user_id" not in client.session


@pytest.mark.usefixtures("_without_redis")
def test_the_cache_keeps_its_promises_without_redis():
    assert cache.add("key", 1)
    assert not cache.add("key", 2)
    assert cache.incr("key") == 2
    assert cache.get_many(["key", "other"]) == {"key": 2}
    assert cache.get_or_set("other", lambda: 3) == 3
    cache.delete("key")
    assert cache.get("key", "gone") == "gone"


def test_the_admin_signs_in_where_everybody_does_and_comes_back(client):
    UserFactory(username="boss", staff=True)
    wanted = "/admin/monitoring/part/?level__exact=down"

    first = client.get(wanted, follow=True)
    assert first.redirect_chain[-1][0].startswith(LOGIN)
    assert b"<form" in first.content
    address = first.redirect_chain[-1][0]
    second = client.post(address, {"login": "boss", "password": PASSWORD, "next": wanted})

    assert second["Location"] == wanted


@pytest.mark.parametrize("path", ["/admin/login/?next=//evil.example/", "/admin/login/?next=https://evil.example/"])
def test_the_admins_sign_in_leads_nowhere_else(client, path):
    assert "evil.example/" not in client.get(path)["Location"].removeprefix(LOGIN + "?next=%2Fadmin%2Flogin%2F")


def test_who_is_signed_in_and_not_staff_is_refused(client):
    client.force_login(UserFactory())

    assert client.get("/admin/", follow=True).status_code == 403


def test_a_password_sent_to_the_admins_own_form_signs_nobody_in(client):
    UserFactory(username="boss", staff=True)

    response = client.post("/admin/login/", {"username": "boss", "password": PASSWORD})

    assert response.status_code == 302
    assert "_auth_user_id" not in client.session


def test_signing_out_of_the_admin_needs_a_post(staff_client):
    assert staff_client.get(reverse("admin:logout")).status_code == 405
    assert staff_client.post(reverse("admin:logout")).status_code == 302
    assert "_auth_user_id" not in staff_client.session


def test_the_admin_changes_passwords_where_everybody_does(staff_client):
    assert staff_client.get(reverse("admin:password_change"))["Location"] == reverse("account_change_password")
