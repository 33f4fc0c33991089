"""Opening clients of exchanges."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.domains.trading.exchanges.model import EXCHANGES, Credentials, ExchangeName
from app.domains.trading.venues.services.client import ExchangeClient, Markets

TIMEOUT_MS: Final = 5000
"""For each request."""
_SILENT: Final = logging.getLogger("moneta.exchanges")
"""For the clients, which log each request with its key and its signature where everything is logged."""
_SILENT.setLevel(logging.WARNING)


@dataclass(frozen=True)
class Connector:
    """Opens clients. `address` stands in for every exchange, in tests; otherwise exchanges are where ccxt has them."""

    markets: Markets
    address: str | None = None
    timeout_ms: int = TIMEOUT_MS
    options: Mapping[str, Any] | None = None
    """Beside those of the exchange."""

    async def open(self, name: ExchangeName, credentials: Credentials) -> ExchangeClient:
        """A client of an account, which has connected to nothing yet. Close it."""
        module, errors = await asyncio.to_thread(_import)
        exchange = EXCHANGES[name]
        client = getattr(module, name.value)(
            {
                "apiKey": credentials.api_key,
                "secret": credentials.secret,
                "password": credentials.passphrase,
                "enableRateLimit": True,
                "timeout": self.timeout_ms,
                "logger": _SILENT,
                "options": {
                    "adjustForTimeDifference": True,
                    # What is not known to have failed is looked up, and never sent again.
                    "maxRetriesOnFailure": 0,
                    **exchange.options,
                },
                **(self.options or {}),
            }
        )
        # Exactly as the exchange writes them: a float is another number.
        client.number = str
        if self.address is not None:
            client.urls["api"] = _moved(client.urls["api"], self.address)
        return ExchangeClient(exchange, client, errors, self.markets)


def _import() -> tuple[Any, Any]:
    """The clients of all exchanges, and their errors: it takes seconds, and most processes never need them."""
    from ccxt import async_support
    from ccxt.base import errors

    return async_support, errors


def _moved(addresses: Any, address: str) -> Any:
    """The same paths elsewhere."""
    if isinstance(addresses, dict):
        return {name: _moved(each, address) for name, each in addresses.items()}
    scheme, slashes, rest = str(addresses).partition("://")
    return f"{address}/{rest.partition('/')[2]}" if slashes else scheme
