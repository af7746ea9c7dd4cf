"""What the models cost: US dollars per million tokens, so millionths of a dollar per token. As published in November 2026."""

PRICES: dict[str, tuple[float, float]] = {
    # In, out (thinking included). The 2.5 Flash's calls are answered and billed as 3.5 Flash-Lite from December on.
    "gemini-3.5-flash-lite": (0.30, 2.50),
    "gemini-2.5-flash": (0.30, 2.50),
    "gemini-2.5-flash-lite": (0.10, 0.40),
}


def cost_micros(model: str, tokens_in: int, tokens_out: int) -> int | None:
    """Millionths of a dollar, rounded; None: nobody told us this model's price."""
    for name in (model, model.removesuffix("-latest"), model.rpartition("-")[0]):  # a dated or numbered release of it
        if price := PRICES.get(name):
            return round(tokens_in * price[0] + tokens_out * price[1])
    return None
