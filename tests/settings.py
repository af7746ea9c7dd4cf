"""What tests change of the real settings: engines and passwords that cost little, one key space per process.

Without DATA_DIR the embedded engines of the tests lie beside those of `make run`, so that both may run at once.
"""

import os
from pathlib import Path

os.environ.setdefault("DATA_DIR", str(Path(__file__).resolve().parent.parent / "var" / "test"))

from config import engines
from config.settings import *  # noqa: F403
from config.settings import CACHES, CHANNEL_LAYERS, DATABASES, INSTALLED_APPS, STORAGES

_process = os.environ.get("PYTEST_XDIST_WORKER", "main")

FIRST_PAGE_SECONDS = 0.0  # no worker runs beside most tests
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_AUTOREFRESH = True  # files are looked for when asked for: nothing was collected
_number = int(_process.removeprefix("gw")) if _process != "main" else 0
CACHES = {
    "default": {
        **CACHES["default"],
        "LOCATION": engines.redis_url(4 + _number),  # clearing it empties a database
        "OPTIONS": {"SOCKET_TIMEOUT": 60, "SOCKET_CONNECT_TIMEOUT": 60},  # on a busy machine Redis is slow, and not away
    }
}
# A test lies idle within its transaction for as long as what it computes takes here.
DATABASES["default"]["OPTIONS"]["options"] += " -c idle_in_transaction_session_timeout=0"
CHANNEL_LAYERS["default"]["CONFIG"] = {"hosts": [engines.redis_url(2)], "prefix": f"test-{_process}"}
INSTALLED_APPS = [*INSTALLED_APPS, "tests.jobs.app"]
