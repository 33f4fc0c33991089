"""What providers read from the database: the listed tokens and their last quotes."""

from app.domains.market.prices.model import Quote
from app.domains.market.prices.statements import PriceSql
from app.domains.market.tokens.model import Listing
from app.domains.market.tokens.statements import ListingSql
from app.kit.db import Database


class Directory:
    """Reads the listed tokens and their quotes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def listed(self) -> list[Listing]:
        """Returns the listed tokens, the largest first."""
        return await self._database.fetch(ListingSql.listings)

    async def last_quotes(self, exchange: str) -> dict[str, Quote]:
        """Returns the newest quote of each token at an exchange, by symbol."""
        return {quote.symbol: quote for quote in await self._database.fetch(PriceSql.last_quotes, exchange)}
