"""First in, first out: what a sale takes of which lots, at which cost, for which part of its proceeds."""

from collections.abc import Sequence

from app.domains.trading.journal.model import HeldLot, Taken


def take(lots: Sequence[HeldLot], quantity: int, proceeds: int) -> list[Taken]:
    """Takes a quantity from lots, oldest first. Costs and proceeds add up exactly. Raises ValueError if
    there are too few.

    A part of a lot has its share of the cost rounded down; the rest stays with what remains. Proceeds are shared by
    quantity likewise, and the last lot has what remains.
    """
    taken: list[Taken] = []
    left, unpaid = quantity, proceeds
    for lot in lots:
        if not left:
            break
        part = min(left, lot.remaining)
        share = unpaid * part // left
        taken.append(Taken(lot.id, part, lot.remaining_cost * part // lot.remaining, share))
        left -= part
        unpaid -= share
    if left:
        raise ValueError(f"{left} units are not in any lot")
    return taken
