"""What a provider can be asked. Whoever cannot answer raises `kit.errors.Unavailable`."""

from collections.abc import Sequence
from typing import Protocol

from app.domains.market.prices.model import Quotes
from app.domains.market.sources.model.defi import Defi
from app.domains.market.sources.model.derivatives import Derivatives
from app.domains.market.sources.model.social import Social
from app.domains.market.tokens.model import Listing


class PriceProvider(Protocol):
    """Lists tokens and quotes them."""

    @property
    def name(self) -> str:
        """The exchange that its quotes are stored under."""
        ...

    @property
    def period_s(self) -> float:
        """How long to wait between two questions for quotes."""
        ...

    async def tokens(self, limit: int) -> list[Listing]:
        """The largest tokens by market capitalisation, best rank first; symbols may repeat."""
        ...

    async def quotes(self, symbols: Sequence[str]) -> Quotes:
        """What these tokens are worth now, each at most once; what is not believed is counted."""
        ...


class SocialProvider(Protocol):
    """Knows what is said."""

    @property
    def name(self) -> str:
        """Under which its answers are counted."""
        ...

    async def social(self, symbol: str) -> Social | None:
        """What is said about a token; None where it knows none of this symbol."""
        ...


class DerivativesProvider(Protocol):
    """Knows the futures."""

    @property
    def name(self) -> str:
        """Under which its answers are counted."""
        ...

    async def derivatives(self, symbol: str) -> Derivatives | None:
        """The perpetual contracts on a token; None where there are none."""
        ...


class DefiProvider(Protocol):
    """Knows what is locked."""

    @property
    def name(self) -> str:
        """Under which its answers are counted."""
        ...

    async def defi(self, symbol: str) -> Defi | None:
        """What is locked in a token's protocol; None where it has none."""
        ...
