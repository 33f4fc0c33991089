"""The interfaces of providers. A provider that cannot answer raises `kit.errors.Unavailable`."""

from collections.abc import Sequence
from typing import Protocol

from app.domains.market.prices.model import Quotes
from app.domains.market.sources.model.defi import Defi
from app.domains.market.sources.model.derivatives import Derivatives
from app.domains.market.sources.model.social import Social
from app.domains.market.tokens.model import Listing


class PriceProvider(Protocol):
    """Lists and quotes tokens."""

    @property
    def name(self) -> str:
        """The exchange that its quotes are stored under."""
        ...

    @property
    def period_s(self) -> float:
        """The time between two requests for quotes."""
        ...

    async def tokens(self, limit: int) -> list[Listing]:
        """Returns the largest tokens by market capitalisation, best rank first; symbols may repeat."""
        ...

    async def quotes(self, symbols: Sequence[str]) -> Quotes:
        """Returns the current quotes of these tokens, each at most once, and the number of rejected values."""
        ...


class SocialProvider(Protocol):
    """Provides data from social media."""

    @property
    def name(self) -> str:
        """The name of the source under which its answers are counted."""
        ...

    async def social(self, symbol: str) -> Social | None:
        """Returns the social media data of a token; None if the provider does not know the symbol."""
        ...


class DerivativesProvider(Protocol):
    """Provides data about futures."""

    @property
    def name(self) -> str:
        """The name of the source under which its answers are counted."""
        ...

    async def derivatives(self, symbol: str) -> Derivatives | None:
        """Returns the perpetual contracts on a token; None if there are none."""
        ...


class DefiProvider(Protocol):
    """Provides the value locked in DeFi."""

    @property
    def name(self) -> str:
        """The name of the source under which its answers are counted."""
        ...

    async def defi(self, symbol: str) -> Defi | None:
        """Returns the value locked in the protocol of a token; None if it has none."""
        ...
