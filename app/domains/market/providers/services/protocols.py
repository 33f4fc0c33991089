"""The interfaces of providers. A provider that cannot answer raises `kit.errors.Unavailable`."""

from typing import Protocol

from app.domains.market.prices.model import QuoteProvider
from app.domains.market.providers.model.defi import Defi
from app.domains.market.providers.model.derivatives import Derivatives
from app.domains.market.providers.model.social import Social
from app.domains.market.tokens.model import TokenProvider


class PriceProvider(TokenProvider, QuoteProvider, Protocol):
    """Lists and quotes tokens."""


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
