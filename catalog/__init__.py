"""The joined reads that people and programs see: each is one statement, whatever number of stages it joins.

known.read_filters(params, also=()) -> Filters         unknown names or values raise InvalidFilters (.errors: name -> sentence)
feed.feed(filters, cursor="", limit=24, sparklines=True) -> FeedPage(cards, next_cursor)
                                                       keyset pages; a cursor that is not ours raises InvalidCursor
feed.cards(video_ids) -> list[Card]                    in the order given; ids that do not exist are left out
feed.card(video_id) -> Card | None
detail.detail(video_id) -> Detail | None               a card, and all that a page or an answer shows besides
detail.metrics(video_id, limit=500) -> Metrics | None  history (oldest first) and the parts of the score
"""
