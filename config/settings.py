"""All settings. What the outside decides comes from the environment; what staff tune lives in the database (constance)."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
import environ
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from whitenoise.compress import Compressor

from config import engines, secrets, staff_settings
from config.control_room import UNFOLD as UNFOLD
from crawler.providers import registry
from crawler.proxies import Proxy
from downloads import locations

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

DATA_DIR = engines.data_dir()
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or secrets.secret_key()
FIELD_ENCRYPTION_KEYS = env.list("FIELD_ENCRYPTION_KEYS", default=[]) or [secrets.field_encryption_key()]
PORT = env.int("PORT", default=8000)
SITE_URL = env.str("SITE_URL", default=f"http://localhost:{PORT}").rstrip("/")
_site = urlsplit(SITE_URL)
if _site.scheme not in ("http", "https") or not _site.hostname:
    raise ImproperlyConfigured(f"SITE_URL must be a full address such as https://example.org, not {SITE_URL!r}.")
IS_HTTPS = _site.scheme == "https"
_own_hosts = [_site.hostname, "localhost", "127.0.0.1"] if _site.hostname == "localhost" else [_site.hostname]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=_own_hosts)
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
# The client's address is the connection's own: X-Forwarded-For is believed for as many proxies as stand in front of us.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
EVENTS_URL = env.str("EVENTS_URL", default="")
ADMIN_PASSWORD = env.str("ADMIN_PASSWORD", default="")
WORKER_ID = env.str("WORKER_ID", default="")
POLL_INTERVAL = env.float("POLL_INTERVAL", default=10.0)
if not 0.1 <= POLL_INTERVAL <= 3600:
    raise ImproperlyConfigured(f"POLL_INTERVAL is in seconds, from 0.1 to 3600, not {POLL_INTERVAL:g}.")
LOG_LEVEL = env.str("LOG_LEVEL", default="info").upper()

INSTALLED_APPS = [
    "config",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.constance",
    "monitoring.apps.ControlRoomConfig",  # django.contrib.admin with our site
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "channels",
    "constance",
    "csp",
    "django_celery_beat",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
    "jobs",
    "workspaces",
    "crawler",
    "ranking",
    "downloads",
    "analysis",
    "monitoring",
    "catalog",
    "pages",
    "api",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.ContentPolicyMiddleware",
    "config.middleware.CrossOriginMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "workspaces.middleware.ActiveWorkspaceMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context_processors.events",
                "config.context_processors.mail",
                "config.context_processors.sign_up",
            ],
        },
    }
]

# -- database, cache, messages ---------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {"default": env.db_url_config(engines.database_url())}
DATABASES["default"] |= {
    "ENGINE": "config.postgresql" if engines.are_needed() else "django.db.backends.postgresql",
    "CONN_MAX_AGE": 60,
    "CONN_HEALTH_CHECKS": True,
}
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"] |= {
    "options": "-c statement_timeout=60000 -c lock_timeout=15000 -c idle_in_transaction_session_timeout=60000",
    "application_name": "groundswell",
    "connect_timeout": 5,  # a page must not hang with a database that does
    "prepare_threshold": 5,  # only for what asks for it (jobs/statements.py): Django's own cursors never prepare
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_redis_limits = {"socket_timeout": 4, "socket_connect_timeout": 2}
CACHES = {
    "default": {
        "BACKEND": "config.cache.SteadyCache",
        "LOCATION": engines.redis_url(1),
        "KEY_PREFIX": "groundswell",
        "OPTIONS": {"SOCKET_TIMEOUT": 1, "SOCKET_CONNECT_TIMEOUT": 1},
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [engines.redis_url(2)], "prefix": "groundswell"},
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"  # a page must not wait for a Redis that hangs

CELERY_BROKER_URL = engines.broker_url()
CELERY_BROKER_TRANSPORT_OPTIONS = {
    **_redis_limits,
    "visibility_timeout": 900,
    "unacked_restore_throttle": 1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # there are none, so beat need not clean them up
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_PUBLISH_RETRY = False  # a nudge that fails is found by the next dispatch; nobody waits for it
CELERY_TASK_TIME_LIMIT = 2700  # in process pools; beyond every job's own deadline
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 1_000_000  # KiB
CELERY_TASK_DEFAULT_QUEUE = "upkeep"
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30.0
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"

# -- people ----------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "account_login"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "workspaces.adapter.AccountAdapter"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
# One limiter for all ways in, the admin's too.
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key", "signup": "10/m/ip"}

# -- language, time, static files ------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("vi", _("Vietnamese")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = ["config.formats"]
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [*Compressor.SKIP_COMPRESS_EXTENSIONS, "map"]  # large, and read by developers only

# -- media -----------------------------------------------------------------------------------------

MEDIA_STORAGE = env.str("MEDIA_STORAGE", default="") or f"file:{DATA_DIR / 'media'}"
MEDIA_BACKUP_STORAGE = env.str("MEDIA_BACKUP_STORAGE", default="")
MEDIA_PUBLIC_URL = env.str("MEDIA_PUBLIC_URL", default="").rstrip("/")
MEDIA_LINK_SECONDS = env.int("MEDIA_LINK_SECONDS", default=3600)
MEDIA_PROXY = env.bool("MEDIA_PROXY", default=True)
TEMP_DIR = DATA_DIR / "tmp"

STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    "media": locations.storage_settings(MEDIA_STORAGE, base=BASE_DIR),
}
if MEDIA_BACKUP_STORAGE:
    STORAGES["backup"] = locations.storage_settings(MEDIA_BACKUP_STORAGE, base=BASE_DIR)
MEDIA_ORIGINS = locations.link_origins(MEDIA_STORAGE, MEDIA_PUBLIC_URL)

# -- the outside -----------------------------------------------------------------------------------


def _proxy(name: str) -> str:
    """A proxy's address as it was set; whoever starts anything learns at once when it cannot be one."""
    value = str(env.str(name, default="")).strip()
    try:
        if value:
            Proxy.parse(value)
    except ValueError as error:
        advice = "write http://user:password@host:port or socks5://user:password@host:port, or leave it empty"
        raise ImproperlyConfigured(f"{name} is not a proxy's address: {error}; {advice}.") from None
    return value


