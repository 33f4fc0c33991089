"""What every analyst gives: findings, and what they were made of."""

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
"""Threads that reckon at once in a process: more would only take the event loop's turns."""


class NotAvailable(Exception):
    """There is nothing to find; the message says why, to the reader of the analysis."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Examined(msgspec.Struct, frozen=True):
    """Findings, and how complete and fresh the inputs were."""

    findings: Any
    sources: tuple[Source, ...]
    is_makeshift: bool = False
    """Whether somebody who should have had a part in it did not answer."""


class Analyst(Protocol):
    """Makes analyses of one type."""

    @property
    def type(self) -> AnalysisType:
        """Which."""
        ...

    async def examine(self, symbol: str) -> Examined:
        """The findings on a token that is listed. Raises NotAvailable; Unavailable where an input does not answer."""
        ...


@dataclass(frozen=True)
class Desk:
    """What all analysts work with."""

    database: Database
    clock: Clock
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CALCULATIONS_AT_ONCE))

    async def token(self, symbol: str) -> Token:
        """The token with its newest quote. Raises NotAvailable where it is not listed any more."""
        token = await self.database.fetch_one(TokenSql.tokens_by_symbols, [symbol])
        if token is None:
            raise NotAvailable(f"{symbol} is not listed.")
        return token

    async def calculate(self, rule: Callable[[], T]) -> T:
        """What a rule gives that takes its time, in a thread."""
        async with self._turn:
            return await asyncio.to_thread(rule)

    def age_s(self, at: datetime | None) -> float | None:
        """How long ago something was; 0 for what is yet to end."""
        return None if at is None else max(0.0, (self.clock.now() - at).total_seconds())
