"""Staff who may change people do not thereby become superusers, nor anybody above them."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.admin.test_deleting import PEOPLE, delete_many
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
ABOVE = {"is_staff": "on", "is_superuser": "on", "is_active": "on"}


@pytest.fixture
def helper():
    """Looks after people, and is no superuser."""
    person = UserFactory(is_staff=True)
    wanted = ["add_user", "change_user", "delete_user", "view_user"]
    person.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    return person


@pytest.fixture
def helping(helper):
    client = Client()
    client.force_login(helper)
    return client


def change(client, person, **fields):
    inline = {f"memberships-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL")}
    return client.post(f"{PEOPLE}{person.pk}/change/", {"username": person.username, **inline, **fields})


def test_a_helper_changes_people_but_makes_nobody_more_than_they_are(helping, helper):
    visitor = UserFactory()

    for person in (helper, visitor):
        assert change(helping, person, first_name="Mai", **ABOVE).status_code == 302
        person.refresh_from_db()
        assert (person.first_name, person.is_superuser) == ("Mai", False)
    assert not visitor.is_staff


def test_a_helper_touches_no_superuser(helping, staff):
    before = User.objects.filter(pk=staff.pk).values().get()
    passwords = {"password1": "another-one-4711", "password2": "another-one-4711", "usable_password": "true"}

    assert change(helping, staff, first_name="Mai").status_code == 403
    assert helping.post(f"{PEOPLE}{staff.pk}/password/", passwords).status_code == 403
    assert helping.post(f"{PEOPLE}{staff.pk}/delete/", {"post": "yes"}).status_code == 403
    delete_many(helping, User, staff, post="yes")

    assert User.objects.filter(pk=staff.pk).values().get() == before


def test_a_superuser_makes_superusers(staff_client):
    person = UserFactory()

    assert change(staff_client, person, **ABOVE).status_code == 302
    person.refresh_from_db()
    assert person.is_superuser