def _chosen(name: str, platform: str) -> str:
    """Who reads a platform; the first of those that can, where nobody is named."""
    known = registry.choosable(platform)
    value = str(env.str(name, default="")).strip() or known[0]
    if value not in known:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(known)}, not {value!r}.")
    return value


DOUYIN_URL = env.str("DOUYIN_URL", default="https://www.douyin.com").rstrip("/")
DOUYIN_PROVIDER = _chosen("DOUYIN_PROVIDER", "douyin")
DOUYIN_PROXY = _proxy("DOUYIN_PROXY")
TIKTOK_URL = env.str("TIKTOK_URL", default="https://www.tiktok.com").rstrip("/")
TIKTOK_PROXY = _proxy("TIKTOK_PROXY")
TIKTOK_PROVIDER = _chosen("TIKTOK_PROVIDER", "tiktok")
SCRAPECREATORS_URL = env.str("SCRAPECREATORS_URL", default="https://api.scrapecreators.com").rstrip("/")
SCRAPECREATORS_API_KEY = env.str("SCRAPECREATORS_API_KEY", default="")
SCRAPECREATORS_PROXY = _proxy("SCRAPECREATORS_PROXY")
FIRST_PAGE_SECONDS = 3.0
"""How long an answer waits for the first page of a profile that was just added. Short: it holds one of sixteen web threads."""
APIFY_URL = env.str("APIFY_URL", default="https://api.apify.com").rstrip("/")
APIFY_API_TOKEN = env.str("APIFY_API_TOKEN", default="")
APIFY_WEBHOOK_SECRET = env.str("APIFY_WEBHOOK_SECRET", default="") or secrets.apify_webhook_secret()
APIFY_SOUND_ACTOR = env.str("APIFY_SOUND_ACTOR", default="clockworks~tiktok-sound-scraper")
APIFY_PROXY = _proxy("APIFY_PROXY")
DOWNLOAD_API_URL = env.str("DOWNLOAD_API_URL", default="").rstrip("/")
DOWNLOAD_API_KEY = env.str("DOWNLOAD_API_KEY", default="")
DOWNLOAD_API_PROXY = _proxy("DOWNLOAD_API_PROXY")
COBALT_URL = env.str("COBALT_URL", default="").rstrip("/")
COBALT_API_KEY = env.str("COBALT_API_KEY", default="")
COBALT_PROXY = _proxy("COBALT_PROXY")
GEMINI_URL = env.str("GEMINI_URL", default="https://generativelanguage.googleapis.com").rstrip("/")
GEMINI_API_KEY = env.str("GEMINI_API_KEY", default="")
GEMINI_MODEL = env.str("GEMINI_MODEL", default="gemini-3.5-flash-lite")
GEMINI_PROXY = _proxy("GEMINI_PROXY")
YTDLP_PROXY = _proxy("YTDLP_PROXY")
CHROMIUM_PATH = env.str("CHROMIUM_PATH", default="")
FETCH_ALLOWED_HOSTS = env.list("FETCH_ALLOWED_HOSTS", default=[])

