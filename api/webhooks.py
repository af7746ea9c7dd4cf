"""What outside services tell us by themselves: verified, stored once, answered at once; the work comes later."""

import io
import re
from typing import Any

from django.conf import settings
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import Problem, TooLarge
from api.parsers import StrictJSONParser
from api.views import ApiView
from crawler import orders
from crawler.providers.apify import ORDER_HEADER, SECRET_HEADER

MOST_BYTES = 64 * 1024
_RUN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EVENT = re.compile(r"[A-Z_.]{1,60}")
_ORDER = re.compile(r"order-[0-9a-f]{16}")


# Of what Apify sends, as much as is read. It is no serializer: theirs is the one body here that may hold other names.
EVENT_SCHEMA = {
    "type": "object",
    "properties": {
        "eventType": {"type": "string", "description": "Such as ACTOR.RUN.SUCCEEDED."},
        "eventData": {"type": "object", "properties": {"actorRunId": {"type": "string"}}, "required": ["actorRunId"]},
    },
    "required": ["eventType", "eventData"],
    "additionalProperties": True,
}


class Received(serializers.Serializer[Any]):
    is_new = serializers.BooleanField(help_text="False for one that came before.")


class ApifyWebhookView(ApiView):
    """Whoever knows the secret is Apify; and even then only the id of a run is taken from it, never what it says of the run."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []

    @extend_schema(
        operation_id="receive_apify_webhook",
        request={"application/json": EVENT_SCHEMA},
        responses={200: Received, 401: Problem, 413: Problem},
        parameters=[OpenApiParameter(SECRET_HEADER, str, OpenApiParameter.HEADER, description="APIFY_WEBHOOK_SECRET.")],
    )
    def post(self, request: Request) -> Response:
        """For Apify: a run of ours began or ended. Safe to repeat, in any order."""
        secret = str(settings.APIFY_WEBHOOK_SECRET)
        if not (secret and constant_time_compare(request.headers.get(SECRET_HEADER, ""), secret)):
            raise WrongSecret
        body = self._body(request)
        event, data = body.get("eventType"), body.get("eventData")
        run = data.get("actorRunId") if isinstance(data, dict) else None
        wrong = {
            name: [_("Not as Apify sends it.")]
            for name, value, form in (("eventType", event, _EVENT), ("eventData.actorRunId", run, _RUN))
            if not (isinstance(value, str) and form.fullmatch(value))
        }
        if wrong:
            raise serializers.ValidationError(wrong)
        order = request.headers.get(ORDER_HEADER, "")
        is_new = orders.deliver(
            "apify", run=str(run), event=str(event), order=order if _ORDER.fullmatch(order) else "", body=body
        )
        return Response({"is_new": is_new}, status.HTTP_200_OK)

    def _body(self, request: Request) -> dict[str, Any]:
        """No more is read than could be right, whatever length was announced."""
        content = request._request.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise TooLarge(_("The request is too large."))
        return StrictJSONParser().parse(io.BytesIO(content))


class WrongSecret(APIException):
    status_code = status.HTTP_401_UNAUTHORIZED
    default_code = "wrong_secret"
    auth_header = "Secret"

    def __init__(self) -> None:
        super().__init__(_("The secret is missing or wrong."))
