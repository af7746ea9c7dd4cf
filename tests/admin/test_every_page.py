"""Each list and form of the admin opens, in a number of queries that does not grow with its rows."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule
from factory.django import DjangoModelFactory
from knox.models import AuthToken

from monitoring.models import Part, UnclaimedObject
from tests import factories

pytestmark = pytest.mark.django_db
ROWS = 24
MOST_QUERIES = 30


def _log_entry(number):
    user = factories.UserFactory()
    return LogEntry.objects.create(user=user, action_flag=CHANGE, object_repr=f"thing {number}")


def _part(number):
    return Part.objects.create(
        name=f"part{number}", level="ok", sentence="Fine.", facts={"a": 1}, checked_at=timezone.now(), since=timezone.now()
    )


MAKERS = {
    "auth.group": lambda number: Group.objects.create(name=f"group {number}"),
    "account.emailaddress": lambda number: apps.get_model("account.EmailAddress").objects.create(
        user=factories.UserFactory(), email=f"someone{number}@example.org"
    ),
    "knox.authtoken": lambda number: AuthToken.objects.create(user=factories.UserFactory(), expiry=timedelta(days=1))[0],
    "admin.logentry": _log_entry,
    "monitoring.part": _part,
    "monitoring.unclaimedobject": lambda number: UnclaimedObject.objects.create(key=f"k{number}", size=1, was_released=True),
    "django_celery_beat.intervalschedule": lambda number: IntervalSchedule.objects.create(every=number + 1, period="days"),
    "django_celery_beat.crontabschedule": lambda number: CrontabSchedule.objects.create(minute=str(number)),
    "jobs.pausedkind": lambda number: factories.PausedKindFactory(kind=f"kind{number}"),
    "crawler.providerpause": lambda number: factories.ProviderPauseFactory(provider=f"provider{number}"),
    "crawler.browsersession": lambda number: factories.BrowserSessionFactory(platform=f"platform{number}"),
}
FACTORIES: list[Any] = [
    made for made in vars(factories).values() if isinstance(made, type) and issubclass(made, DjangoModelFactory)
]
BY_FACTORY = {factory._meta.model._meta.label_lower: factory for factory in FACTORIES if factory._meta.model}
MODELS = sorted(model._meta.label_lower for model in admin.site._registry if model._meta.label_lower != "constance.config")


def make(label, number):
    if label in MAKERS:
        return MAKERS[label](number)
    return BY_FACTORY[label]()


def address(label, page, *args):
    return reverse(f"admin:{label.replace('.', '_')}_{page}", args=args)


def count_queries(client, url):
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    assert response.status_code == 200, url
    return len(queries), [query["sql"] for query in queries]


@pytest.mark.parametrize("label", MODELS)
def test_a_list_opens_in_as_many_queries_with_many_rows_as_with_few(staff_client, label):
    for number in range(4):
        make(label, number)
    staff_client.get(address(label, "changelist"))  # what is read once per process is read now
    few, _sql = count_queries(staff_client, address(label, "changelist"))

    for number in range(4, ROWS):
        make(label, number)
    many, sql = count_queries(staff_client, address(label, "changelist"))

    assert many <= few, sql
    assert many <= MOST_QUERIES


@pytest.mark.parametrize("label", MODELS)
def test_a_row_opens(staff_client, label):
    row = make(label, 1)

    count, sql = count_queries(staff_client, address(label, "change", row.pk))

    assert count <= MOST_QUERIES + 10, sql


@pytest.mark.parametrize("label", MODELS)
def test_a_new_row_may_be_typed_where_people_make_them(staff_client, label, rf, staff):
    options = admin.site._registry[apps.get_model(label)]
    request = rf.get("/")
    request.user = staff

    expected = 200 if options.has_add_permission(request) else 403
    assert staff_client.get(address(label, "add")).status_code == expected


@pytest.mark.parametrize("label", MODELS)
def test_a_search_for_anything_is_an_answer(staff_client, label):
    make(label, 1)

    for words in ("猫", "' OR 1=1 --", "a\x00b", "%", "1" * 500):
        assert staff_client.get(address(label, "changelist"), {"q": words}).status_code in (200, 302)


@pytest.mark.parametrize("label", MODELS)
def test_strangers_see_nothing(client, label):
    assert client.get(address(label, "changelist")).status_code == 302

    client.force_login(factories.UserFactory())
    assert client.get(address(label, "changelist"), follow=True).status_code == 403


def test_settings_open(staff_client):
    count, _sql = count_queries(staff_client, "/admin/constance/config/")

    assert count <= MOST_QUERIES


def test_every_model_of_the_sidebar_has_its_list():
    from monitoring.navigation import GROUPS

    registered = {model._meta.label_lower for model in admin.site._registry}
    assert {label for _title, entries in GROUPS for label, _icon in entries} <= registered
