"""What allauth asks of us."""

from allauth.account.adapter import DefaultAccountAdapter
from constance import config
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(config.SIGN_UP_OPEN)

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that limits count: a request that came around the trusted proxies counts for its own connection."""
        try:
            return str(super().get_client_ip(request))
        except ImproperlyConfigured:
            return str(request.META["REMOTE_ADDR"])
