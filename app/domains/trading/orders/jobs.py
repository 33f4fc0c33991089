"""The schedules of orders."""

from app.domains.trading.orders.services.maintenance import Maintenance
from app.kit.jobs import Schedule


def order_schedules(maintenance: Maintenance) -> list[Schedule]:
    """Tokens that are gone, and what is not kept for ever."""
    return [
        Schedule(
            "delisted-tokens",
            "* * * * *",
            "Cancels the orders of tokens that are no longer listed or were renamed",
            maintenance.delist,
        ),
        Schedule(
            "old-orders",
            "40 3 * * *",
            "Deletes closed orders after 7 years, once none of their fills is kept",
            maintenance.delete_old_orders,
        ),
        Schedule(
            "done-commands",
            "*/10 * * * *",
            "Deletes what the exchange was asked and has done, after an hour",
            maintenance.delete_done_commands,
        ),
    ]
