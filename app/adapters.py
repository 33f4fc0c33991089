"""What one house provides to another that may not import it: the ledger's chain, as the market sees it, and what a new
user begins with.

And what belongs to no house, because it is about several: the pulse of the system.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from app.domains.accounts.house import CHECK_PUBLIC_KEY, HAS_EXCHANGE, PREPARATIONS
from app.domains.accounts.model import NewUser
from app.domains.accounts.services.profiles import HasExchange
from app.domains.accounts.services.registration import CheckPublicKey, PrepareForUser, WriteForUser
from app.domains.campaigns.exports.services.exports import Exports
from app.domains.campaigns.files.services import Files
from app.domains.campaigns.services import CampaignsServices
from app.domains.ledger.model import ChainPosition, ConfirmedPayment
from app.domains.ledger.services import LedgerServices
from app.domains.ledger.services.statistics import Statistics
from app.domains.ledger.services.wallets import parsed_public_key
from app.domains.market.prices.model import PRICES_TOPIC
from app.domains.market.prices.services.recorder import AfterMinute, OnMoves
from app.domains.market.providers.model.chain import ChainActivity, ChainTransfer
from app.domains.market.services import AFTER_MINUTE, CHAIN, ON_LISTINGS, ON_MOVES
from app.domains.market.tokens.services.listing import OnListings
from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.domains.trading.matching.services.prices import PriceNotes
from app.domains.trading.services import TradingServices
from app.kit.clock import Clock
from app.kit.db import Tx
from app.kit.events import EventLog
from app.kit.house import Port, Services, Wiring
from app.kit.hub import Hub
from app.kit.pulse import Pulse, TopicSign
from app.schema.realtime.pulse import FEED, RELAY, TIP
from app.transport.runtime import StoredUpload

SOURCE: Final = "MONETA_LEDGER"
_POSITIONS_BITS: Final = 20
"""A block of a million bytes has fewer transactions than that."""


@dataclass(frozen=True)
class LedgerChain:
    """The ledger as the market's `Chain`. A position is a height and a place in the block, in one number."""

    statistics: Callable[[], Statistics]
    """Called with each question: the ledger may be built after the market."""
    symbol: str
    source: str = SOURCE

    async def activity(self, since: datetime, large: Decimal) -> ChainActivity | None:
        """What has happened on the chain since; None before the first block."""
        activity = await self.statistics().activity(since, large)
        if activity is None:
            return None
        block_time_s = activity.average_block_time_s
        return ChainActivity(
            since=since,
            tip_height=activity.tip_height,
            tip_at=activity.tip_at,
            average_block_time_s=block_time_s,
            difficulty_bits=activity.difficulty_bits,
            # So many hashes are tried for a block on average.
            hashes_per_s=2.0**activity.difficulty_bits / block_time_s if block_time_s > 0 else 0.0,
            circulating=activity.circulating,
            total=activity.total,
            blocks=activity.blocks,
            transactions=activity.payments,
            volume=activity.volume,
            fees=activity.fees,
            active_wallets=activity.active_wallets,
            large_transfers=activity.large_payments,
            largest_transfers=[_transfer(payment) for payment in activity.largest_payments],
        )

    async def transactions_after(self, seq: int, limit: int) -> list[ChainTransfer]:
        """Up to `limit` confirmed payments behind this position, in order."""
        height, position = divmod(seq, 1 << _POSITIONS_BITS)
        payments = await self.statistics().payments_after(ChainPosition(height, position), limit)
        return [_transfer(payment) for payment in payments]

    async def position(self) -> int:
        """Where the chain stands."""
        last = await self.statistics().last_position()
        return 0 if last is None else _position(last.block_height, last.block_position)


def _position(height: int, position: int) -> int:
    return (height << _POSITIONS_BITS) + position


def _transfer(payment: ConfirmedPayment) -> ChainTransfer:
    return ChainTransfer(
        position=_position(payment.block_height, payment.block_position),
        transaction_hash=payment.transaction_hash,
        sender_wallet_id=payment.sender_wallet_id,
        recipient_wallet_id=payment.recipient_wallet_id,
        amount=payment.amount,
        block_height=payment.block_height,
        confirmed_at=payment.confirmed_at,
    )


