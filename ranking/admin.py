"""Scores, to look at: they are computed, never edited."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from ranking.models import Score


@admin.register(Score)
class ScoreAdmin(ModelAdmin):
    list_display = ["video", "classic", "momentum", "is_surging", "surging_since", "observed_at"]
    list_filter = ["is_surging", "video__platform"]
    list_select_related = ["video"]
    search_fields = ["video__external_id", "video__title"]
    ordering = ["-classic"]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
