"""Models in the admin: what staff do to them is said, and remembered with what it was before."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry

from ranking.pulse import active_models
from tests.factories import RankingModelFactory

pytestmark = pytest.mark.django_db
MODELS = "/admin/ranking/rankingmodel/"


def said(client, action, row):
    answer = client.post(MODELS, {"action": action, ACTION_CHECKBOX_NAME: [row.pk]}, follow=True)
    return [str(message) for message in answer.context["messages"]]


def test_making_the_active_model_active_says_that_it_is(staff_client):
    row = active_models()["views"].row

    assert said(staff_client, "make_active", row) == [f"{row} is the active model of its family already."]


def test_a_refit_without_history_says_how_much_it_takes(staff_client):
    [sentence] = said(staff_client, "refit", active_models()["views"].row)

    assert "it takes 300 observations" in sentence
    assert "30 days" in sentence


def test_an_alert_below_the_watch_is_refused(staff_client):
    row = RankingModelFactory(alert_threshold=0.5, watch_threshold=0.3)

    page = staff_client.post(f"{MODELS}{row.pk}/change/", {"alert_threshold": "0.1", "watch_threshold": "0.3", "note": ""})

    assert "An alert needs at least the chance that is watched from." in page.content.decode()
    row.refresh_from_db()
    assert row.alert_threshold == 0.5


def test_a_changed_threshold_is_remembered_with_what_it_was(staff_client):
    row = RankingModelFactory(alert_threshold=0.5, watch_threshold=0.3)

    staff_client.post(f"{MODELS}{row.pk}/change/", {"alert_threshold": "0.4", "watch_threshold": "0.3", "note": ""})

    row.refresh_from_db()
    assert row.alert_threshold == 0.4
    assert "0.5 → 0.4" in LogEntry.objects.get().get_change_message()
