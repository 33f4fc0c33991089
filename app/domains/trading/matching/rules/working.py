"""An order while a batch is settled, in whole numbers."""

from datetime import datetime

from msgspec.structs import replace

from app.domains.trading.exchange.model import Changes, Reason
from app.domains.trading.matching.model import OrderRow
from app.domains.trading.orders.model import OPEN, OrderFact, OrderStatus
from app.domains.trading.orders.rules.reservation import need
from app.domains.trading.quantities.model import Side
from app.domains.trading.quantities.rules import COIN, PRICE_SCALE, decimal_of, units_of


class Working:
    """An order of a batch: what it was, and what it has become."""

    def __init__(self, row: OrderRow) -> None:
        self.row = row
        self.side = Side(row.side)
        self.maker_fee = units_of(row.maker_fee_fraction)
        self.taker_fee = units_of(row.taker_fee_fraction)
        self.reserve_rate = None if row.reserve_rate is None else units_of(row.reserve_rate, PRICE_SCALE)
        self.is_changed = False
        self._quantity = None if row.quantity is None else units_of(row.quantity)
        self._amount = None if row.quote_amount is None else units_of(row.quote_amount)
        self._bound = 0 if row.bound is None else units_of(row.bound)
        self._price = _price_units(row.price) or _price_units(row.protection_price)
        self._filled = units_of(row.filled_quantity)
        self._quote = units_of(row.filled_quote)
        self._fees = units_of(row.fees)
        self._extra = units_of(row.reserved_for_changes)
        self._reserved = units_of(row.reserved)
        self._held = self._reserved + self._extra

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.row.status in OPEN

    @property
    def is_placed(self) -> bool:
        """Whether it is in the book."""
        return self.row.priority is not None

    @property
    def fact(self) -> OrderFact:
        """What it is now."""
        reason = None if self.row.reason is None else Reason(self.row.reason)
        return OrderFact(self.row.id, OrderStatus(self.row.status), self.row.filled_quantity, reason)

    def need(self, *, after: int = 0, spent: int = 0) -> int:
        """What it has to reserve, or would after a fill of so many units for so many dollars."""
        return self._need(self.reserve_rate, after, spent)

    def need_in_dollars(self, *, after: int = 0, spent: int = 0) -> int:
        """What a buy needs, before it is converted."""
        return self._need(None, after, spent)

    def accept(self, quantity: int | None) -> None:
        """The book took it on, for this quantity."""
        if self._amount is None and quantity is not None and quantity != self._quantity:
            self._quantity = quantity
            self._set(quantity=decimal_of(quantity))
        self.is_changed = True

    def rest(self, priority: int) -> None:
        """It waits in the book."""
        self._set(priority=priority)

    def trigger(self, at: datetime) -> None:
        """Its stop was reached."""
        self._set(triggered_at=at)

    @property
    def filled(self) -> int:
        """The units of it that are filled."""
        return self._filled

    def resize(self, quantity: int, price: int) -> None:
        """It is for another quantity at another limit now, and what was reserved for that is no longer set apart."""
        self._quantity, self._price, self._extra = quantity, price, 0
        self._set(quantity=decimal_of(quantity), price=decimal_of(price, PRICE_SCALE), sells_all=False)

    def reopen(self) -> None:
        """It had not ended after all."""
        status = OrderStatus.PARTIAL if self._filled else OrderStatus.PENDING
        self._set(status=status, reason=None, filled_at=None, cancelled_at=None)

    def change(self, quantity: int, priority: int) -> None:
        """Its quantity or its turn has changed."""
        self._quantity = quantity
        self._set(quantity=decimal_of(quantity), priority=priority)

    def reprice(self, changes: Changes) -> None:
        """Its prices were changed; or its quantity, which is no longer all that there was."""
        if changes.quantity is not None:
            self._set(sells_all=False)
        given = {
            "price": changes.price,
            "stop_price": changes.stop_price,
            "trail_amount": changes.trail_amount,
            "protection_price": changes.protection_price,
        }
        self._set(**{name: decimal_of(value, PRICE_SCALE) for name, value in given.items() if value is not None})
        if changes.trail_fraction is not None:
            self._set(trail_fraction=decimal_of(changes.trail_fraction, COIN))
        self._price = _price_units(self.row.price) or _price_units(self.row.protection_price)

    def fill(self, quantity: int, quote: int, fee: int) -> None:
        """A part of it was filled."""
        self._filled += quantity
        self._quote += quote
        self._fees += fee
        self._set(
            status=OrderStatus.PARTIAL,
            filled_quantity=decimal_of(self._filled),
            filled_quote=decimal_of(self._quote),
            fees=decimal_of(self._fees),
        )

    def end(self, status: OrderStatus, reason: Reason | None, at: datetime) -> None:
        """It has ended."""
        is_filled = status is OrderStatus.FILLED
        self._extra = 0
        self._set(
            status=status,
            reason=reason,
            filled_at=at if is_filled else None,
            cancelled_at=None if is_filled else at,
        )

    def release_extra(self, extra: int) -> None:
        """A replacement was decided: what was reserved for it is no longer needed."""
        self._extra = max(0, self._extra - extra)
        self.is_changed = True

    def reserve(self, need: int) -> int:
        """Reserves what it needs; returns by how much that is more than before."""
        reserved = need if self.is_open else 0
        delta = reserved + self._extra - self._held
        if delta or reserved != self._reserved:
            self._reserved, self._held = reserved, reserved + self._extra
            self._set(reserved=decimal_of(reserved), reserved_for_changes=decimal_of(self._extra))
        return delta

    def _need(self, reserve_rate: int | None, after: int, spent: int) -> int:
        left = (self._bound if self._quantity is None else self._quantity) - self._filled - after
        amount = None if self._amount is None else self._amount - self._quote - spent
        return need(
            self.side,
            max(0, left),
            worst_price=self._price or 0,
            amount=None if amount is None else max(0, amount),
            taker_fee=self.taker_fee,
            reserve_rate=reserve_rate,
        )

    def _set(self, **changes: object) -> None:
        self.row = replace(self.row, **changes)
        self.is_changed = True


def _price_units(price: object) -> int | None:
    return None if price is None else units_of(price, PRICE_SCALE)  # type: ignore[arg-type]
