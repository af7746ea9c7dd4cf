"""Starts everything on this machine and minds it until it is told to stop."""

import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from config import engines, preparation, sample
from config.supervisor import Program, Supervisor, read_procfile
from workspaces.models import first_workspace

DRAIN_SECONDS = 60.0
WEB_SECONDS = 180.0
SAMPLE_SECONDS = 600.0  # a first start makes its videos


class Command(BaseCommand):
    help = "Starts the web, the events, a worker per queue and the beat; with --sample, the sample platform too."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sample", action="store_true", help="watch the sample platform instead of the real ones")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        signal.signal(signal.SIGTERM, _exit_politely)
        is_sample = bool(options["sample"])
        ports = range(settings.PORT, settings.PORT + (4 if is_sample else 2))
        refuse_taken_ports(ports)
        if engines.are_needed():
            self.step("PostgreSQL and Redis" if engines.owns_database() else "Redis", engines.use)
        try:
            admin = self.prepare()
            supervisor = self.supervise(is_sample)
            try:
                self.wait_for_answers(supervisor, is_sample, admin, started)
                supervisor.run_until()
                supervisor.say("stopping: running work is finished or handed back (60 s at most; once more to hurry)")
            finally:
                supervisor.shut_down()
        except KeyboardInterrupt:
            raise SystemExit(130) from None
        finally:
            connections.close_all()
            engines.release()
        self.stdout.write("Stopped; nothing is left running.")

    def step(self, what: str, work: Callable[[], Any]) -> Any:
        self.stdout.write(f"{self.style.MIGRATE_HEADING('==>')} {what} … ", ending="")
        self.stdout.flush()
        begun = time.monotonic()
        try:
            result = work()
        except engines.EngineError as exc:
            self.stdout.write("")
            raise CommandError(str(exc)) from exc
        self.stdout.write(f"{time.monotonic() - begun:.1f} s")
        return result

    def prepare(self) -> preparation.Admin:
        with preparation.one_at_a_time():
            self.step("tables", preparation.migrate)
            self.step("seeds", preparation.seed)
            admin: preparation.Admin = preparation.ensure_admin()
            self.step("static files", preparation.collect_static)
            if hindrance := self.step("media storage", preparation.ready_media):
                self.stdout.write(self.style.WARNING(f"    {hindrance} Downloads wait for it."))
        return admin

    def supervise(self, is_sample: bool) -> Supervisor:
        supervisor = Supervisor(programs(is_sample), cwd=engines.PROJECT, out=sys.stdout, drain_seconds=DRAIN_SECONDS)
        supervisor.handle_signals()
        return supervisor

    def wait_for_answers(self, supervisor: Supervisor, is_sample: bool, admin: preparation.Admin, started: float) -> None:
        port = settings.PORT
        deadline = time.monotonic() + WEB_SECONDS
        web = Patience(f"http://127.0.0.1:{port}/health/live", deadline)
        if not supervisor.run_until(web.is_over):
            return
        supervisor.start_late()
        if not web.has_answered:
            supervisor.say(f"the web does not answer after {WEB_SECONDS:.0f} s; its own lines say why")
        self.introduce(supervisor, is_sample, admin, time.monotonic() - started)
        if is_sample:
            site = Patience(f"http://127.0.0.1:{port + 2}/control/health", time.monotonic() + SAMPLE_SECONDS)
            if supervisor.run_until(site.is_over) and site.has_answered:
                watch_sample(supervisor)

    def introduce(self, supervisor: Supervisor, is_sample: bool, admin: preparation.Admin, seconds: float) -> None:
        port = settings.PORT
        lines = [
            ("Groundswell", settings.SITE_URL + "/"),
            ("Admin", f"{settings.SITE_URL}/admin/"),
            ("  name", admin.name or "-"),
            ("  password", admin.password or admin.note),
            ("Events", settings.EVENTS_URL or f"ws://localhost:{port + 1}/ws/events"),
        ]
        if admin.password:
            lines.insert(4, ("", admin.note))
        if is_sample:
            lines.append(("Sample site", f"http://localhost:{port + 2}/  (faults: /control)"))
        lines += [("Data", str(settings.DATA_DIR)), ("Ready after", f"{seconds:.0f} s; Ctrl-C stops")]
        width = max(len(name) for name, _ in lines)
        rule = "─" * (width + 3 + max(len(value) for _, value in lines))
        for line in [rule, *(f"{name:<{width}}   {value}" for name, value in lines), rule]:
            supervisor.say(line)


class Patience:
    """Asks an address until it answers or the time is up."""

    def __init__(self, url: str, deadline: float) -> None:
        self.url = url
        self.deadline = deadline
        self.has_answered = False
        self._next = 0.0

    def is_over(self) -> bool:
        now = time.monotonic()
        if self.has_answered or now > self.deadline:
            return True
        if now < self._next:
            return False
        self._next = now + 0.3
        try:
            urllib.request.urlopen(self.url, timeout=2).close()
            self.has_answered = True
        except urllib.error.HTTPError:
            self.has_answered = True  # that is all we ask
        except OSError:
            pass
        return self.has_answered


def programs(is_sample: bool) -> list[Program]:
    """The Procfile's processes, and the sample platform in front of them."""
    port = settings.PORT
    binaries = Path(sys.executable).parent
    env = {
        "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PORT": str(port),
        "DATA_DIR": str(settings.DATA_DIR),
        # On a laptop nobody else is let in; behind a real address the proxy may live elsewhere.
        "BIND": os.environ.get("BIND") or ("127.0.0.1" if urlsplit(settings.SITE_URL).hostname == "localhost" else "0.0.0.0"),
    }
    found = []
    if is_sample:
        env |= sample.environment(port)
        found.append(sample.program(port, env))
    lines = read_procfile(engines.PROJECT / "Procfile")
    found += [
        Program(name=name, command=line, env=env, starts_late=name != "web") for name, line in lines.items() if name != "release"
    ]
    return found


def refuse_taken_ports(ports: range) -> None:
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do; a listener is still an error
            try:
                probe.bind(("0.0.0.0", port))
            except OSError as exc:
                first, last = ports[0], ports[-1]
                raise CommandError(
                    f"Port {port} cannot be used ({exc.strerror}). Groundswell needs the ports {first} to {last}; "
                    f"choose others with PORT, for example: PORT={first + 100} make run"
                ) from exc


def watch_sample(supervisor: Supervisor) -> None:
    new, total = sample.watch(settings.PORT, first_workspace())
    connections.close_all()
    supervisor.say(f"{total} sources are watched{', the first look is under way' if new else ''}")


def _exit_politely(*_: object) -> None:
    raise KeyboardInterrupt
