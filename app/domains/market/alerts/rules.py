"""Which conditions are valid, their thresholds, and the texts of notifications."""

from decimal import Decimal
from typing import Final, NamedTuple

from app.domains.market.alerts.model import (
    MAX_COINS,
    MAX_COOLDOWN_S,
    MAX_MULTIPLE,
    MAX_WINDOW_MINUTES,
    Comparison,
    Condition,
    NewsImpact,
    PriceAbove,
    PriceBelow,
    Rearm,
    SentimentChange,
    TechnicalIndicator,
    VolumeSpike,
    WhaleTransaction,
)
from app.domains.market.prices.model import PRICE_LIMIT
from app.kit.errors import Faults, InvalidInput

VOLUME_STEP_MINUTES: Final = 5
"""The length of the candles over which volumes are measured."""
PRICE_DECIMALS: Final = 12
COIN_DECIMALS: Final = 8
MAX_TITLE: Final = 200
MAX_MESSAGE: Final = 2000
_LARGEST_STORED: Final = PRICE_LIMIT - Decimal(1).scaleb(-PRICE_DECIMALS)


def check_condition(condition: Condition) -> None:
    """Raises InvalidInput, naming the field, for a condition that can never be met."""
    match condition:
        case PriceAbove(price) | PriceBelow(price):
            _check_decimal("price_usd", price, above=Decimal(0), below=PRICE_LIMIT, decimals=PRICE_DECIMALS)
        case VolumeSpike(multiple, window):
            with Faults() as faults:
                if window % VOLUME_STEP_MINUTES or not VOLUME_STEP_MINUTES <= window <= MAX_WINDOW_MINUTES:
                    faults.add(
                        "window_ms",
                        f"A window has {60_000 * VOLUME_STEP_MINUTES:,} to {60_000 * MAX_WINDOW_MINUTES:,}"
                        f" milliseconds, in steps of {60_000 * VOLUME_STEP_MINUTES:,}.",
                    )
                _check_decimal("volume_ratio", multiple, above=Decimal(1), below=Decimal(MAX_MULTIPLE + 1), decimals=4)
        case TechnicalIndicator(value=value):
            _check_decimal("value", value, above=-PRICE_LIMIT, below=PRICE_LIMIT, decimals=PRICE_DECIMALS)
        case SentimentChange(points):
            _check_integer("points", points, 1, 99)
        case WhaleTransaction(amount):
            _check_decimal("min_amount", amount, above=Decimal(0), below=Decimal(MAX_COINS + 1), decimals=COIN_DECIMALS)
        case NewsImpact(impact):
            _check_integer("min_impact", impact, 1, 100)


def check_rearm(rearm: Rearm, cooldown_s: int | None) -> None:
    """Raises InvalidInput for a cooldown that is missing, out of range, or given with another setting."""
    if rearm is not Rearm.AFTER_COOLDOWN:
        if cooldown_s is not None:
            raise InvalidInput("cooldown_ms", "Only AFTER_COOLDOWN has a cooldown.")
    elif cooldown_s is None or not 1 <= cooldown_s <= MAX_COOLDOWN_S:
        raise InvalidInput(
            "cooldown_ms", f"A cooldown has 1,000 to {1_000 * MAX_COOLDOWN_S:,} milliseconds, in steps of 1,000."
        )


def _check_decimal(field: str, value: Decimal, *, above: Decimal, below: Decimal, decimals: int) -> None:
    if not value.is_finite():
        raise InvalidInput(field, "This is not a number.")
    if not above < value < below:
        raise InvalidInput(field, f"This must be more than {above:,f} and less than {below:,f}.")
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > decimals:
        raise InvalidInput(field, f"This has at most {decimals} decimals.")


def _check_integer(field: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidInput(field, f"This must be between {least} and {most}.")


def threshold_of(condition: Condition) -> Decimal:
    """Returns the number that the measured value is compared with."""
    match condition:
        case PriceAbove(price) | PriceBelow(price):
            return price
        case VolumeSpike(multiple):
            return multiple
        case TechnicalIndicator(value=value):
            return value
        case SentimentChange(points):
            return Decimal(points)
        case WhaleTransaction(amount):
            return amount
        case NewsImpact(impact):
            return Decimal(impact)


def storable(value: Decimal) -> Decimal:
    """Returns the value as the column of measured values can hold it."""
    bounded = max(-_LARGEST_STORED, min(_LARGEST_STORED, value))
    return round(bounded, PRICE_DECIMALS)


def shown(value: Decimal) -> str:
    """Formats a number for people: at most eight significant digits, all digits before the point, no exponent."""
    decimals = max(2, 7 - value.adjusted()) if value else 2
    whole, _, rest = f"{value:,.{min(decimals, PRICE_DECIMALS)}f}".partition(".")
    rest = rest.rstrip("0")
    return f"{whole}.{rest.ljust(2, '0')}" if rest else whole


class Text(NamedTuple):
    """The text of a notification."""

    title: str
    message: str


def crossing_text(symbol: str, condition: Condition, value: Decimal, source: str) -> Text:
    """Returns the text for a value that crossed its threshold; `source` is the source of a price."""
    match condition:
        case PriceAbove(price):
            return Text(f"{symbol} rose to {shown(price)} USD", f"{symbol} is at {shown(value)} USD ({source}).")
        case PriceBelow(price):
            return Text(f"{symbol} fell to {shown(price)} USD", f"{symbol} is at {shown(value)} USD ({source}).")
        case VolumeSpike(multiple, window):
            return Text(
                f"{symbol} trades {shown(value)} times its usual volume",
                f"Over {window} minutes, against the 24 hours before. You asked for {shown(multiple)} times.",
            )
        case TechnicalIndicator(indicator, interval, comparison, threshold):
            verb = "rose to" if comparison is Comparison.ABOVE else "fell to"
            return Text(
                f"{symbol}: {indicator.value.upper().replace('_', ' ')} {verb} {shown(threshold)}",
                f"It is {shown(value)} on closed {interval.value} candles.",
            )
    raise TypeError(f"{condition} has no threshold that is crossed")


def sentiment_text(symbol: str, before: Decimal, after: Decimal) -> Text:
    """Returns the text for a change of sentiment."""
    verb = "rose" if after > before else "fell"
    return Text(
        f"Sentiment of {symbol} {verb} by {shown(abs(after - before))} points",
        f"It is {shown(after)} of 100, and was {shown(before)}.",
    )


def whale_text(symbol: str, amount: Decimal, transaction_hash: str, block_height: int) -> Text:
    """Returns the text for a large payment."""
    return Text(
        f"{shown(amount)} {symbol} were moved",
        f"Transaction {transaction_hash} in block {block_height:,}.",
    )


def news_text(symbol: str, headline: str, impact: int, url: str) -> Text:
    """Returns the text for an article."""
    prefix = f"{symbol}: "
    return Text(prefix + headline[: MAX_TITLE - len(prefix)], f"Impact {impact} of 100. {url}"[:MAX_MESSAGE])
