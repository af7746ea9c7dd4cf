from django.contrib import admin
from django.urls import include, path

from downloads import serving

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("api/", include("api.urls")),
    path("", include("workspaces.urls")),
    path("", include("monitoring.urls")),
    path("", include("pages.urls")),
    path("media/zip/<str:token>/<path:filename>", serving.bundle, name="media-bundle"),
    path("media/<str:token>/<path:filename>", serving.media, name="media"),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
