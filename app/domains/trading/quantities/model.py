"""What all of trading speaks of."""

from enum import StrEnum


class Side(StrEnum):
    """Whether an order or a fill buys or sells coins."""

    BUY = "buy"
    SELL = "sell"