def preparations_of_new_user(wiring: Wiring) -> Sequence[PrepareForUser]:
    """Prepares a wallet in the ledger, and a portfolio. Both houses are built after accounts."""

    async def wallet(new: NewUser) -> WriteForUser:
        return await wiring.services[LedgerServices].wallets.prepare(new.public_key)

    async def portfolio(_: NewUser) -> WriteForUser:
        return wiring.services[TradingServices].portfolios.create_first

    return wallet, portfolio


def key_of_new_user(_: Wiring) -> CheckPublicKey:
    """Checks a key as the ledger does before it prepares a wallet."""
    return parsed_public_key


def exchanges_of_users(wiring: Wiring) -> HasExchange:
    """Looks for a connected account. Trading is built after accounts."""

    async def has_exchange(tx: Tx, user_id: UUID) -> bool:
        return await wiring.services[TradingServices].exchange_accounts.has_account(tx, user_id)

    return has_exchange


def chain_of_ledger(wiring: Wiring) -> LedgerChain:
    """The ledger's chain, under the symbol of the token that stands for it."""
    return LedgerChain(lambda: wiring.services[LedgerServices].statistics, wiring.resources.settings.chain_symbol)


def followers_of_prices(wiring: Wiring) -> Sequence[OnMoves]:
    """The exchange matches at these prices."""
    return [PriceNotes(wiring.resources.clock).note]


def followers_of_minutes(wiring: Wiring) -> Sequence[AfterMinute]:
    """Bots decide at the end of a candle. Trading is built after the market."""

    async def enqueue_bots(ended_at: datetime) -> None:
        await wiring.services[TradingServices].bot_runner.enqueue(ended_at)

    return [enqueue_bots]


def followers_of_listings(wiring: Wiring) -> Sequence[OnListings]:
    """Ends the books of tokens that are gone. Trading is built after the market."""

    async def end_books(tx: Tx) -> None:
        await wiring.services[TradingServices].maintenance.end_books(tx)

    return [end_books]


@dataclass(frozen=True)
class TenantFiles:
    """The files of campaigns, as the transports send and receive them."""

    files: Files
    exports: Exports

    @classmethod
    def of(cls, services: Services) -> "TenantFiles":
        """Those of these services."""
        return cls(services[CampaignsServices].files, services[CampaignsServices].exports)

    @property
    def limit_bytes(self) -> int:
        """How large a file that is sent can be now."""
        return self.files.limit_bytes

    async def upload(self, tenancy: Tenancy, body: AsyncGenerator[bytes, None]) -> StoredUpload:
        """Stores a file."""
        stored = await self.files.upload(tenancy, body)
        return StoredUpload(stored.id, stored.size_bytes, stored.expires_at)

    async def download(self, tenancy: Tenancy, id: UUID) -> tuple[int, AsyncGenerator[bytes, None]]:
        """The size and the parts of the file of an export."""
        stored, parts = await self.exports.open(tenancy, id)
        return stored.size_bytes, parts


PORTS: Final[Mapping[Port[Any], Callable[[Wiring], Any]]] = {
    PREPARATIONS: preparations_of_new_user,
    CHECK_PUBLIC_KEY: key_of_new_user,
    HAS_EXCHANGE: exchanges_of_users,
    CHAIN: chain_of_ledger,
    ON_MOVES: followers_of_prices,
    AFTER_MINUTE: followers_of_minutes,
    ON_LISTINGS: followers_of_listings,
}


def build_pulse(services: Services, events: EventLog, clock: Clock, hub: Hub) -> Pulse:
    """Tells the subscribers of this process how the parts of the system are."""
    chain = services[LedgerServices].chain

    async def tip_connected_at() -> datetime | None:
        state = await chain.state()
        return None if state is None else state.updated_at

    return Pulse(
        hub,
        clock,
        {
            FEED: TopicSign(hub, PRICES_TOPIC, lambda tick: datetime.fromisoformat(tick["at"])),
            TIP: tip_connected_at,
            RELAY: events.waiting_since,
        },
    )
