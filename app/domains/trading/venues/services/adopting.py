"""Correcting the books by what an exchange says, where that is asked for: over the account of what is outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID, uuid4

from msgspec.structs import replace

from app.domains.trading.journal.model import Currency, EntryKind, Line, NewEntry
from app.domains.trading.journal.rules.entries import moved_lines, transfer_lines
from app.domains.trading.journal.services.batches import lock_cash, read_holdings, store_holdings, take_entry_ids
from app.domains.trading.journal.services.posting import post
from app.domains.trading.portfolios.model import MAX_POSITIONS, PortfolioStatus
from app.domains.trading.portfolios.statements import PortfolioSql, ValueSql
from app.domains.trading.quantities.rules import units_of
from app.domains.trading.venues.model import BooksOfAccount, DifferenceKind, Found
from app.domains.trading.venues.rules.differences import CASH, Adjustment, adjustment_of
from app.domains.trading.venues.statements import ReconcilingSql, SettlingSql
from app.kit.db import Tx

ADOPTED_MEMO: Final = "At the exchange, without an order."
MAX_ASSET_CHARS: Final = 20


@dataclass
class Adoption:
    """Makes the balances of a portfolio those of its exchange. What orders have reserved stays."""

    tx: Tx
    portfolio_id: UUID
    at: datetime
    life: int = 0

    async def adopt(self, user_id: UUID, found: Sequence[Found]) -> list[Found]:
        """Posts what corrects balances; returns what was found, with what of it is corrected now. The caller has locked
        the portfolio.
        """
        portfolio = await self.tx.fetch_one(PortfolioSql.lock_portfolio, self.portfolio_id, user_id)
        if portfolio is None or portfolio.status != PortfolioStatus.OPEN:
            return list(found)
        self.life = portfolio.life
        books = await self._books(found)
        chosen = {each.subject: adjustment for each in found if (adjustment := self._adjustment(each, books))}
        coins = [each for each in chosen.values() if each.asset != CASH]
        cash = chosen.get(CASH)
        for each in coins:
            await self._pay(each.value if each.amount > 0 else Decimal(0))
        await self._pay(max(cash.amount, Decimal(0)) if cash else Decimal(0))
        await self._move(coins)
        for each in coins:
            await self._pay(-each.value if each.amount < 0 else Decimal(0))
        await self._pay(min(cash.amount, Decimal(0)) if cash else Decimal(0))
        return [_with_correction(each, chosen) for each in found]

    async def _books(self, found: Sequence[Found]) -> dict[str, BooksOfAccount]:
        books = {each.asset: each for each in await self.tx.fetch(ReconcilingSql.books, self.portfolio_id)}
        assets = sorted({each.subject for each in found if each.kind is DifferenceKind.BALANCE} - books.keys())
        prices = dict(await self.tx.fetch(SettlingSql.prices_of, assets)) if assets else {}
        free = MAX_POSITIONS - len(books)
        for asset in [each for each in assets if len(each) <= MAX_ASSET_CHARS][:free]:
            books[asset] = BooksOfAccount(asset, Decimal(0), Decimal(0), prices.get(asset))
        return books

    def _adjustment(self, found: Found, books: dict[str, BooksOfAccount]) -> Adjustment | None:
        if found.kind is not DifferenceKind.BALANCE or found.subject not in books:
            return None
        return adjustment_of(found, books)

    async def _pay(self, amount: Decimal) -> None:
        """Cash that came from elsewhere, or went there if it is negative."""
        if not amount:
            return
        self.at += timedelta(microseconds=1)
        kind = EntryKind.DEPOSIT if amount > 0 else EntryKind.WITHDRAWAL
        await post(self.tx, self._entry(kind, transfer_lines(Currency.USD, units_of(amount))))
        await self.tx.execute(ValueSql.record_flow, self.portfolio_id, amount, self.at)

    async def _move(self, coins: Sequence[Adjustment]) -> None:
        """Coins that came from elsewhere for their value, or went there."""
        if not coins:
            return
        places = {(self.portfolio_id, each.asset) for each in coins}
        taken = {(self.portfolio_id, each.asset): -units_of(each.amount) for each in coins if each.amount < 0}
        holdings = await read_holdings(self.tx, await lock_cash(self.tx, [self.portfolio_id]), places, taken)
        ids = await take_entry_ids(self.tx, len(coins), self.at)
        entries = list[tuple[int, NewEntry]]()
        for id, each in zip(ids, coins, strict=True):
            lines = moved_lines(each.asset, units_of(each.amount), units_of(each.value))
            entry = self._entry(EntryKind.TRANSFER, lines)
            holdings.post(entry, uuid4())
            entries.append((id, entry))
        await store_holdings(self.tx, holdings, entries, self.at)

    def _entry(self, kind: EntryKind, lines: tuple[Line, ...]) -> NewEntry:
        return NewEntry(
            kind=kind,
            portfolio_id=self.portfolio_id,
            life=self.life,
            lines=lines,
            at=self.at,
            memo=ADOPTED_MEMO,
        )


def _with_correction(found: Found, chosen: dict[str, Adjustment]) -> Found:
    """Corrected is what now agrees as a whole."""
    adjustment = chosen.get(found.subject) if found.kind is DifferenceKind.BALANCE else None
    if adjustment is None or found.at_exchange is None or found.in_books is None:
        return found
    return replace(found, is_corrected=adjustment.amount == found.at_exchange - found.in_books)
