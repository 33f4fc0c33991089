"""Completing quotes: values of 24 hours that a provider does not report are calculated from our own candles."""

from decimal import Decimal

import msgspec

from app.domains.market.prices.model import Day, Quote

_PERCENT = Decimal("0.0001")
_CENT = Decimal("0.01")
_PERCENT_LIMIT = Decimal(10) ** 6


def completed(quote: Quote, day: Day | None) -> Quote:
    """Returns the quote with its change, range and volume of 24 hours, as far as they are known."""
    reported = (quote.change_24h, quote.change_percentage_24h, quote.high_24h, quote.low_24h, quote.volume_24h_usd)
    if day is None or None not in reported:
        return quote
    change = quote.price_usd - day.open
    volume_usd = day.volume_usd if quote.volume_24h_usd is None else quote.volume_24h_usd
    return msgspec.structs.replace(
        quote,
        change_24h=change if quote.change_24h is None else quote.change_24h,
        change_percentage_24h=_percentage(change, day.open)
        if quote.change_percentage_24h is None
        else quote.change_percentage_24h,
        high_24h=max(day.high, quote.price_usd) if quote.high_24h is None else quote.high_24h,
        low_24h=min(day.low, quote.price_usd) if quote.low_24h is None else quote.low_24h,
        volume_24h_usd=volume_usd,
        volume_24h_aud=(volume_usd * quote.price_aud / quote.price_usd).quantize(_CENT)
        if quote.volume_24h_aud is None
        else quote.volume_24h_aud,
    )


def _percentage(change: Decimal, of: Decimal) -> Decimal | None:
    percentage = change / of * 100
    if abs(percentage) >= _PERCENT_LIMIT:
        # The column cannot hold larger values, and they would not be useful.
        return None
    rounded = percentage.quantize(_PERCENT)
    return rounded if abs(rounded) < _PERCENT_LIMIT else None
