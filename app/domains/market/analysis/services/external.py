"""Analyses of external data: the chain of a token, its futures, its protocol."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, Final

from app.domains.market.analysis.model import AnalysisType
from app.domains.market.analysis.model.on_chain import OnChainFindings
from app.domains.market.analysis.rules.quality import Source
from app.domains.market.analysis.services.analyst import AnalysisDeps, Examination, NotAvailable
from app.domains.market.sources.model.chain import Chain
from app.domains.market.sources.services.providers import DefiProvider, DerivativesProvider

LARGE: Final = Decimal(100)
"""The amount in coins from which on a transfer is large: a fifth of the first block reward."""

HOUR_S: Final = 3600.0
DAY_S: Final = 24 * HOUR_S


@dataclass(frozen=True)
class OnChainAnalyst:
    """The chain that is followed. There is no data about other chains."""

    type: ClassVar = AnalysisType.ON_CHAIN
    deps: AnalysisDeps
    chain: Chain

    async def examine(self, symbol: str) -> Examination:
        """Examines the last 24 hours of the chain."""
        if symbol != self.chain.symbol:
            raise NotAvailable(
                f"Only the chain of {self.chain.symbol} is followed; no provider knows that of {symbol}."
            )
        activity = await self.chain.activity(self.deps.clock.now() - timedelta(hours=24), LARGE)
        if activity is None:
            raise NotAvailable("Its chain has not begun.")
        token = await self.deps.token(symbol)
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
            Source("chain", 4.0, 1.0, self.deps.age_s(activity.tip_at), HOUR_S / 6, DAY_S),
            Source("quote", 1.0, float(price is not None), self.deps.age_s(token.last_updated), HOUR_S / 6, DAY_S),
        )
        return Examination(findings, sources)


@dataclass(frozen=True)
class DerivativesAnalyst:
    """Futures, if a provider is configured."""

    type: ClassVar = AnalysisType.DERIVATIVES
    deps: AnalysisDeps
    provider: DerivativesProvider | None

    async def examine(self, symbol: str) -> Examination:
        """Examines the perpetual contracts at all exchanges."""
        if self.provider is None:
            raise NotAvailable("No provider of derivatives is configured.")
        found = await self.provider.derivatives(symbol)
        if found is None:
            raise NotAvailable(f"{self.provider.name} knows no perpetual contracts on it.")
        said = (found.funding_rate_percentage, found.basis_percentage)
        complete = (2 + sum(each is not None for each in said)) / 4
        return Examination(found, (Source(self.provider.name, 1.0, complete, self.deps.age_s(found.at), 300, HOUR_S),))


@dataclass(frozen=True)
class DefiAnalyst:
    """Locked value, if a provider is configured."""

    type: ClassVar = AnalysisType.DEFI
    deps: AnalysisDeps
    provider: DefiProvider | None

    async def examine(self, symbol: str) -> Examination:
        """Examines the value locked in the protocol of the token."""
        if self.provider is None:
            raise NotAvailable("No provider of decentralised finance is configured.")
        found = await self.provider.defi(symbol)
        if found is None:
            raise NotAvailable(f"{self.provider.name} knows no protocol behind it.")
        said = (found.market_cap_to_tvl, found.diluted_valuation_to_tvl)
        complete = (2 + sum(each is not None for each in said)) / 4
        return Examination(
            found, (Source(self.provider.name, 1.0, complete, self.deps.age_s(found.at), HOUR_S, DAY_S),)
        )
