"""The tokens that are bundled with Moneta, for when no provider is used."""

from functools import lru_cache
from pathlib import Path

import msgspec

from app.domains.market.tokens.model import Listing

TOKENS_FILE = Path(__file__).parents[3] / "data" / "tokens.json"


class _Addresses(msgspec.Struct):
    ethereum: str | None = None
    solana: str | None = None


class _Entry(msgspec.Struct):
    coingecko_id: str
    symbol: str
    name: str
    market_cap_rank: int
    addresses: _Addresses


@lru_cache(maxsize=1)
def bundled_listings() -> tuple[Listing, ...]:
    """Returns all 250 tokens, the largest first."""
    entries = msgspec.json.decode(TOKENS_FILE.read_bytes(), type=list[_Entry])
    return tuple(
        Listing(
            coingecko_id=entry.coingecko_id,
            symbol=entry.symbol.upper(),
            name=entry.name,
            market_cap_rank=entry.market_cap_rank,
            ethereum_address=entry.addresses.ethereum,
            solana_address=entry.addresses.solana,
        )
        for entry in sorted(entries, key=lambda entry: entry.market_cap_rank)
    )
