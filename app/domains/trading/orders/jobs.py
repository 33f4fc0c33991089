"""The schedules of orders."""

from app.domains.trading.orders.services.maintenance import Maintenance
from app.domains.trading.orders.services.seals import OrderSeals
from app.kit.jobs import Schedule


def order_schedules(maintenance: Maintenance, seals: OrderSeals) -> list[Schedule]:
    """Seals, tokens that are gone, and what is not kept for ever."""
    return [
        Schedule("order-seals", "* * * * *", "Seals the changes of orders into the audit log", seals.seal),
        Schedule(
            "delisted-tokens",
            "* * * * *",
            "Ends the books of tokens that are no longer listed or were renamed, and opens those that are again",
            maintenance.follow_listings,
        ),
        Schedule(
            "closings",
            "*/10 * * * *",
            "Asks the exchange again for the end of portfolios that it has passed over",
            maintenance.close_again,
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
