"""What `django.setup()` costs every process: `python -m benchmarks.startup`. No database is asked.

The floor is Django with minimal settings (its own contrib apps, nothing of ours), each in a fresh process.
"""

import os
import subprocess
import sys

from benchmarks.measure import p50, ratio, show, take_turns

TIMED = "import time; t = time.perf_counter(); import django; {}django.setup(); print(time.perf_counter() - t)"
MINIMAL = (
    "from django.conf import settings; settings.configure(SECRET_KEY='x', INSTALLED_APPS=["
    "'django.contrib.admin', 'django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions', "
    "'django.contrib.messages', 'django.contrib.staticfiles'], "
    "DATABASES={'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'x'}}); "
)


def seconds(code: str) -> float:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "warning"}
    answer = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    return float(answer.stdout)


def main() -> None:
    figures = take_turns(
        {"minimal settings": lambda: seconds(TIMED.format(MINIMAL)), "ours": lambda: seconds(TIMED.format(""))}, rounds=15
    )
    rows = [
        (name, f"{p50(values) * 1000:.0f}", f"{ratio(figures, name, 'minimal settings'):.2f}", reach)
        for (name, values), reach in zip(figures.items(), ("1", "≤ 1.3"), strict=True)
    ]
    show("django.setup()", [("", "p50 ms", "× floor", "reach"), *rows])


if __name__ == "__main__":
    main()
