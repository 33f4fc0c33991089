"""Limits on the total cost of open subscriptions, for each connection and each caller."""

from collections.abc import Hashable
from typing import Final

import msgspec

from app.engine.declarations.limits import Limits


class Payer(msgspec.Struct, frozen=True):
    """Whose budgets a subscription is charged to."""

    connection: Hashable
    """The socket, or the SSE stream."""
    caller: Hashable | None
    """The user, or the address of an anonymous caller; null without an address."""
    is_viewer: bool
    """Whether the caller is a user."""


class OverBudget(Exception):
    """The charge exceeds what is left of a budget."""

    def __init__(self, whose: str, left: int, limit: int) -> None:
        super().__init__(f"{left} of {limit} left")
        self.whose = whose
        self.left = left
        self.limit = limit


class _Account:
    """The charges of a connection or caller. Equal subscriptions share their executions, and are charged once."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts: dict[Hashable, int] = {}
        self.total = 0


class BudgetCharge:
    """The charge for a subscription, until it is given back."""

    __slots__ = ("_accounts", "_budgets", "_per_s", "_what")

    def __init__(self, budgets: "Budgets", accounts: tuple[Hashable, ...], what: Hashable, per_s: int) -> None:
        self._budgets = budgets
        self._accounts = accounts
        self._what = what
        self._per_s = per_s

    def give_back(self) -> None:
        """Ends the charge. Idempotent."""
        accounts, self._accounts = self._accounts, ()
        for account in accounts:
            self._budgets.release(account, self._what, self._per_s)


_SOCKET: Final = "this connection"
_VIEWER: Final = "you, on all connections together,"
_ADDRESS: Final = "your address, on all its anonymous connections together,"


class Budgets:
    """The budgets of all connections and callers of a process."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._accounts: dict[Hashable, _Account] = {}

    def __len__(self) -> int:
        return len(self._accounts)

    def charge(self, payer: Payer, what: Hashable, per_s: int) -> BudgetCharge:
        """Charges a subscription to all budgets of its payer. `what` is equal for equal subscriptions.

        Raises OverBudget, and charges nothing, if one of them does not suffice.
        """
        limits = self._limits
        accounts: list[tuple[Hashable, str, int]] = [
            (("connection", payer.connection), _SOCKET, limits.stream_cost_per_socket)
        ]
        if payer.caller is not None:
            accounts.append(
                (("viewer", payer.caller), _VIEWER, limits.stream_cost_per_viewer)
                if payer.is_viewer
                else (("address", payer.caller), _ADDRESS, limits.stream_cost_per_address)
            )
        for key, whose, limit in accounts:
            account = self._accounts.get(key)
            taken = 0 if account is None else account.total
            if (account is None or what not in account.counts) and taken + per_s > limit:
                raise OverBudget(whose, limit - taken, limit)
        for key, _, _ in accounts:
            account = self._accounts.setdefault(key, _Account())
            if what not in account.counts:
                account.total += per_s
            account.counts[what] = account.counts.get(what, 0) + 1
        return BudgetCharge(self, tuple(key for key, _, _ in accounts), what, per_s)

    def release(self, key: Hashable, what: Hashable, per_s: int) -> None:
        """Removes one of equal subscriptions from a budget."""
        account = self._accounts[key]
        account.counts[what] -= 1
        if not account.counts[what]:
            del account.counts[what]
            account.total -= per_s
        if not account.counts:
            del self._accounts[key]
