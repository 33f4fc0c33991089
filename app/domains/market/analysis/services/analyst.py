"""The interface of analysts, and what they share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

import msgspec

from app.domains.market.analysis.model import AnalysisType
from app.domains.market.analysis.rules.quality import Source
from app.domains.market.tokens.model import Token
from app.domains.market.tokens.statements import TokenSql
from app.kit.clock import Clock
from app.kit.db import Database

T = TypeVar("T")

CALCULATIONS_AT_ONCE: Final = 2
"""The number of threads that calculate at the same time: more would only slow down the event loop."""


class NotAvailable(Exception):
    """The analysis is not available; the message is the reason, for the reader of the analysis."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Examination(msgspec.Struct, frozen=True):
    """Findings, and the completeness and age of their inputs."""

    findings: Any
    sources: tuple[Source, ...]
    is_provisional: bool = False
    """Whether an input did not answer in time."""


class Analyst(Protocol):
    """Computes analyses of one type."""

    @property
    def type(self) -> AnalysisType:
        """The type of its analyses."""
        ...

    async def examine(self, symbol: str) -> Examination:
        """Returns the findings on a listed token. Raises NotAvailable, and Unavailable if an input does not answer."""
        ...


@dataclass(frozen=True)
class AnalysisDeps:
    """The dependencies that all analysts share."""

    database: Database
    clock: Clock
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CALCULATIONS_AT_ONCE))

    async def token(self, symbol: str) -> Token:
        """Returns the token with its newest quote. Raises NotAvailable if it does not exist."""
        token = await self.database.fetch_one(TokenSql.tokens_by_symbols, [symbol])
        if token is None:
            raise NotAvailable(f"{symbol} is not listed.")
        return token

    async def calculate(self, rule: Callable[[], T]) -> T:
        """Runs a slow rule in a thread. Returns its result."""
        async with self._turn:
            return await asyncio.to_thread(rule)

    def age_s(self, at: datetime | None) -> float | None:
        """Returns the age in seconds; 0 for a time in the future."""
        return None if at is None else max(0.0, (self.clock.now() - at).total_seconds())
