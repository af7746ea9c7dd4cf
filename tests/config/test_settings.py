"""The environment, the secrets, the log lines and what answers say to browsers."""

import io
import logging
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, RequestFactory
from pytest_django import Settings

from config import engines, secrets
from config.doctor import LATER
from config.logs import LineFormatter, clean
from config.middleware import events_url
from config.supervisor import read_procfile
from tests.config.conftest import Machine


def test_every_setting_of_the_environment_is_in_the_example() -> None:
    example = set(re.findall(r"^#([A-Z_]+)=", (engines.PROJECT / ".env.example").read_text(), re.MULTILINE))
    source = (engines.PROJECT / "config" / "settings.py").read_text() + (engines.PROJECT / "config" / "engines.py").read_text()
    read = set(re.findall(r"""(?:env\.\w+|_proxy|_chosen)\(\s*"([A-Z_]+)\"""", source)) | set(
        re.findall(r"""environ\.get\("([A-Z_]+)"\)""", source)
    )
    in_procfile = set(re.findall(r"\$\{([A-Z_]+):", (engines.PROJECT / "Procfile").read_text())) - {"BIND"}

    assert read | in_procfile <= example
    assert example <= read | in_procfile | {name for names in LATER.values() for name in names}


def test_the_procfile_has_a_worker_for_every_queue() -> None:
    from config.doctor import QUEUES

    lines = read_procfile(engines.PROJECT / "Procfile")

    assert set(lines) == {"release", "web", "events", "beat", *QUEUES}
    assert all(f" -Q {queue} " in lines[queue] for queue in QUEUES)


def test_secrets_are_made_once_for_many_processes_and_kept_from_others(machine: Machine) -> None:
    code = "from config import secrets\nprint(secrets.secret_key(), secrets.field_encryption_key())"

    said = {process.communicate(timeout=120)[0] for process in [machine.python(code) for _ in range(8)]}

    assert len(said) == 1
    folder = machine.paths.data_dir / "secrets"
    assert sorted(path.name for path in folder.iterdir()) == ["field_encryption_key", "secret_key"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in [folder, *folder.iterdir()])


def test_a_secret_that_exists_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))

    assert secrets.secret_key() == secrets.secret_key()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("two\nlines", "two\\nlines"),
        ("\x1b[2Jcleared", "\\x1b[2Jcleared"),
        ("https://h/v?token=abc&x=1", "https://h/v?token=***&x=1"),
        ("X-Amz-Signature=0123abc", "X-Amz-Signature=***"),
        ("{'access_token': 'abc', 'n': 1}", "{'access_token': '***', 'n': 1}"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("redis://:secret@host:6379/0", "redis://***@host:6379/0"),
        ("password=hunter2", "password=***"),
        ("天气 🌤 keyword=猫", "天气 🌤 keyword=猫"),
        ("tokens=12 passwords are fine", "tokens=12 passwords are fine"),
    ],
)
def test_a_log_line_is_one_line_without_secrets(text: str, line: str) -> None:
    assert clean(text) == line


@pytest.mark.parametrize("part", ["a-", "token-", "a.b+", "token=", "x://", "x://a:", "Bearer "])
def test_what_a_visitor_writes_into_a_log_line_does_not_hold_the_process(part: str) -> None:
    """The line of a refused POST has its path, which may be 8 KB long: patterns that tried each place anew took seconds."""
    began = time.process_time()
    clean(part * 10_000)

    assert time.process_time() - began < 1


def test_the_facts_follow_the_sentence() -> None:
    record = logging.makeLogRecord({"msg": "Job failed", "levelname": "ERROR", "name": "jobs", "job": 7, "code": "gone\nX"})

    assert LineFormatter().format(record).endswith("ERROR jobs Job failed code=gone\\nX job=7")


