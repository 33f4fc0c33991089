"""Fees, in dollars, by the user's plan and whether the order waited or took."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from app.domains.trading.exchange.model import Liquidity
from app.domains.trading.quantities.rules import COIN


class FeeSchedule(msgspec.Struct, frozen=True):
    """The fees of a plan, as fractions of the dollars of a trade."""

    maker: int
    taker: int


SCHEDULES: Final[Mapping[str, FeeSchedule]] = MappingProxyType(
    {
        "free": FeeSchedule(maker=COIN * 10 // 10_000, taker=COIN * 20 // 10_000),
        "pro": FeeSchedule(maker=COIN * 8 // 10_000, taker=COIN * 16 // 10_000),
        "enterprise": FeeSchedule(maker=COIN * 5 // 10_000, taker=COIN * 10 // 10_000),
    }
)
"""By the tier of a profile."""


def fee(schedule: FeeSchedule, liquidity: Liquidity, dollars: int) -> int:
    """The fee of a trade, rounded up."""
    return fee_at(schedule.maker if liquidity is Liquidity.MAKER else schedule.taker, dollars)


def fee_at(fraction: int, dollars: int) -> int:
    """The fee on dollars at a fraction of them, rounded up."""
    return -(-dollars * fraction // COIN)
