"""Tokens and quotes for tests, written as Moneta's own system writes them."""

from decimal import Decimal

from tests.databases import Owner

NAMES = {
    "BTC": ("bitcoin", "Bitcoin"),
    "ETH": ("ethereum", "Ethereum"),
    "USDT": ("tether", "Tether"),
    "DOGE": ("dogecoin", "Dogecoin"),
    "BCH": ("bitcoin-cash", "Bitcoin Cash"),
    "SOL": ("solana", "Solana"),
}
"""CoinGecko's id and the name of each symbol, by rank."""


async def list_tokens(owner: Owner, names: dict[str, tuple[str, str]] = NAMES) -> list[str]:
    """Lists tokens, ranked in the order given; returns their symbols."""
    await owner.executemany(
        "INSERT INTO tokens (coingecko_id, symbol, name, market_cap_rank) VALUES ($1, $2, $3, $4)",
        [(id, symbol, name, rank) for rank, (symbol, (id, name)) in enumerate(names.items(), start=1)],
    )
    return list(names)


async def quote(
    owner: Owner, symbol: str, price_usd: str, *, volume_usd: str | None = None, exchange: str = "simulated"
) -> None:
    """Quotes a token, as the simulation or another exchange would."""
    await owner.execute(
        "INSERT INTO market_data (symbol, exchange, price_usd, price_aud, volume_24h_usd) VALUES ($1, $2, $3, $4, $5)",
        symbol,
        exchange,
        Decimal(price_usd),
        Decimal(price_usd) * Decimal("1.5"),
        None if volume_usd is None else Decimal(volume_usd),
    )
