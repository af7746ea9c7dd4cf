"""The commands an operator types, as they are typed."""

import json
import re
import signal
import socket
import sys
import urllib.request

from tests.config.conftest import Machine, eventually, processes_with
from tests.sample import free_ports


def test_a_taken_port_is_named_before_anything_starts(machine: Machine) -> None:
    first, port = free_ports(2)
    with socket.create_server(("127.0.0.1", port)):
        process = machine.start(sys.executable, "manage.py", "up", PORT=str(first))
        said, _ = process.communicate(timeout=180)

    assert process.returncode == 1
    assert f"Port {port} cannot be used" in said
    assert "PORT=" in said
    assert not machine.paths.cluster.exists()


def test_everything_starts_answers_and_leaves_no_process_behind(machine: Machine) -> None:
    port = free_ports(2)[0]
    process = machine.start(sys.executable, "manage.py", "up", PORT=str(port))
    assert process.stdout is not None
    said = ""
    while "Ctrl-C stops" not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    password = re.search(r"password +(\S+)", said)
    assert password
    assert len(password[1]) >= 16

    eventually(lambda: answers(f"http://localhost:{port}/accounts/login/"), seconds=120)
    eventually(lambda: answers(f"http://localhost:{port + 1}/health/live"), seconds=120)
    doctor = machine.start(sys.executable, "manage.py", "doctor", "--json", PORT=str(port))
    levels = {finding["name"]: finding["level"] for finding in json.loads(doctor.communicate(timeout=180)[0])}
    assert levels["PostgreSQL"] == levels["Redis"] == levels["Tables"] == "ok"

    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=180)

    assert process.returncode == 0
    assert "nothing is left running" in said
    assert machine.is_quiet()
    assert processes_with(f"127.0.0.1:{port}") == {}


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_doctor_names_all_that_is_broken_and_how_to_mend_it(machine: Machine) -> None:
    broken = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "FIELD_ENCRYPTION_KEYS": "short",
        "CHROMIUM_PATH": "/bin/false",
        "MEDIA_STORAGE": f"file:{machine.paths.data_dir}/file/media",
    }
    (machine.paths.data_dir / "file").write_text("in the way")
    process = machine.start(sys.executable, "manage.py", "doctor", "--json", **broken)

    said, _ = process.communicate(timeout=180)

    findings = {finding["name"]: finding for finding in json.loads(said[said.index("[\n") :])}
    assert process.returncode == 1
    for name, mend in {
        "PostgreSQL": "DATABASE_URL",
        "Redis": "REDIS_URL",
        "Secrets": "FIELD_ENCRYPTION_KEYS",
        "Chromium": "CHROMIUM_PATH",
        "Media storage": "MEDIA_STORAGE",
    }.items():
        assert findings[name]["level"] == "broken", findings[name]
        assert mend in findings[name]["mend"]
    assert findings["ffmpeg"]["level"] == "ok"
