"""How much work waits, runs and has ended, for each kind of job."""

from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import Now
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from api.views import ApiView
from jobs import kinds
from jobs.models import CLAIMABLE, PausedKind, State


class Queue(serializers.Serializer[Any]):
    kind = serializers.CharField()
    queue = serializers.CharField(help_text="The workers' queue that this kind of job goes through.")
    is_paused = serializers.BooleanField()
    waiting = serializers.IntegerField(min_value=0, help_text="Due now.")
    active = serializers.IntegerField(min_value=0, help_text="Being worked on.")
    delayed = serializers.IntegerField(min_value=0, help_text="Due later, a retry for example, or paused.")
    completed = serializers.IntegerField(min_value=0)
    failed = serializers.IntegerField(min_value=0, help_text="Gave up; wants a person.")


class Queues(serializers.Serializer[Any]):
    results = Queue(many=True)


class QueuesView(ApiView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="get_queues", responses=Queues)
    def get(self, request: Request) -> Response:
        """The state of every queue, now."""
        paused = set(PausedKind.objects.values_list("kind", flat=True))
        return Response({"results": [count(kind) | {"is_paused": kind.name in paused} for kind in kinds.all_kinds()]})


def count(kind: kinds.JobKind) -> dict[str, Any]:
    due = Q(state__in=CLAIMABLE, paused_at__isnull=True, scheduled_at__lte=Now())
    counts = kind.get_model().objects.aggregate(
        waiting=Count("pk", filter=due),
        active=Count("pk", filter=Q(state=State.RUNNING)),
        delayed=Count("pk", filter=Q(state__in=CLAIMABLE) & ~due),
        completed=Count("pk", filter=Q(state=State.COMPLETED)),
        failed=Count("pk", filter=Q(state=State.FAILED)),
    )
    return {"kind": kind.name, "queue": kind.queue, **counts}
