"""What may be deleted goes with all that belongs to it; what the audit trail needs stays."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken

from crawler.models import CrawlJob, Source
from tests.factories import (
    CrawlJobFactory,
    DownloadJobFactory,
    DownloadRequestFactory,
    SourceFactory,
    UserFactory,
    WorkspaceFactory,
)
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/auth/user/"


def delete(client, row):
    """The question's page, after it was answered with yes."""
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_delete", args=[row.pk])
    page = client.get(url).content.decode()
    client.post(url, {"post": "yes"})
    return page


def delete_many(client, model, *rows, **more):
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    chosen = {"action": "delete_selected", ACTION_CHECKBOX_NAME: [row.pk for row in rows], **more}
    return client.post(url, chosen, follow=True).content.decode()


@pytest.mark.parametrize("whole", [Source, Workspace])
def test_what_has_worked_is_deleted_with_its_jobs(staff_client, whole):
    source = SourceFactory(looked_at=True)
    CrawlJobFactory(source=source, completed=True)
    other = CrawlJobFactory(completed=True)

    page = delete(staff_client, source if whole is Source else source.workspace)

    assert "Crawls: 1" in page
    assert not Source.objects.filter(pk=source.pk).exists()
    assert list(CrawlJob.objects.all()) == [other]


def test_many_sources_that_have_worked_are_deleted_at_once(staff_client):
    jobs = [CrawlJobFactory(completed=True), CrawlJobFactory(failed=True)]

    delete_many(staff_client, Source, *(job.source for job in jobs), post="yes")

    assert not Source.objects.exists()


def test_the_question_counts_all_and_lists_some(staff_client):
    source = SourceFactory()
    CrawlJobFactory.create_batch(25, source=source, completed=True)

    page = delete(staff_client, source)

    assert "Crawls: 25" in page
    assert page.count("/admin/crawler/crawljob/") <= 22
    assert "… and 5 more." in page


def test_who_may_not_delete_a_source_does_not(staff):
    source = CrawlJobFactory(completed=True).source
    person = UserFactory(is_staff=True)
    person.user_permissions.add(*Permission.objects.filter(codename__in=["view_source", "change_source"]))
    client = Client()
    client.force_login(person)

    assert client.post(reverse("admin:crawler_source_delete", args=[source.pk]), {"post": "yes"}).status_code == 403
    delete_many(client, Source, source, post="yes")
    assert Source.objects.filter(pk=source.pk).exists()


def test_a_job_by_itself_is_not_deleted(staff_client):
    job = CrawlJobFactory(completed=True)

    assert staff_client.post(reverse("admin:crawler_crawljob_delete", args=[job.pk]), {"post": "yes"}).status_code == 403


def test_a_person_who_only_downloaded_is_deleted(staff_client):
    person = UserFactory()
    DownloadRequestFactory(user=person, job=DownloadJobFactory())

    delete(staff_client, person)

    assert not User.objects.filter(pk=person.pk).exists()


def test_a_person_in_the_audit_trail_stays_and_is_made_inactive_instead(staff_client):
    person = UserFactory(username="lin")
    LogEntry.objects.create(user=person, action_flag=CHANGE, object_repr="a thing")

    form = staff_client.get(f"{PEOPLE}{person.pk}/change/").content.decode()
    answer = staff_client.post(f"{PEOPLE}{person.pk}/delete/", {"post": "yes"})
    listed = delete_many(staff_client, User, person, UserFactory())
    delete_many(staff_client, User, person, post="yes")

    assert f"{PEOPLE}{person.pk}/delete/" not in form
    assert "Uncheck Active instead" in form
    assert answer.status_code == 403
    assert "lin has entries in the audit trail: uncheck Active instead." in listed
    assert LogEntry.objects.filter(user=person).exists()


def test_an_empty_workspace_is_deleted(staff_client):
    workspace = WorkspaceFactory()

    delete(staff_client, workspace)

    assert not Workspace.objects.filter(pk=workspace.pk).exists()


@pytest.mark.parametrize("whole", ["token", "person"])
def test_a_token_is_named_by_its_beginning_and_its_owner(staff_client, whole):
    token, _plain = AuthToken.objects.create(user=UserFactory(username="lin"))
    row = token if whole == "token" else token.user
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_delete", args=[row.pk])

    page = staff_client.get(url).content.decode()
    assert f"{token.token_key[:8]}… (lin)" in page
    assert f"{token.digest} :" not in page
    staff_client.post(url, {"post": "yes"})

    assert not AuthToken.objects.exists()
    assert token.digest not in "".join(entry.object_repr for entry in LogEntry.objects.all())
