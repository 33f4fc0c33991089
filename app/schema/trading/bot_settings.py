"""What bots are set to, in words, whether they run or are simulated; and tokens that there are not."""

from collections.abc import Awaitable
from typing import Final, TypeVar

from app.domains.market.tokens.model import Token, TokenNotFound
from app.domains.trading.strategies.model import MAX_COOL_DOWN_MS, MAX_POSITION_USD, MAX_TAKE_PROFIT_PERCENTAGE
from app.kit.errors import NotFound

T = TypeVar("T")

AMOUNT: Final = f"1 to {MAX_POSITION_USD:,f} dollars, with at most 8 decimals."
POSITION: Final = f"What its open entries in one token can have cost: {AMOUNT}"
STOP_LOSS: Final = "How far below the price of an entry it is sold at a loss, in percent: 0.01 to 99.99."
TAKE_PROFIT: Final = (
    "How far above the price of an entry it is sold at a profit, in percent: 0.01 to"
    f" {MAX_TAKE_PROFIT_PERCENTAGE:f}. A grid sells at its levels instead."
)
RISK: Final = "How much of the largest position one entry can be."
LOSS_LIMIT: Final = f"The realized loss since midnight in UTC from which it buys nothing more that day: {AMOUNT}"
COOL_DOWN: Final = (
    f"For how long it buys nothing after a round trip with a loss, in milliseconds: 0 to {MAX_COOL_DOWN_MS:,}."
)


async def known(work: Awaitable[T], *path: str) -> T:
    """What a change returns. A token that there is not is not found as what is changed is not: there is one type for
    both. Without a path, it is the one of the token.
    """
    try:
        return await work
    except TokenNotFound as unknown:
        raise NotFound(Token, unknown.message, path=path or unknown.path) from None
