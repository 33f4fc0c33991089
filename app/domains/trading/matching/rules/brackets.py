"""Brackets that are not over: entries that can still fill, and exits that wait for them."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from app.domains.trading.exchange.model import Order


class Bracket(msgspec.Struct):
    """An entry that is open, and its exits."""

    entry: UUID
    link: UUID
    """What both exits are linked by in the book."""
    exits: frozenset[UUID]
    held: tuple[Order, ...]
    """Exits that are not in the book yet: the stop loss first, which protects what the take profit would sell."""


class Brackets:
    """All brackets whose entry is open."""

    def __init__(self, brackets: Iterable[Bracket] = ()) -> None:
        self._by_entry = dict[UUID, Bracket]()
        self._by_exit = dict[UUID, Bracket]()
        for each in brackets:
            self._put(each)

    def __bool__(self) -> bool:
        return bool(self._by_entry)

    def add(self, entry: Order, exits: tuple[Order, ...]) -> None:
        """Adds a bracket whose entry arrives."""
        link = exits[0].link
        assert link is not None
        self._put(Bracket(entry.id, link, frozenset(each.id for each in exits), exits))

    def of_entry(self, order_id: UUID) -> Bracket | None:
        """The bracket of an entry."""
        return self._by_entry.get(order_id)

    def open_entry_of(self, exit_id: UUID) -> UUID | None:
        """The entry of an exit, if it is open."""
        found = self._by_exit.get(exit_id)
        return None if found is None else found.entry

    def is_held(self, exit_id: UUID) -> bool:
        """Whether it is an exit that waits for its entry."""
        found = self._by_exit.get(exit_id)
        return found is not None and any(each.id == exit_id for each in found.held)

    def take_held(self, bracket: Bracket) -> tuple[Order, ...]:
        """The exits that wait, which go into the book now."""
        held, bracket.held = bracket.held, ()
        return held

    def drop_exit(self, exit_id: UUID) -> bool:
        """Drops an exit that waits; returns whether there was one."""
        if not self.is_held(exit_id):
            return False
        bracket = self._by_exit[exit_id]
        bracket.held = tuple(each for each in bracket.held if each.id != exit_id)
        return True

    def end(self, entry: UUID) -> tuple[Order, ...]:
        """Ends the bracket of an entry that can fill no more; returns the exits that will never go into the book."""
        found = self._by_entry.pop(entry, None)
        if found is None:
            return ()
        for each in found.exits:
            del self._by_exit[each]
        return found.held

    def _put(self, bracket: Bracket) -> None:
        self._by_entry[bracket.entry] = bracket
        for each in bracket.exits:
            self._by_exit[each] = bracket
