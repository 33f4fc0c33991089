"""What a new list of tokens changes: who is known already, who is new, who is gone, who gets a contested symbol."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from app.domains.market.tokens.model import Listing

FOREIGN_ID = "cmc-"
"""Begins the id of a token that only a provider other than CoinGecko has named so far."""
SYMBOL_LENGTH = 20


class Known(msgspec.Struct, frozen=True):
    """A token as it is stored."""

    id: UUID
    listing: Listing
    """Its rank is 0 where it has none."""
    is_active: bool


class ListingPlan(msgspec.Struct, frozen=True):
    """What is to be written."""

    added: list[Listing]
    changed: list[tuple[UUID, Listing]]
    """Only those of which something differs."""
    retired: list[tuple[UUID, str]]
    """No longer listed, with the symbol that each keeps, or gets because another has it now."""
    skipped: int
    """Listings without a symbol or id of their own."""


def plan_listing(known: Sequence[Known], listings: Iterable[Listing]) -> ListingPlan:
    """Compares what is stored with what is listed.

    A token is recognised by its id; one whose id is not listed any more, by its symbol: then its id has changed. Of
    several listings with one symbol the best rank has it.
    """
    given = list(listings)
    wanted = _best(given)
    by_id = {token.listing.coingecko_id: token for token in known}
    listed_ids = {listing.coingecko_id for listing in wanted}
    renamed = {token.listing.symbol: token for token in known if token.listing.coingecko_id not in listed_ids}
    added: list[Listing] = []
    kept: dict[UUID, Listing] = {}
    changed: list[tuple[UUID, Listing]] = []
    for listing in wanted:
        token = by_id.get(listing.coingecko_id) or renamed.get(listing.symbol)
        if token is None:
            added.append(listing)
            continue
        kept[token.id] = new = _merged(token.listing, listing)
        if new != token.listing or not token.is_active:
            changed.append((token.id, new))
    taken = {listing.symbol for listing in wanted}
    retired = [(token.id, _symbol_left(token, taken)) for token in known if token.id not in kept]
    still = {token.id: token for token in known if not token.is_active}
    retired = [(id, symbol) for id, symbol in retired if id not in still or symbol != still[id].listing.symbol]
    return ListingPlan(added, changed, retired, len(given) - len(wanted))


def _best(listings: Iterable[Listing]) -> list[Listing]:
    symbols: set[str] = set()
    ids: set[str] = set()
    best = []
    for listing in sorted(listings, key=lambda listing: (listing.market_cap_rank, listing.coingecko_id)):
        if listing.symbol not in symbols and listing.coingecko_id not in ids:
            symbols.add(listing.symbol)
            ids.add(listing.coingecko_id)
            best.append(listing)
    return best


def _merged(old: Listing, new: Listing) -> Listing:
    # What a list does not say it does not deny.
    return msgspec.structs.replace(
        new,
        coingecko_id=old.coingecko_id if new.coingecko_id.startswith(FOREIGN_ID) else new.coingecko_id,
        image_url=new.image_url or old.image_url,
        ethereum_address=new.ethereum_address or old.ethereum_address,
        solana_address=new.solana_address or old.solana_address,
    )


def _symbol_left(token: Known, taken: set[str]) -> str:
    symbol = token.listing.symbol
    if symbol not in taken:
        return symbol
    tail = f"~{token.id.hex[:6].upper()}"
    return symbol[: SYMBOL_LENGTH - len(tail)] + tail
