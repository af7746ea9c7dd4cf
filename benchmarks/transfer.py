"""What the benchmarks of moving bytes share: a file server that costs next to nothing, and work measured in its own process."""

import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


def serve(listener: socket.socket, path: Path) -> None:
    """Answer every request on a connection with the file, by sendfile."""
    size = path.stat().st_size
    head = f'HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nETag: "{size}"\r\nContent-Type: video/mp4\r\n\r\n'.encode()

    def handle(connection: socket.socket) -> None:
        with connection, suppress(OSError), path.open("rb") as file:
            rest = b""
            while True:
                while b"\r\n\r\n" not in rest:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    rest += piece
                rest = rest.partition(b"\r\n\r\n")[2]
                connection.sendall(head)
                sent = 0
                while sent < size:
                    sent += os.sendfile(connection.fileno(), file.fileno(), sent, size - sent)

    while True:
        connection, _address = listener.accept()
        threading.Thread(target=handle, args=[connection], daemon=True).start()


@contextmanager
def running_server(path: Path) -> Iterator[str]:
    """A file server in a child process; yields its address, at which every path is the file."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        port = listener.getsockname()[1]
        child = os.fork()
        if child == 0:
            try:
                serve(listener, path)
            finally:
                os._exit(0)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def measured(module: str, *arguments: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    """Run `python -m module --child …` and return what its `report` said."""
    command = [sys.executable, "-m", module, "--child", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **(env or {})})
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def setup_bare() -> None:
    """Just the settings that moving bytes needs, and no apps: a worker's own memory would hide what the bytes cost."""
    from django.conf import settings

    from downloads.locations import storage_settings

    media = storage_settings(os.environ.get("MEDIA_STORAGE", "file:/nonexistent"), base=Path.cwd())
    settings.configure(
        USE_I18N=False, FETCH_ALLOWED_HOSTS=os.environ["FETCH_ALLOWED_HOSTS"].split(","), STORAGES={"media": media}
    )


def report(work: Callable[[], Any]) -> None:
    """In the child: do the work, and say on stdout what it took. Peak memory includes the interpreter's own."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figures = {"seconds": seconds, "cpu": cpu, "base_mb": before.ru_maxrss / 1024, "peak_mb": after.ru_maxrss / 1024}
    sys.stdout.write(json.dumps(figures))


def of_children(command: list[str]) -> dict[str, float]:
    """Wall and processor time of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"seconds": seconds, "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}
