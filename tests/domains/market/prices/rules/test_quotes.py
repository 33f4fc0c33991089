from decimal import Decimal

import msgspec

from app.domains.market.prices.model import Day, Quote
from app.domains.market.prices.rules.quotes import completed
from tests.databases import NOON

BARE = Quote("BTC", NOON, Decimal(110), Decimal(165))
DAY = Day(open=Decimal(100), high=Decimal(108), low=Decimal(90), volume_usd=Decimal(1000))


def test_what_the_provider_does_not_say_our_candles_do() -> None:
    assert completed(BARE, DAY) == Quote(
        "BTC",
        NOON,
        Decimal(110),
        Decimal(165),
        volume_24h_usd=Decimal(1000),
        volume_24h_aud=Decimal(1500),
        change_24h=Decimal(10),
        change_percentage_24h=Decimal(10),
        high_24h=Decimal(110),
        low_24h=Decimal(90),
    )


def test_what_the_provider_says_stands() -> None:
    said = msgspec.structs.replace(
        BARE,
        volume_24h_usd=Decimal(5),
        volume_24h_aud=Decimal(6),
        change_24h=Decimal(1),
        change_percentage_24h=Decimal(2),
        high_24h=Decimal(3),
        low_24h=Decimal(4),
    )
    assert completed(said, DAY) == said
    half = msgspec.structs.replace(said, low_24h=None, volume_24h_aud=None)
    assert completed(half, DAY) == msgspec.structs.replace(half, low_24h=Decimal(90), volume_24h_aud=Decimal("7.50"))


def test_nobody_invents_what_nobody_knows() -> None:
    assert completed(BARE, None) == BARE


def test_a_change_beyond_all_measure_is_left_out() -> None:
    from_nothing = Day(open=Decimal("1e-12"), high=Decimal(1), low=Decimal("1e-12"), volume_usd=Decimal(0))
    assert completed(BARE, from_nothing).change_percentage_24h is None
    # 999,999.99999 per cent, which the column would round up.
    almost = msgspec.structs.replace(BARE, price_usd=Decimal("10000.9999999"))
    assert completed(almost, msgspec.structs.replace(DAY, open=Decimal(1))).change_percentage_24h is None
