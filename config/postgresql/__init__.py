"""Django's PostgreSQL backend, for the server that we start ourselves."""
