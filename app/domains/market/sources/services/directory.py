"""What the providers must know of what is stored: who is listed, and what was quoted last."""

from app.domains.market.prices.model import Quote
from app.domains.market.statements import LISTINGS
from app.domains.market.tokens.model import Listing
from app.kit.db import Database


class Directory:
    """Reads what is listed and quoted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def listed(self) -> list[Listing]:
        """The tokens that are listed, the largest first."""
        return [Listing(*row) for row in await self._database.fetch(LISTINGS.listings)]

    async def last_quotes(self, exchange: str) -> dict[str, Quote]:
        """What was last stored of each token at an exchange, by symbol."""
        return {row[0]: Quote(*row) for row in await self._database.fetch(LISTINGS.last_quotes, exchange)}
