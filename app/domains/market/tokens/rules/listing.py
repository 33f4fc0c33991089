"""The changes that a new list of tokens makes: added, changed and retired tokens, and contested symbols."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from app.domains.market.tokens.model import Listing

FOREIGN_ID = "cmc-"
"""The prefix of ids of tokens that only a provider other than CoinGecko has listed."""
SYMBOL_LENGTH = 20


class KnownToken(msgspec.Struct, frozen=True):
    """A token as it is stored."""

    id: UUID
    listing: Listing
    """Its rank is 0 where it has none."""
    is_active: bool


class ListingPlan(msgspec.Struct, frozen=True):
    """The changes to store."""

    added: list[Listing]
    changed: list[tuple[UUID, Listing]]
    """Only tokens that differ."""
    retired: list[tuple[UUID, str]]
    """No longer listed. Each has its symbol, or another one if a listed token now has it."""
    skipped: int
    """Listings whose symbol or id another listing has."""


def plan_listing(known: Sequence[KnownToken], listings: Iterable[Listing]) -> ListingPlan:
    """Compares the stored tokens with a list.

    Tokens are matched by id, and by symbol where the id is no longer listed: then the id has changed. Of several
    listings with one symbol, the one with the best rank gets it.
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
    # Values that a list does not have stay.
    return msgspec.structs.replace(
        new,
        coingecko_id=old.coingecko_id if new.coingecko_id.startswith(FOREIGN_ID) else new.coingecko_id,
        image_url=new.image_url or old.image_url,
        ethereum_address=new.ethereum_address or old.ethereum_address,
        solana_address=new.solana_address or old.solana_address,
    )


def _symbol_left(token: KnownToken, taken: set[str]) -> str:
    symbol = token.listing.symbol
    if symbol not in taken:
        return symbol
    tail = f"~{token.id.hex[:6].upper()}"
    return symbol[: SYMBOL_LENGTH - len(tail)] + tail
