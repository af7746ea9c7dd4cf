"""Sent with send_robust, inside the transaction that records a page.

Receivers may only write rows or a nudge, under a savepoint.
"""

from django.dispatch import Signal

# Arguments: video_ids (list of int), at (the moment of the observation), is_forced (all media are to be fetched again, by a
# person's wish). The sender is crawler.models.Video.
videos_observed = Signal()
