"""The account page: tokens shown once, revoked at once; and the pages of allauth in our clothes."""

import re

import pytest
from constance.test import override_config
from django.test import Client

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def text_of(response):
    """On one line: how a template is broken into lines is nobody's business."""
    return " ".join(response.content.decode().split())


def link_to_revoke(page):
    found = re.search(r'href="(/account/tokens/revoke/\?prefix=[^"]+)"', page)
    assert found
    return found[1]


def test_a_token_is_shown_once_works_and_can_be_revoked(member):
    made = member.post("/account/tokens/")
    assert (made.status_code, made["Location"]) == (303, "/account/")
    response = member.get("/account/")
    page = text_of(response)
    shown = re.search(r'id="fresh-token">([^<]+)<', page)
    assert shown
    token = shown[1]
    assert "no-store" in response["Cache-Control"]

    assert token not in text_of(member.get("/account/"))
    headers = {"Authorization": f"Bearer {token}"}
    assert Client().get("/api/sources", headers=headers).status_code == 200

    assert page.count("?prefix=") == 1
    asking = text_of(member.get(link_to_revoke(page)))
    assert "Keep it" in asking
    assert Client().get("/api/sources", headers=headers).status_code == 200
    prefix = re.search(r'name="prefix" value="([^"]+)"', asking)
    assert prefix
    member.post("/account/tokens/revoke/", {"prefix": prefix[1]})
    assert Client().get("/api/sources", headers=headers).status_code == 401


def test_another_persons_token_cannot_be_revoked(member, stranger):
    link = link_to_revoke(text_of(member.post("/account/tokens/", follow=True)))
    prefix = link.partition("=")[2]

    assert "There is no such token." in text_of(stranger.get(link, follow=True))
    assert "There is no such token." in text_of(stranger.post("/account/tokens/revoke/", {"prefix": prefix}, follow=True))
    assert link in text_of(member.get("/account/"))


def test_loading_the_page_again_makes_no_other_token(member):
    shown = member.post("/account/tokens/", follow=True)
    assert shown.request["REQUEST_METHOD"] == "GET"

    member.get(shown.request["PATH_INFO"])

    assert text_of(member.get("/account/")).count("?prefix=") == 1


@pytest.mark.parametrize(
    "path", ["login/", "signup/", "logout/", "password/reset/", "password/change/", "email/", "password/reset/done/", "inactive/"]
)
def test_the_pages_of_signing_in_wear_our_clothes(client, path):
    client.force_login(UserFactory())
    if path in ("login/", "signup/"):
        client.logout()

    page = text_of(client.get(f"/accounts/{path}"))

    assert 'class="logo"' in page
    assert "<strong>Menu:</strong>" not in page
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)", page)


def test_signing_up_can_be_closed(client):
    with override_config(SIGN_UP_OPEN=False):
        page = text_of(client.get("/accounts/signup/"))

    assert "<form" not in page.split("<main")[1]


def test_a_wrong_password_is_said_where_it_was_typed(client):
    response = client.post("/accounts/login/", {"login": UserFactory().username, "password": "wrong"})

    assert "not correct" in text_of(response)


@pytest.mark.parametrize("path", ["/accounts/password/reset/", "/accounts/password/reset/done/"])
def test_no_mail_is_promised_where_none_goes_out(client, settings, path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert "mail with a link" in text_of(client.get(path))

    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    page = text_of(client.get(path))
    assert "This site sends no mail" in page
    assert "changepassword" in page
    assert "mail with a link" not in page
