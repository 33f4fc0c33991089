"""The schedules of orders."""

from app.domains.trading.orders.services.upkeep import Upkeep
from app.kit.jobs import Schedule


def order_schedules(upkeep: Upkeep) -> list[Schedule]:
    """Tokens that are gone, and what is not kept for ever."""
    return [
        Schedule(
            "delisted-tokens",
            "* * * * *",
            "Cancels the orders of tokens that are no longer listed or were renamed",
            upkeep.delist,
        ),
        Schedule(
            "old-orders",
            "40 3 * * *",
            "Deletes closed orders after 7 years, once none of their fills is kept",
            upkeep.delete_old_orders,
        ),
        Schedule(
            "done-commands",
            "*/10 * * * *",
            "Deletes what the exchange was asked and has done, after an hour",
            upkeep.delete_done_commands,
        ),
    ]
