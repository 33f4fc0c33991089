"""Analyses of what happens elsewhere: on the token's chain, in its futures, in its protocol."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, Final

from app.domains.market.analysis.model import AnalysisType
from app.domains.market.analysis.model.on_chain import OnChainFindings
from app.domains.market.analysis.rules.quality import Source
from app.domains.market.analysis.services.findings import Desk, Examined, NotAvailable
from app.domains.market.sources.model.chain import Chain
from app.domains.market.sources.services.providers import DefiProvider, DerivativesProvider

LARGE: Final = Decimal(100)
"""Coins from which on a transfer is a large one: a fifth of a block's first reward."""

HOUR_S: Final = 3600.0
DAY_S: Final = 24 * HOUR_S


@dataclass(frozen=True)
class OnChainAnalyst:
    """The chain that we are told of; nothing is known of any other."""

    type: ClassVar = AnalysisType.ON_CHAIN
    desk: Desk
    chain: Chain

    async def examine(self, symbol: str) -> Examined:
        """The last 24 hours of the chain."""
        if symbol != self.chain.symbol:
            raise NotAvailable(
                f"Only the chain of {self.chain.symbol} is followed; no provider knows that of {symbol}."
            )
        activity = await self.chain.activity(self.desk.clock.now() - timedelta(hours=24), LARGE)
        if activity is None:
            raise NotAvailable("Its chain has not begun.")
        token = await self.desk.token(symbol)
        price = token.price_usd
        findings = OnChainFindings(
            source=self.chain.source,
            tip_height=activity.tip_height,
            tip_at=activity.tip_at,
            average_block_time_s=activity.average_block_time_s,
            difficulty_bits=activity.difficulty_bits,
            hashes_per_s=activity.hashes_per_s,
            circulating=activity.circulating,
            total=activity.total,
            blocks_24h=activity.blocks,
            transactions_24h=activity.transactions,
            volume_24h=activity.volume,
            volume_24h_usd=None if price is None else round(activity.volume * price, 2),
            fees_24h=activity.fees,
            active_wallets_24h=activity.active_wallets,
            large_threshold=LARGE,
            large_transfers_24h=activity.large_transfers,
            largest_transfers=list(activity.largest_transfers),
        )
        sources = (
            Source("chain", 4.0, 1.0, self.desk.age_s(activity.tip_at), HOUR_S / 6, DAY_S),
            Source("quote", 1.0, float(price is not None), self.desk.age_s(token.last_updated), HOUR_S / 6, DAY_S),
        )
        return Examined(findings, sources)


@dataclass(frozen=True)
class DerivativesAnalyst:
    """Futures, where a provider is configured."""

    type: ClassVar = AnalysisType.DERIVATIVES
    desk: Desk
    provider: DerivativesProvider | None

    async def examine(self, symbol: str) -> Examined:
        """Perpetual contracts at all exchanges together."""
        if self.provider is None:
            raise NotAvailable("No provider of derivatives is configured.")
        found = await self.provider.derivatives(symbol)
        if found is None:
            raise NotAvailable(f"{self.provider.name} knows no perpetual contracts on it.")
        said = (found.funding_rate_percentage, found.basis_percentage)
        complete = (2 + sum(each is not None for each in said)) / 4
        return Examined(found, (Source(self.provider.name, 1.0, complete, self.desk.age_s(found.at), 300, HOUR_S),))


@dataclass(frozen=True)
class DefiAnalyst:
    """Locked value, where a provider is configured."""

    type: ClassVar = AnalysisType.DEFI
    desk: Desk
    provider: DefiProvider | None

    async def examine(self, symbol: str) -> Examined:
        """What is locked in the token's protocol."""
        if self.provider is None:
            raise NotAvailable("No provider of decentralised finance is configured.")
        found = await self.provider.defi(symbol)
        if found is None:
            raise NotAvailable(f"{self.provider.name} knows no protocol behind it.")
        said = (found.market_cap_to_tvl, found.diluted_valuation_to_tvl)
        complete = (2 + sum(each is not None for each in said)) / 4
        return Examined(found, (Source(self.provider.name, 1.0, complete, self.desk.age_s(found.at), HOUR_S, DAY_S),))
