"""What watches from outside: is it up, may it get traffic, how is each part, how many of everything."""

from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from knox.auth import TokenAuthentication
from prometheus_client import CONTENT_TYPE_LATEST
from rest_framework.exceptions import AuthenticationFailed

from monitoring import health, metrics
from monitoring.models import Level


@never_cache
@require_safe
def overall(request: HttpRequest) -> JsonResponse:
    """The state of every part; 503 when one is down. Sentences and facts (numbers, names of machines) only for staff."""
    findings = health.report()
    may_know = is_staff(request)
    parts: dict[str, Any] = {}
    for finding in findings:
        parts[finding.name] = {"status": finding.level}
        if may_know:
            parts[finding.name] |= {"detail": finding.sentence, "facts": finding.facts}
    status = health.worst(finding.level for finding in findings)
    return JsonResponse({"status": status, "parts": parts}, status=503 if status is Level.DOWN else 200)


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers. Asks nobody else: a restart would not mend them."""
    return JsonResponse({"status": Level.OK})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """May get traffic: the database answers, and its tables are those of this code."""
    finding = health.check_database()
    if finding.level is Level.OK and not tables_fit():
        finding = health.Finding("database", Level.DOWN, _("Migrations are missing."))
    return JsonResponse({"status": finding.level, "detail": finding.sentence}, status=503 if finding.level is Level.DOWN else 200)


_tables_fit = False


def tables_fit() -> bool:
    """Whether all migrations are applied; once true it stays so for the life of the process."""
    global _tables_fit
    if not _tables_fit:
        try:
            executor = MigrationExecutor(connection)
            _tables_fit = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        except (DatabaseError, InterfaceError):
            return False
    return _tables_fit


@never_cache
@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    """For staff only, by session or by a staff member's API token (`Authorization: Bearer`): the numbers tell a lot."""
    if not is_staff(request):
        response = JsonResponse({"code": "not_authenticated", "detail": _("Metrics are for staff.")}, status=401)
        response["WWW-Authenticate"] = "Bearer"
        return response
    return HttpResponse(metrics.text(), content_type=CONTENT_TYPE_LATEST)


def is_staff(request: HttpRequest) -> bool:
    """By API token, where one is sent, else by session. Without a database nobody is."""
    try:
        if "Authorization" in request.headers:
            found = TokenAuthentication().authenticate(request)
            user = found[0] if found else None
        else:
            user = request.user
        return bool(user and user.is_active and user.is_staff)
    except (AuthenticationFailed, DatabaseError, InterfaceError, ValueError):  # the last: a token that is no text
        return False
