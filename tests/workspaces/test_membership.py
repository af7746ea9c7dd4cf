"""Who works where: everybody has a workspace, one at a time is active, and nobody enters another's."""

import threading

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.factories import PASSWORD, MembershipFactory, UserFactory, WorkspaceFactory
from workspaces.models import Membership, Role, active_membership, first_workspace
from workspaces.services import ensure_membership

pytestmark = pytest.mark.django_db


def test_signing_in_without_a_workspace_gives_one_of_their_own(client):
    user = UserFactory(username="小明 & co")

    client.force_login(user)
    client.force_login(user)

    membership = Membership.objects.get(user=user)
    assert membership.role == Role.OWNER
    assert membership.is_active
    assert membership.workspace.members.count() == 1


@pytest.mark.parametrize(("is_superuser", "role"), [(True, Role.OWNER), (False, Role.EDITOR)])
def test_staff_join_the_first_workspace(client, is_superuser, role):
    user = UserFactory(is_staff=True, is_superuser=is_superuser)

    client.force_login(user)

    membership = Membership.objects.get(user=user)
    assert membership.workspace == first_workspace()
    assert membership.role == role


def test_an_invited_person_gets_no_second_workspace(client):
    user = MembershipFactory(is_active=False, role=Role.VIEWER).user

    client.force_login(user)

    assert Membership.objects.filter(user=user).count() == 1


def test_the_oldest_membership_becomes_active_where_none_is():
    user = UserFactory()
    oldest = MembershipFactory(user=user, is_active=False)
    MembershipFactory(user=user, is_active=False)

    assert active_membership(user) == oldest
    oldest.refresh_from_db()
    assert oldest.is_active


def test_strangers_have_no_membership():
    assert active_membership(AnonymousUser()) is None


def test_a_person_has_one_active_workspace():
    user = MembershipFactory().user

    with pytest.raises(IntegrityError), transaction.atomic():
        MembershipFactory(user=user, is_active=True)


@pytest.mark.parametrize(("role", "may_edit"), [(Role.OWNER, True), (Role.EDITOR, True), (Role.VIEWER, False)])
def test_viewers_may_not_edit(role, may_edit):
    assert MembershipFactory(role=role).may_edit is may_edit


def test_switching_changes_the_active_workspace_and_goes_back_where_one_was(client):
    user = MembershipFactory().user
    other = MembershipFactory(user=user, is_active=False)
    client.force_login(user)

    response = client.post(reverse("switch_workspace", args=[other.workspace_id]), {"next": "/sources/"})

    assert response.status_code == 302
    assert response["Location"] == "/sources/"
    assert active_membership(user) == other


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_switching_leads_nowhere_else(client, elsewhere):
    membership = MembershipFactory()
    client.force_login(membership.user)

    response = client.post(reverse("switch_workspace", args=[membership.workspace_id]), {"next": elsewhere})

    assert response["Location"] == "/"


def test_nobody_switches_into_a_workspace_they_are_not_in(client):
    mine, foreign = MembershipFactory(), WorkspaceFactory()
    client.force_login(mine.user)

    response = client.post(reverse("switch_workspace", args=[foreign.pk]))

    assert response.status_code == 404
    assert active_membership(mine.user) == mine


def test_switching_needs_a_post_a_person_and_a_csrf_token():
    membership = MembershipFactory()
    address = reverse("switch_workspace", args=[membership.workspace_id])
    signed_in, strict = Client(), Client(enforce_csrf_checks=True)
    signed_in.force_login(membership.user)
    strict.force_login(membership.user)

    assert signed_in.get(address).status_code == 405
    assert Client().post(address).status_code == 302
    assert strict.post(address).status_code == 403


def test_a_request_asks_for_its_workspace_once_and_only_if_used(client, django_assert_num_queries, rf):
    from workspaces.middleware import ActiveWorkspaceMiddleware, membership_of

    membership = MembershipFactory()
    request = rf.get("/")
    request.user = membership.user

    with django_assert_num_queries(0):
        ActiveWorkspaceMiddleware(lambda request: HttpResponse())(request)
    with django_assert_num_queries(1):
        assert request.membership == membership
        assert request.workspace == membership.workspace
        assert membership_of(request) == membership


@pytest.mark.django_db(transaction=True)
def test_two_switches_at_once_leave_one_active_workspace():
    user = MembershipFactory().user
    memberships = [MembershipFactory(user=user, is_active=False) for _ in range(4)]
    start, errors = threading.Barrier(4), []

    def switch(membership):
        try:
            start.wait()
            for _ in range(10):
                membership.activate()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=switch, args=[membership]) for membership in memberships]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert Membership.objects.filter(user=user, is_active=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_sign_ins_at_once_give_one_workspace():
    user = UserFactory()
    start, errors = threading.Barrier(4), []

    def sign_in():
        try:
            start.wait()
            ensure_membership(user)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=sign_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert Membership.objects.filter(user=user).count() == 1


def test_the_password_of_the_factory_is_the_one_it_says(client):
    assert client.login(username=UserFactory().username, password=PASSWORD)
