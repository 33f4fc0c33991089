import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.market.news.model import MAX_SYMBOLS
from app.domains.market.news.rules.mentions import Mentions
from tests.waiting import timed

TOKENS = [
    ("BTC", "Bitcoin"),
    ("BCH", "Bitcoin Cash"),
    ("WBTC", "Wrapped Bitcoin"),
    ("ETH", "Ethereum"),
    ("ETC", "Ethereum Classic"),
    ("ENS", "Ethereum Name Service"),
    ("XRP", "XRP"),
    ("USDT", "Tether"),
    ("LINK", "Chainlink"),
    ("NEAR", "NEAR Protocol"),
    ("OP", "Optimism"),
    ("AR", "Arweave"),
    ("ONE", "Harmony"),
    ("GAS", "Gas"),
    ("AVAX", "Avalanche"),
    ("GRT", "The Graph"),
    ("FET", "Fetch.ai"),
    ("1INCH", "1inch"),
    ("XLM", "Stellar"),
]
MENTIONS = Mentions.of(TOKENS)


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("BTC and $eth", ["BTC", "ETH"]),
        ("bitcoin, BITCOIN, Bitcoin's", ["BTC"]),
        ("Bitcoin Cash is not bitcoin", ["BCH", "BTC"]),
        ("Ethereum Classic, Ethereum Name Service, ether", ["ETC", "ENS", "ETH"]),
        ("Wrapped Bitcoin", ["WBTC"]),
        ("Bitcoin. Cash is king", ["BTC"]),
        ("Fetch.ai. 1INCH", ["FET", "1INCH"]),
        ("ETH/BTC, bitcoin-backed", ["ETH", "BTC"]),
        ("XRP (XRP)", ["XRP"]),
    ],
)
def test_symbols_and_names(text: str, symbols: list[str]) -> None:
    assert MENTIONS.find(text) == symbols


@pytest.mark.parametrize(
    "text",
    [
        "btc eth",
        "ONE of the chains is NEAR the LINK, and GAS fees",
        "AR headsets and an OP post",
        "Avalanche kills two skiers",
        "in harmony with the graph",
        "BTCX XBTC BTC2",
        "$BTCX $DOGE $5",
        "",
        "\x00",
    ],
)
def test_what_is_no_mention(text: str) -> None:
    assert MENTIONS.find(text) == []


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("$one", "ONE"),
        ("Harmony (ONE)", "ONE"),
        ("ONE/USD", "ONE"),
        ("LINK token", "LINK"),
        ("OP-USD", "OP"),
        ("The Graph (GRT)", "GRT"),
        ("Avalanche network", "AVAX"),
        ("Avalanche jumps 18%", "AVAX"),
        ("Stellar gains 7%", "XLM"),
        ("Near Protocol", "NEAR"),
        ("Optimism $OP", "OP"),
    ],
)
def test_an_ordinary_word_counts_where_there_is_no_doubt(text: str, symbol: str) -> None:
    assert MENTIONS.find(text) == [symbol]


@given(st.text(max_size=200))
def test_any_text_gives_known_symbols_once_each(text: str) -> None:
    found = MENTIONS.find(text)
    assert len(set(found)) == len(found)
    assert set(found) <= {symbol for symbol, _ in TOKENS}


@given(st.sampled_from([symbol for symbol, _ in TOKENS]), st.sampled_from(["", "!", ".", ",", "'s", ")"]))
def test_a_cashtag_always_counts(symbol: str, after: str) -> None:
    assert MENTIONS.find(f"why ${symbol.lower()}{after} today") == [symbol]


def test_a_list_of_everything_is_cut() -> None:
    many = Mentions.of((f"TOK{n}", f"Tokenname{n}") for n in range(100))
    assert many.find(" ".join(f"$TOK{n}" for n in range(100))) == [f"TOK{n}" for n in range(MAX_SYMBOLS)]


def test_a_long_text_takes_milliseconds() -> None:
    many = Mentions.of([(f"T{n}X", f"Token name {n}") for n in range(1000)])
    text = "Token name and token Name of the T5Y " * 100_000
    # So long that whatever is worse than linear would take hours.
    with timed("1,000 names in a text of 3,700,000 characters"):
        assert many.find(text) == []
