"""A process that nudges when told to: a line in is a call, a line out says what it returned and how long it took."""

import json
import sys
import time


def main() -> None:
    from jobs import nudge

    nudge.REST_SECONDS = 3600.0  # until it is told to forget, however slow this machine is
    for line in sys.stdin:
        word, answer, start = line.strip(), None, time.monotonic()
        if word == "nudge":
            answer = nudge.send("chore")
        elif word == "received":
            nudge.received("chore")
        elif word == "forget":  # as if the rest after a failure were over
            nudge._rest_until = 0.0
        sys.stdout.write(json.dumps({"answer": answer, "seconds": time.monotonic() - start}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    import django

    django.setup()
    main()
