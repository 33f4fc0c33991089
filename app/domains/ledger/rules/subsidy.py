"""New coins: 500 a block, halved every 21,000 blocks and rounded down to a base unit, until it is zero."""

from app.domains.ledger.rules.amounts import COIN

INITIAL_SUBSIDY_UNITS = 500 * COIN
HALVING_INTERVAL_BLOCKS = 21_000


def halving_number(height: int) -> int:
    """Returns the number of halvings up to the block at `height`."""
    return height // HALVING_INTERVAL_BLOCKS


def next_halving_height(height: int) -> int:
    """Height of the first block after `height` that pays half."""
    return (halving_number(height) + 1) * HALVING_INTERVAL_BLOCKS


def subsidy_units(height: int) -> int:
    """Returns the new coins that the block at `height` issues."""
    return INITIAL_SUBSIDY_UNITS >> halving_number(height)


def issued_units(height: int) -> int:
    """All subsidies of the blocks from genesis to `height`, both included."""
    halvings, blocks = divmod(height + 1, HALVING_INTERVAL_BLOCKS)
    current = INITIAL_SUBSIDY_UNITS >> halvings
    whole_eras = _sum_of_halves(INITIAL_SUBSIDY_UNITS) - _sum_of_halves(current)
    return HALVING_INTERVAL_BLOCKS * whole_eras + blocks * current


def total_supply_units() -> int:
    """Returns the sum of all subsidies."""
    return HALVING_INTERVAL_BLOCKS * _sum_of_halves(INITIAL_SUBSIDY_UNITS)


def _sum_of_halves(units: int) -> int:
    # units + units//2 + units//4 + ... : Legendre's formula, a bit at place k contributes 2^(k+1) - 1.
    return 2 * units - units.bit_count()
