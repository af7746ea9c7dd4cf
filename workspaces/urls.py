from django.urls import path

from workspaces.views import switch_workspace

urlpatterns = [path("workspaces/<int:pk>/switch/", switch_workspace, name="switch_workspace")]
