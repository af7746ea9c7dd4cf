"""What chores do, in workers of the tests."""

import os
import signal
import time
from pathlib import Path

from tests.jobs.app.models import Chore, Entry


def work(chore: Chore) -> str | None:
    match chore.act:
        case "work":
            record(chore)
            return None
        case "wait":  # says that it began, then goes on until it may end
            began = Path(chore.facts["began"])
            written = began.with_name("begins")
            written.write_text(str(os.getpid()))
            written.replace(began)  # who sees the file may read it
            while not Path(chore.facts["may_end"]).exists():
                chore.report(note="waiting")
                time.sleep(0.01)
            record(chore)
            return None
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
    raise ValueError(chore.act)


def record(chore: Chore) -> None:
    """The work and the end of the job in one transaction."""
    with chore.fenced():
        Entry.objects.create(chore=chore.pk, fence=chore.fence, worker=chore.worker)
        chore.complete("done")
