"""What tests change of the real settings: cheap passwords, no manifest of static files, one key space per process."""

import os

from config import engines
from config.settings import *  # noqa: F403
from config.settings import CACHES, CHANNEL_LAYERS, STORAGES

_process = os.environ.get("PYTEST_XDIST_WORKER", "main")

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
CACHES = {"default": {**CACHES["default"], "KEY_PREFIX": f"test-{_process}"}}
CHANNEL_LAYERS["default"]["CONFIG"] = {"hosts": [engines.redis_url(2)], "prefix": f"test-{_process}"}
