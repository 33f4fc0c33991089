"""Parses the responses of CoinGecko."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.domains.market.providers.model.defi import Defi
from app.domains.market.providers.model.derivatives import Derivatives, Venue
from app.domains.market.providers.services.validation import (
    MONEY_LIMIT,
    RawQuote,
    RejectedValue,
    number,
    share,
    text,
)
from app.domains.market.sources.model import Reason
from app.domains.market.tokens.model import Listing

VENUES_SHOWN = 5

_CENT = Decimal("0.01")


def rows_of(answer: Any, ignored: Counter[str]) -> list[dict[str, Any]]:
    """Returns the objects of a list. Raises RejectedValue if it is not a list: then it is an error message."""
    if not isinstance(answer, list):
        raise RejectedValue(Reason.MALFORMED)
    rows = [row for row in answer if isinstance(row, dict)]
    if len(rows) < len(answer):
        ignored[Reason.MALFORMED.value] += len(answer) - len(rows)
    return rows


def listings_of(answer: Any, ignored: Counter[str]) -> list[Listing]:
    """Returns the tokens of `/coins/markets`."""
    listings = []
    for row in rows_of(answer, ignored):
        id, symbol, name = text(row.get("id"), 100), text(row.get("symbol"), 20), text(row.get("name"), 255)
        rank = row.get("market_cap_rank")
        if (
            not id
            or not symbol
            or not name
            or type(rank) is not int
            or not 0 < rank < 10**6
            or len(symbol.upper()) > 20
        ):
            ignored[Reason.INCOMPLETE.value] += 1
            continue
        listings.append(Listing(id, symbol.upper(), name, rank, image_url=_image(row.get("image"))))
    return listings


def raw_quotes_of(in_usd: Any, in_aud: Any, symbols_by_id: Mapping[str, str], ignored: Counter[str]) -> list[RawQuote]:
    """Returns the quotes of `/coins/markets`, requested in dollars and in Australian dollars."""
    aud_rows = {_key(row): row for row in rows_of(in_aud, ignored)}
    raw_quotes = []
    for row in rows_of(in_usd, ignored):
        symbol = symbols_by_id.get(_key(row))
        if symbol is None:
            ignored[Reason.UNKNOWN_SYMBOL.value] += 1
            continue
        australian = aud_rows.get(_key(row), {})
        raw_quotes.append(
            RawQuote(
                symbol=symbol,
                at=row.get("last_updated"),
                price_usd=row.get("current_price"),
                price_aud=australian.get("current_price"),
                volume_24h_usd=row.get("total_volume"),
                volume_24h_aud=australian.get("total_volume"),
                change_24h=row.get("price_change_24h"),
                change_percentage_24h=row.get("price_change_percentage_24h"),
                market_cap_usd=row.get("market_cap"),
                market_cap_aud=australian.get("market_cap"),
                high_24h=row.get("high_24h"),
                low_24h=row.get("low_24h"),
            )
        )
    return raw_quotes


def derivatives_of(answer: Any, at: datetime, ignored: Counter[str]) -> dict[str, Derivatives]:
    """Returns the perpetual contracts of `/derivatives`, by the symbol of the underlying token."""
    contracts: dict[str, list[_Contract]] = defaultdict(list)
    for row in rows_of(answer, ignored):
        symbol = text(row.get("index_id"), 20)
        if row.get("contract_type") != "perpetual" or row.get("expired_at") is not None:
            continue
        try:
            contract = _Contract(row)
        except RejectedValue as rejected:
            ignored[rejected.reason.value] += 1
            continue
        if symbol is None:
            ignored[Reason.INCOMPLETE.value] += 1
            continue
        contracts[symbol.upper()].append(contract)
    return {symbol: _combined(symbol, at, found) for symbol, found in contracts.items()}


def defi_of(answer: Any, symbol: str, at: datetime) -> Defi | None:
    """Returns the value locked, of `/coins/{id}`. Raises RejectedValue if it is not valid."""
    market = answer.get("market_data") if isinstance(answer, dict) else None
    if not isinstance(market, dict):
        raise RejectedValue(Reason.MALFORMED)
    locked = market.get("total_value_locked")
    if locked is None:
        return None
    if not isinstance(locked, dict):
        raise RejectedValue(Reason.MALFORMED)
    value = number(locked.get("usd"), MONEY_LIMIT).quantize(_CENT)
    if value == 0:
        raise RejectedValue(Reason.ZERO)
    limit = Decimal(10) ** 9
    return Defi(
        symbol,
        at,
        value,
        market_cap_to_tvl=share(market.get("mcap_to_tvl_ratio"), limit),
        diluted_valuation_to_tvl=share(market.get("fdv_to_tvl_ratio"), limit),
    )


class _Contract:
    """One contract, with its valid values."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.market = text(row.get("market"), 100) or "?"
        self.interest = number(row.get("open_interest"), MONEY_LIMIT)
        self.volume = number(row.get("volume_24h"), MONEY_LIMIT)
        self.funding = share(row.get("funding_rate"), signed=True)
        self.basis = share(row.get("basis"), signed=True)


def _combined(symbol: str, at: datetime, contracts: list[_Contract]) -> Derivatives:
    venues: dict[str, tuple[Decimal, Decimal]] = {}
    for contract in contracts:
        interest, volume = venues.get(contract.market, (Decimal(0), Decimal(0)))
        venues[contract.market] = (interest + contract.interest, volume + contract.volume)
    largest = sorted(venues.items(), key=lambda venue: (-venue[1][0], venue[0]))[:VENUES_SHOWN]
    return Derivatives(
        symbol,
        at,
        contracts=len(contracts),
        open_interest_usd=sum((interest for interest, _ in venues.values()), Decimal(0)).quantize(_CENT),
        volume_24h_usd=sum((volume for _, volume in venues.values()), Decimal(0)).quantize(_CENT),
        funding_rate_percentage=_weighted([(each.funding, each.interest) for each in contracts]),
        basis_percentage=_weighted([(each.basis, each.interest) for each in contracts]),
        venues=[Venue(name, interest.quantize(_CENT), volume.quantize(_CENT)) for name, (interest, volume) in largest],
    )


def _weighted(values: list[tuple[float | None, Decimal]]) -> float | None:
    known = [(value, float(weight)) for value, weight in values if value is not None and weight > 0]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None


def _image(value: Any) -> str | None:
    url = text(value, 2048)
    return url if url is not None and url.startswith("https://") else None


def _key(row: Mapping[str, Any]) -> str:
    id = row.get("id")
    return id if isinstance(id, str) else ""
