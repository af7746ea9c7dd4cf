"""Sent with send_robust inside the transaction that recorded a page: receivers write rows under a savepoint."""

from django.dispatch import Signal

# Arguments: video_ids (list of int), at (the observation's time). Sender: None.
videos_observed = Signal()
