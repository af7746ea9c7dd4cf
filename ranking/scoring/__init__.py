"""How videos are scored: pure code, time and numbers passed in. Nothing here knows Django or the database.

classic   the weighted sum that everybody knows, and its momentum
state     what is remembered of a video's counters: updated once per snapshot, O(1)
features  the numbers that a model reads off a state
model     coefficients, heads (virality, breakout, surge) and explanations
fitting   how coefficients and thresholds are found from series
"""
