from django.urls import path

from monitoring import views

urlpatterns = [
    path("health", views.overall, name="health"),
    path("health/live", views.live, name="health_live"),
    path("health/ready", views.ready, name="health_ready"),
    path("metrics", views.prometheus, name="metrics"),
]
