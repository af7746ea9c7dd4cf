from typing import Any

from django.db.backends.postgresql import base

from config import engines


class DatabaseWrapper(base.DatabaseWrapper):
    """Starts the embedded servers at a process's first connection, so that commands which need none start none."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        engines.use()
        return super().get_new_connection(conn_params)