@pytest.mark.parametrize(
    ("host", "is_secure", "url"),
    [
        ("localhost:8200", False, "ws://localhost:{port}/ws/events"),
        ("example.org", True, "wss://example.org:{port}/ws/events"),
        ("[::1]:8200", False, "ws://[::1]:{port}/ws/events"),
    ],
)
def test_events_are_on_the_next_port_of_the_host_one_uses(settings: Settings, host: str, is_secure: bool, url: str) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.EVENTS_URL = ""
    request = RequestFactory().get("/", secure=is_secure, headers={"host": host})

    assert events_url(request) == url.format(port=settings.PORT + 1)


@pytest.mark.django_db
def test_nobody_fills_the_disk_with_files_that_no_page_takes(settings: Settings, tmp_path: Path) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    kept: list[Path] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            kept.extend(tmp_path.iterdir())
            return super().read(size)

    boundary = b"--B\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\n%s\r\n--B--\r\n"
    client = Client(enforce_csrf_checks=True)
    client.get("/accounts/login/")
    for size, status in ((5 * 2**20, 400), (1000, 403)):  # without the form's token
        sent = boundary % (b"x" * size)
        environ: dict[str, Any] = {"CONTENT_TYPE": "multipart/form-data; boundary=B", "CONTENT_LENGTH": len(sent)}
        environ["wsgi.input"] = Watched(sent)
        assert client.post("/accounts/login/", **environ).status_code == status

    assert kept == []


@pytest.mark.django_db
def test_pages_run_no_script_but_ours_and_the_admin_has_a_policy_of_its_own(client: Client) -> None:
    page = client.get("/accounts/login/")["Content-Security-Policy"]
    admin = client.get("/admin/login/", follow=False)["Content-Security-Policy"]

    assert "script-src 'self';" in page + ";"
    assert "unsafe" not in page
    assert "connect-src 'self' ws://testserver:" in page
    assert "'unsafe-eval'" in admin  # its theme is written with Alpine.js
    for policy in (page, admin):
        assert "frame-ancestors 'none'" in policy
        assert "object-src 'none'" in policy


@pytest.mark.parametrize(
    ("origin", "is_let_in"), [("https://app.example.org", True), ("https://app.example.org.evil.example", False), ("null", False)]
)
def test_only_named_sites_may_call_the_api_and_never_with_cookies(
    client: Client, settings: Settings, origin: str, is_let_in: bool
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.org"]

    answer = client.options("/api/videos", headers={"origin": origin, "access-control-request-method": "GET"})

    assert answer.status_code == 204
    assert answer.get("Access-Control-Allow-Origin") == (origin if is_let_in else None)
    assert "Access-Control-Allow-Credentials" not in answer
    assert "Origin" in answer["Vary"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"SITE_URL": "example.org"},
        {"PORT": "many"},
        {"MEDIA_STORAGE": "ftp://x"},
        {"GEMINI_PROXY": "http://x"},
        {"DOUYIN_PROVIDER": "x"},
    ],
)
def test_a_wrong_setting_ends_the_start(machine: Machine, wrong: dict[str, str]) -> None:
    process = machine.start(sys.executable, "manage.py", "check", **wrong)

    said, _ = process.communicate(timeout=120)

    assert process.returncode != 0
    assert next(iter(wrong)) in said


def test_commands_that_need_no_database_start_none(machine: Machine) -> None:
    machine.start(sys.executable, "manage.py", "help").communicate(timeout=120)

    assert not machine.paths.cluster.exists()


def test_deployed_behind_https_every_check_is_content() -> None:
    answer = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=engines.PROJECT,
        env={**os.environ, "SITE_URL": "https://groundswell.example", "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr


def test_a_proxy_that_cannot_be_one_ends_the_start_without_showing_its_password(machine: Machine) -> None:
    process = machine.start(sys.executable, "manage.py", "check", DOUYIN_PROXY="https://me:geheim@proxy.test:3128")
    said = process.communicate(timeout=60)[0]

    assert process.returncode != 0
    assert "DOUYIN_PROXY is not a proxy's address: it must begin with http:// or socks5://" in said
    assert "geheim" not in said
