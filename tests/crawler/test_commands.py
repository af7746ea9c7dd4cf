from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from crawler.models import CrawlJob, MetricSnapshot, Source
from crawler.providers.errors import Blocked, Unreachable
from tests.crawler.told import told_source, video
from tests.factories import PausedKindFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_crawl_says_what_it_did_and_its_counts(told, capsys):
    told.pages = [(video(1), video(2))]
    source = told_source(value="猫")

    call_command("crawl", str(source.pk), "told:topic:new words", "told:a:b")

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "told topic 猫: ok; 1 pages; new 2, clip 2, live 1, seen 2."
    assert "told topic new words: ok" in lines[1]
    assert "told topic a:b: ok" in lines[2]
    assert Source.objects.count() == 3
    assert MetricSnapshot.objects.count() == 6


def test_crawl_tells_a_refusal_from_success_by_its_exit(told, capsys):
    told.pages = [Blocked("The platform shows a captcha.")]

    with pytest.raises(CommandError, match="1 of 1"):
        call_command("crawl", "told:x")

    assert "blocked (The platform shows a captcha.)" in capsys.readouterr().out


def test_crawl_leaves_what_will_be_tried_later_to_the_workers(told, capsys):
    told.pages = [Unreachable("No answer.")]

    with pytest.raises(CommandError):
        call_command("crawl", "told:x")

    assert "unreachable (No answer.)" in capsys.readouterr().out
    assert CrawlJob.objects.get().scheduled_at > timezone.now() + timedelta(seconds=1)


def test_crawl_does_not_look_while_crawls_are_paused(told):
    PausedKindFactory(kind="crawl")

    with pytest.raises(CommandError):
        call_command("crawl", "told:x")
    assert told.cursors == []


@pytest.mark.parametrize("text", ["999999", "9" * 40, "nobody:x", "douyin:", "x"])
def test_crawl_names_what_it_does_not_know(text):
    with pytest.raises(CommandError):
        call_command("crawl", text)


def test_topics_are_loaded_from_a_file(tmp_path, capsys):
    file = tmp_path / "topics.txt"
    file.write_text("猫\ndance\n", "utf-8")

    call_command("load_topics", str(file))
    call_command("load_topics", str(file))

    assert capsys.readouterr().out.splitlines() == ["Topics: 2, of which new: 2.", "Topics: 2, of which new: 0."]


def test_a_file_of_topics_that_cannot_be_read_is_named(tmp_path):
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")

    for file in (tmp_path / "missing", tmp_path, binary):
        with pytest.raises(CommandError, match=str(file)):
            call_command("load_topics", str(file))
    with pytest.raises(CommandError, match="workspace"):
        call_command("load_topics", str(binary), "--workspace", "nobody")
