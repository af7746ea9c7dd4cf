"""Sent with send_robust, after commit: receivers may only write a row or a nudge."""

from django.dispatch import Signal

# Arguments: job (the instance as this process knows it). The sender is its model class.
job_changed = Signal(use_caching=True)
