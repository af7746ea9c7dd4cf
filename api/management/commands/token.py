"""An API token for a person, from the command line."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from api.tokens import MOST_TOKENS, TooManyTokens, create_token, list_tokens, revoke_token


class Command(BaseCommand):
    help = "Prints a new API token of USER, once; lists or revokes the ones there are."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="user name or e-mail address")
        act = parser.add_mutually_exclusive_group()
        act.add_argument("--list", action="store_true", help="show the first characters of each token, and its dates")
        act.add_argument("--revoke", metavar="PREFIX", help="end the token that begins with PREFIX, as --list shows it")

    def handle(self, *args: Any, **options: Any) -> None:
        user = self._person(options["user"])
        if options["list"]:
            for token in list_tokens(user):
                expires = f"{token.expires_at:%Y-%m-%d}" if token.expires_at else "never"
                self.stdout.write(f"{token.prefix}…  made {token.created_at:%Y-%m-%d}, expires {expires}")
        elif options["revoke"]:
            if not revoke_token(user, options["revoke"]):
                raise CommandError(f"{user} has no token that begins with {options['revoke']!r}.")
            self.stdout.write("Revoked.")
        else:
            try:
                self.stdout.write(create_token(user))
            except TooManyTokens as error:
                raise CommandError(f"{user} has {MOST_TOKENS} tokens already: revoke one first.") from error

    def _person(self, name: str) -> Any:
        people = get_user_model()._default_manager
        found = list(people.filter(username=name)[:1] or people.filter(email__iexact=name)[:2])
        if len(found) != 1:
            raise CommandError(f"There is no user {name!r}." if not found else f"{name!r} is the address of several users.")
        if not found[0].is_active:
            raise CommandError(f"{name!r} is not active.")
        return found[0]