vars().update(env.email_url("EMAIL_URL", default="consolemail://"))

# -- security --------------------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS
SESSION_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_TRUSTED_ORIGINS = [SITE_URL] if IS_HTTPS else []
X_FRAME_OPTIONS = "DENY"
FILE_UPLOAD_HANDLERS = ["config.uploads.SmallUploadHandler"]
_base_policy = {
    "default-src": [SELF],
    "img-src": [SELF, "data:", *MEDIA_ORIGINS],
    "media-src": [SELF, "blob:", *MEDIA_ORIGINS],
    "connect-src": [SELF],  # and the events' address: config/middleware.py
    "object-src": [NONE],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}
CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**_base_policy, "script-src": [SELF], "style-src": [SELF]}}
ADMIN_CONTENT_POLICY = {
    **_base_policy,
    "script-src": [SELF, UNSAFE_EVAL],  # the theme is written with Alpine.js
    "style-src": [SELF, UNSAFE_INLINE],
}

# -- API -------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "api.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["api.renderers.Renderer"],
    "DEFAULT_PARSER_CLASSES": ["api.parsers.StrictJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["api.throttles.PerMinute"],
    "DEFAULT_SCHEMA_CLASS": "api.schema.Schema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "api.errors.answer",
    "NUM_PROXIES": TRUSTED_PROXIES,
    "URL_FORMAT_OVERRIDE": None,
}
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_TTL": timedelta(days=365), "TOKEN_PREFIX": "gsw_"}
SPECTACULAR_SETTINGS = {
    "TITLE": "Groundswell API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/",
    "COMPONENT_SPLIT_REQUEST": True,
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 2**63 - 1}},
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "VideoKind": "crawler.models.VideoKind",
        "SourceKind": "crawler.models.SourceKind",
        "SourcePlatform": "crawler.providers.registry.choices",
        "ProfilePlatform": ["tiktok", "douyin"],
        "SourceOutcome": "crawler.models.Outcome",
        "DownloadStatus": ["pending", "queued", "downloading", "ready", "error"],
        "PictureState": ["ready", "pending", "failed", "removed", "none"],
        "ReadingStatus": ["none", "queued", "running", "done", "refused", "cut_off", "failed"],
        "BulkReadingStatus": ["none", "queued", "running", "done", "refused", "cut_off", "failed", "error"],
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
}

# -- logging ---------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "config.logs.LineFormatter"}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"}},
    "root": {"handlers": ["stdout"], "level": LOG_LEVEL},
    "loggers": {
        "django.request": {"level": "ERROR"},  # a visitor's 404 is nobody's work
        "django.security.DisallowedHost": {"level": "ERROR"},
        "django.db.backends": {"level": "INFO"},  # every statement is too much even for LOG_LEVEL=debug
        "asyncio": {"level": "INFO"},
        "constance": {"level": "WARNING"},
        "botocore": {"level": "WARNING"},
        "azure": {"level": "WARNING"},
    },
}

# -- what staff tune -------------------------------------------------------------------------------

CONSTANCE_BACKEND = "constance.backends.database.DatabaseBackend"
CONSTANCE_ADDITIONAL_FIELDS = staff_settings.FIELDS
CONSTANCE_CONFIG = staff_settings.SETTINGS
CONSTANCE_CONFIG_FIELDSETS = staff_settings.FIELDSETS
