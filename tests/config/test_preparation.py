"""What is made ready before the processes start, once and again."""

import pytest
from django.contrib.auth import get_user_model
from django_celery_beat.models import PeriodicTask
from pytest_django import Settings

from config import preparation, schedule
from config.celery import app
from config.schedule import SCHEDULE
from jobs import kinds
from workspaces.models import Membership


@pytest.mark.django_db
def test_the_first_administrator_gets_a_password_that_is_shown_once(settings: Settings) -> None:
    settings.ADMIN_PASSWORD = ""

    first = preparation.ensure_admin()
    second = preparation.ensure_admin()

    user = get_user_model().objects.get(username=first.name)
    assert first.password
    assert user.check_password(first.password)
    assert user.is_superuser
    assert (second.password, second.note) == (None, "unchanged")
    assert Membership.objects.get(user=user).is_active


@pytest.mark.django_db
def test_admin_password_decides_at_every_start(settings: Settings) -> None:
    settings.ADMIN_PASSWORD = "first-Secret-1"
    preparation.ensure_admin()
    settings.ADMIN_PASSWORD = "second-Secret-2"

    admin = preparation.ensure_admin()

    assert admin.password is None  # it is not printed: whoever set it knows it
    assert get_user_model().objects.get(username=admin.name).check_password("second-Secret-2")


@pytest.mark.django_db
def test_no_administrator_is_added_where_there_is_one(settings: Settings) -> None:
    settings.ADMIN_PASSWORD = ""
    get_user_model().objects.create_superuser("boss", password="boss-Secret-1")

    preparation.ensure_admin()

    assert list(get_user_model().objects.values_list("username", flat=True)) == ["boss"]


@pytest.mark.django_db
def test_schedules_are_seeded_once_and_what_staff_changed_stays() -> None:
    assert schedule.seed() == len(SCHEDULE)
    task = PeriodicTask.objects.get(name=SCHEDULE[0].name)
    task.enabled = False
    task.expire_seconds = 7
    task.save()

    assert schedule.seed() == 0

    task.refresh_from_db()
    assert (task.enabled, task.expire_seconds) == (False, 7)


def test_every_scheduled_task_exists_and_every_kind_has_a_worker() -> None:
    from config.doctor import QUEUES

    app.loader.import_default_modules()

    assert {periodic.task for periodic in SCHEDULE} <= set(app.tasks)
    assert {kind.queue for kind in kinds.all_kinds()} <= set(QUEUES)


@pytest.mark.django_db(transaction=True)
def test_only_one_process_prepares_at_a_time() -> None:
    import threading

    from django.db import connection

    order: list[str] = []
    inside = threading.Event()
    leave = threading.Event()

    def other() -> None:
        with preparation.one_at_a_time():
            order.append("other in")
            inside.set()
            leave.wait(10)
            order.append("other out")
        connection.close()

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(10)
    threading.Timer(0.3, leave.set).start()

    with preparation.one_at_a_time():
        order.append("we in")

    thread.join()
    assert order == ["other in", "other out", "we in"]
