"""The exchanges that accounts can be connected to, and the accounts."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import msgspec

from app.domains.trading.exchange.model import OrderType, TimeInForce
from app.domains.trading.exchange.rules.fees import FeeSchedule
from app.domains.trading.quantities.rules import COIN
from app.kit.errors import Code, Problem

MAX_LABEL_CHARS: Final = 100
MAX_CREDENTIAL_CHARS: Final = 4096
"""A private key in PEM has some 1,700."""
PAID_TIERS: Final = frozenset({"pro", "enterprise"})
"""The plans with which real money is traded."""


class ExchangeName(StrEnum):
    """The exchanges that accounts can be connected to."""

    BINANCE = "binance"
    BYBIT = "bybit"
    COINBASE = "coinbase"
    KRAKEN = "kraken"
    OKX = "okx"


class AccountStatus(StrEnum):
    """What may be done with an account."""

    CONNECTED = "connected"
    DISCONNECTING = "disconnecting"
    DISCONNECTED = "disconnected"


class AccountFailure(StrEnum):
    """Why an account cannot be used at the moment."""

    CREDENTIALS = "credentials"
    UNAVAILABLE = "unavailable"


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be known of an exchange: how it is called, and what it can do."""

    name: ExchangeName
    quote: str
    """What dollars are there. A stable coin counts as a dollar."""
    fees: FeeSchedule
    """What an order reserves for fees, which is the most that they usually are. What is charged is the exchange's."""
    types: frozenset[OrderType]
    times_in_force: frozenset[TimeInForce]
    needs_passphrase: bool = False
    client_id: str
    """The parameter of an order that names our ID of it."""
    lookup_id: str | None = None
    """The parameter by which an order is looked up under that ID. Null: it is searched for in lists alone."""
    permissions: str | None = None
    """The call that says what a key may do. Null: the exchange does not say."""
    page: int
    """How many orders or trades a list has at most: where there are as many, there may be more."""
    lists_newest_first: bool = True
    """Whether the newest are left where there are more, and not the oldest."""
    options: Mapping[str, Any] = MappingProxyType({})
    """What the client of the exchange is configured with."""

    def market(self, symbol: str) -> str:
        """The market of a token, as the client calls it."""
        return f"{symbol}/{self.quote}"


_SIMPLE: Final = frozenset({OrderType.MARKET, OrderType.LIMIT})
_TIMES: Final = frozenset({TimeInForce.GOOD_TILL_CANCELLED, TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL})
_SPOT: Final = MappingProxyType({"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}})


def _per_myriad(maker: int, taker: int) -> FeeSchedule:
    return FeeSchedule(maker=COIN * maker // 10_000, taker=COIN * taker // 10_000)


EXCHANGES: Final[Mapping[str, Exchange]] = MappingProxyType(
    {
        each.name: each
        for each in (
            Exchange(
                name=ExchangeName.BINANCE,
                quote="USDT",
                fees=_per_myriad(10, 10),
                types=_SIMPLE | {OrderType.STOP, OrderType.STOP_LIMIT},
                times_in_force=_TIMES,
                client_id="newClientOrderId",
                lookup_id="origClientOrderId",
                permissions="sapi_get_account_apirestrictions",
                page=500,
                lists_newest_first=False,
                # Coins and margins are private calls, and tell nothing that is needed.
                options={
                    **_SPOT,
                    "fetchCurrencies": False,
                    "fetchMargins": False,
                    "warnOnFetchOpenOrdersWithoutSymbol": False,
                },
            ),
            Exchange(
                name=ExchangeName.BYBIT,
                quote="USDT",
                fees=_per_myriad(10, 10),
                types=_SIMPLE,
                times_in_force=_TIMES,
                client_id="clientOrderId",
                permissions="private_get_v5_user_query_api",
                page=50,
                options={
                    **_SPOT,
                    # Every account is a unified one since 2025. Otherwise ccxt asks with the first order, after it was
                    # noted that it is being sent.
                    "enableUnifiedMargin": False,
                    "enableUnifiedAccount": True,
                    "unifiedMarginStatus": 6,
                },
            ),
            Exchange(
                name=ExchangeName.COINBASE,
                quote="USD",
                fees=_per_myriad(60, 120),
                types=_SIMPLE,
                times_in_force=_TIMES,
                client_id="client_order_id",
                permissions="v3_private_get_brokerage_key_permissions",
                page=100,
            ),
            Exchange(
                name=ExchangeName.KRAKEN,
                quote="USD",
                fees=_per_myriad(25, 40),
                types=_SIMPLE,
                times_in_force=_TIMES - {TimeInForce.FILL_OR_KILL},
                client_id="clientOrderId",
                page=50,
            ),
            Exchange(
                name=ExchangeName.OKX,
                quote="USDT",
                fees=_per_myriad(8, 15),
                types=_SIMPLE,
                times_in_force=_TIMES,
                needs_passphrase=True,
                client_id="clientOrderId",
                lookup_id="clientOrderId",
                permissions="private_get_account_config",
                page=100,
                options=_SPOT,
            ),
        )
    }
)
"""By name."""


class ExchangeAccount(msgspec.Struct, frozen=True):
    """An account of a user at an exchange. Its credentials are stored apart, and read by Moneta alone."""

    id: UUID
    user_id: UUID
    exchange: ExchangeName
    label: str
    status: AccountStatus
    may_withdraw: bool | None
    """Null: the exchange does not say."""
    failure: AccountFailure | None
    failing_since: datetime | None
    reached_at: datetime | None
    created_at: datetime
    disconnected_at: datetime | None


class Credentials(msgspec.Struct, frozen=True):
    """What an account is reached with. No text of it shows any."""

    api_key: str
    secret: str
    passphrase: str | None = None

    def __repr__(self) -> str:
        return "Credentials(...)"

    __str__ = __repr__


class NewAccount(msgspec.Struct, frozen=True):
    """An account to connect."""

    exchange: ExchangeName
    label: str
    credentials: Credentials


class CredentialsRefused(Problem):
    """The exchange does not accept these credentials."""


class WithdrawalPermitted(Problem):
    """The key may withdraw. Make one that may only read and trade."""


class PlanRequired(Problem):
    """Trading with real money takes a paid plan. Without one, what is held can be sold."""

    code = Code.FORBIDDEN


class ExchangeUnavailable(Problem):
    """The exchange does not answer, or is busy. Try again later."""

    code = Code.MAINTENANCE


class ExchangeAccountLimitReached(Problem):
    """There can be no further account."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"A user has at most {limit} connected accounts.")
        self.limit = limit


class ExchangeAccountNotConnected(Problem):
    """The account is being disconnected, or has been."""


class ExchangeAccountInUse(Problem):
    """Another portfolio belongs to this account."""

    field = "exchange_account_id"
