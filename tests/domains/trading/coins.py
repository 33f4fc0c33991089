"""What moves coins, posted as the matcher posts the fills of a batch."""

from collections import Counter
from uuid import uuid4

from app.domains.trading.journal.model import NewEntry
from app.domains.trading.journal.rules.entries import effects_of
from app.domains.trading.journal.services.batches import lock_cash, read_holdings, store_holdings, take_entry_ids
from app.kit.db import Tx


async def post_coins(tx: Tx, entry: NewEntry) -> int:
    """Posts one entry; returns its ID."""
    moved = effects_of(entry.kind, entry.lines).positions
    places = {(entry.portfolio_id, symbol) for symbol in moved}
    sold = Counter({(entry.portfolio_id, symbol): -quantity for symbol, quantity in moved.items() if quantity < 0})
    holdings = await read_holdings(tx, await lock_cash(tx, [entry.portfolio_id]), places, sold)
    [id] = await take_entry_ids(tx, 1, entry.at)
    holdings.post(entry, uuid4())
    await store_holdings(tx, holdings, [(id, entry)], entry.at)
    return id
