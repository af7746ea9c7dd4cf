"""Who wants to know what was read. Receivers may only write a row or a nudge, under a savepoint."""

from django.dispatch import Signal

# Argument: video_id. Sent inside the transaction that replaces a carousel's reading.
carousel_read = Signal()
