"""Models in the admin: what staff do to them is said, and remembered with what it was before."""

import re

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry

from ranking.pulse import active_models
from tests.factories import BaselineFactory, RankingModelFactory, ScoreFactory, SurgeFactory

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


def test_measures_are_shown_without_the_digits_that_nobody_reads(staff_client):
    score = ScoreFactory(virality=0.0000020551993, classic=4753415.799999998)
    everywhere = BaselineFactory(median_size=4753415.799999998, age_bucket=-1)
    young = BaselineFactory(age_bucket=1, median_rate=0.00000205)

    pages = [staff_client.get(f"/admin/ranking/score/{score.pk}/change/").content.decode()]
    pages += [staff_client.get(f"/admin/ranking/baseline/{row.pk}/change/").content.decode() for row in (everywhere, young)]
    listed = staff_client.get("/admin/ranking/baseline/").content.decode()

    assert "4,753,415.8" in pages[0]
    assert "4,753,416" in pages[1]
    assert "all ages" in pages[1]
    assert "2–6 h" in pages[2]
    assert "all ages" in listed
    assert "4,753,416" in listed
    assert not [page for page in [*pages, listed] if "00000" in page or "799999" in page]


def test_a_no_is_a_plain_word(staff_client):
    ScoreFactory()

    page = staff_client.get("/admin/ranking/score/").content.decode()

    assert "close_small" not in page
    assert "no" in [word.strip() for word in page.splitlines()]


def test_a_surges_own_page_says_its_state_in_words(staff_client):
    surge = SurgeFactory(alerted=True)

    page = staff_client.get(f"/admin/ranking/surge/{surge.pk}/change/").content.decode()

    assert "surging" in page
    assert "&#x27;open&#x27;" not in page
    assert f"surge of video {surge.video_id} since" in page


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/admin/ranking/score/", "Nothing here."),
        ("/admin/ranking/score/?q=cat", "Nothing matches: reset the filters."),
        ("/admin/ranking/score/?is_surging__exact=1", "Nothing matches: reset the filters."),
        ("/admin/crawler/source/", "Nothing here yet."),
    ],
)
def test_an_empty_list_says_what_can_be_done(staff_client, address, said):
    page = staff_client.get(address).content.decode()

    assert said in page
    assert "Create a new item" not in page


def test_a_refit_shows_how_it_did_beside_the_version_before(staff_client):
    def judged(virality, precision):
        return {"virality": {"pr_auc": virality, "precision_at_5": precision}}

    evidence = {"candidate": judged(0.7123, 0.5), "current": judged(0.6999, 0.4), "current_version": 41, "items": 312}
    refit = RankingModelFactory(origin="refit", evidence=evidence)
    shipped = RankingModelFactory()

    listed = staff_client.get(MODELS).content.decode()
    page = staff_client.get(f"{MODELS}{refit.pk}/change/").content.decode()

    assert "virality 0.712 (0.700)" in listed
    assert re.findall("<t[dh][^>]*>([^<]+)</t[dh]>", page)[-10:] == [
        *("head", "PR-AUC", "v41", "precision at 5 %", "v41"),
        *("virality", "0.712", "0.700", "0.500", "0.400"),
    ]
    assert "Of 312 videos." in page
    assert not re.search(r">\s*{}\s*<", staff_client.get(f"{MODELS}{shipped.pk}/change/").content.decode())
