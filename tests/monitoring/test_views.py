"""What watches from outside: who may know what, and what is said when things break."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from knox.models import AuthToken

from monitoring import tasks
from monitoring.models import Canary, Pulse
from tests.factories import DownloadJobFactory, SourceFactory, UserFactory, VideoFactory

pytestmark = pytest.mark.django_db


def all_well():
    for queue in ("crawl", "download", "media", "upkeep"):
        now = timezone.now()
        Canary.objects.update_or_create(queue=queue, defaults={"sent_at": now, "answered_at": now, "seconds": 0.1})
    tasks.dispatch_jobs()
    tasks.look()


def test_health_names_every_part(client):
    all_well()

    answer = client.get("/health")

    parts = answer.json()["parts"]
    assert answer.status_code == 200
    assert {"database", "redis", "upkeep", "storage", "disk", "sources", "jobs", "queue:crawl", "queue:download"} <= set(parts)
    assert parts["database"]["status"] == "ok"


def test_a_part_that_is_down_makes_it_503(client):
    all_well()
    Canary.objects.filter(queue="download").update(unanswered_since=timezone.now() - timedelta(seconds=100))

    answer = client.get("/health")

    assert answer.status_code == 503
    assert answer.json()["status"] == "down"
    assert answer.json()["parts"]["queue:download"]["status"] == "down"


def test_a_blocked_source_is_no_reason_for_503(client):
    SourceFactory(blocked=True)
    all_well()

    answer = client.get("/health")

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"


def test_facts_are_for_staff(client, staff_client):
    all_well()
    client.force_login(UserFactory())

    assert {tuple(part) for part in client.get("/health").json()["parts"].values()} == {("status",)}
    assert "milliseconds" in staff_client.get("/health").json()["parts"]["database"]["facts"]


def test_a_staff_members_token_knows_as_much(client, staff):
    _row, token = AuthToken.objects.create(user=staff)

    answer = client.get("/health", headers={"authorization": f"Bearer {token}"})

    assert {"status", "detail", "facts"} == set(answer.json()["parts"]["database"])


def test_health_without_a_database_is_json_and_tells_no_secrets(client, monkeypatch):
    def refuse(*args, **options):
        raise OperationalError("connection to server at 10.0.0.5 failed: password authentication failed")

    monkeypatch.setattr("django.db.connection.cursor", refuse)

    answer = client.get("/health")

    assert answer.status_code == 503
    assert answer.json()["parts"]["database"]["status"] == "down"
    assert b"10.0.0.5" not in answer.content


def test_live_asks_nobody(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/health/live").json() == {"status": "ok"}


def test_ready_wants_the_tables_of_this_code(client, monkeypatch):
    from monitoring import views

    assert client.get("/health/ready").status_code == 200
    monkeypatch.setattr(views, "tables_fit", lambda: False)
    assert client.get("/health/ready").status_code == 503


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready", "/metrics"])
def test_nothing_is_changed_from_outside(client, path):
    assert client.post(path).status_code == 405


def test_answers_are_never_cached(client):
    assert "no-store" in client.get("/health")["Cache-Control"]


def test_metrics_are_for_staff(client):
    client.force_login(UserFactory())

    answer = client.get("/metrics", HTTP_X_FORWARDED_FOR="127.0.0.1")

    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"


@pytest.mark.parametrize("token", ["", "nonsense", "\x00", "é", "a b", "g" * 5000])
def test_a_bad_token_opens_nothing_and_breaks_nothing(client, token):
    assert client.get("/metrics", headers={"authorization": f"Bearer {token}"}).status_code == 401


def test_metrics_speak_prometheus(staff_client):
    from prometheus_client.parser import text_string_to_metric_families

    SourceFactory(blocked=True)
    DownloadJobFactory(failed=True)
    DownloadJobFactory(completed=True)
    VideoFactory.create_batch(3)
    all_well()

    answer = staff_client.get("/metrics")

    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }
    assert samples["groundswell_jobs", "download", "failed"] == 1
    assert samples["groundswell_jobs", "completed", "download"] == 1
    assert samples["groundswell_sources", "blocked"] == 1
    assert samples["groundswell_library_videos",] == 5
    assert samples["groundswell_part_level", "database"] == 0
    assert ("groundswell_pass_seconds", "monitoring") in samples
    assert ("groundswell_disk_free_bytes", "data") in samples


def test_a_scrape_counts_no_big_table(staff_client, django_assert_max_num_queries):
    all_well()

    with django_assert_max_num_queries(15) as counted:
        staff_client.get("/metrics")

    assert not any("crawler_video" in query["sql"] for query in counted.captured_queries)


def test_metrics_before_the_first_pass_are_empty_not_broken(staff_client):
    assert Pulse.objects.count() == 0
    assert staff_client.get("/metrics").status_code == 200
