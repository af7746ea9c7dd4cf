"""The admin site: signs in where everybody does, and begins with the dashboard."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.sites import UnfoldAdminSite


class ControlRoom(UnfoldAdminSite):
    index_title = _("Control room")
    enable_nav_sidebar = True

    def get_urls(self) -> list[URLPattern]:
        from monitoring import control

        kinds = path("kinds/<str:kind>/", self.admin_view(control.pause_or_resume), name="pause_kind")
        services = path("services/<str:name>/resume/", self.admin_view(control.resume_service), name="resume_service")
        urls: list[URLPattern] = [kinds, services, *super().get_urls()]
        return urls

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """One sign-in, with its one limiter, for everybody. Who is signed in and not staff gets 403."""
        if request.user.is_authenticated and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response

    @method_decorator(require_POST)
    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        logout(request)
        return HttpResponseRedirect("/")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("account_change_password"))
