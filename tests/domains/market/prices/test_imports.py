from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from app.domains.market.prices.model import Candle, Interval
from app.domains.market.prices.rules.imports import BadRow, Terms, candle_of
from app.domains.market.prices.services.history import History
from app.domains.market.prices.services.importer import BadFile, Importer
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.errors import InvalidInput
from tests.databases import NOON, Owner
from tests.domains.market.token_listing import list_tokens

MINUTE = timedelta(minutes=1)
HEAD = "symbol,opened_at,open,high,low,close,volume_usd"
TERMS = Terms({"BTC", "ETH"}, "simulated", NOON - timedelta(days=700), NOON)
ROW = {"symbol": "btc", "opened_at": "2026-11-21T11:00:00Z", "open": "1", "high": "3", "low": "0.5", "close": "2"}


@pytest.fixture
def importer(database: Database, clock: FixedClock) -> Importer:
    return Importer(database, clock, History(database), "simulated")


@pytest_asyncio.fixture
async def listed(owner: Owner) -> None:
    await list_tokens(owner)


def seen(done: int, total: int) -> None:
    assert 0 <= done <= total


def lines(count: int, symbol: str = "BTC") -> list[str]:
    """A candle a minute up to noon, each a dollar above the one before."""
    start = NOON - count * MINUTE
    return [f"{symbol},{(start + n * MINUTE).isoformat()},{n + 1},{n + 2},{n + 0.5},{n + 1.5},10" for n in range(count)]


def written(path: Path, rows: list[str], head: str = HEAD) -> Path:
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


async def count(owner: Owner) -> dict[str, int]:
    return {row[0]: row[1] for row in await owner.fetch("SELECT interval, count(*) FROM candles GROUP BY 1")}


def test_a_row_with_all_that_it_needs() -> None:
    assert candle_of(ROW, TERMS) == Candle(
        "BTC",
        "simulated",
        Interval.ONE_MINUTE,
        datetime(2026, 11, 21, 11, tzinfo=UTC),
        Decimal(1),
        Decimal(3),
        Decimal("0.5"),
        Decimal(2),
        Decimal(0),
    )


@pytest.mark.parametrize("moment", ["2026-11-21T12:00:00+01:00", "1795258800", 1795258800, datetime(2026, 11, 21, 11)])  # noqa: DTZ001
def test_moments_in_every_form(moment: object) -> None:
    assert candle_of(ROW | {"opened_at": moment}, TERMS).opened_at == datetime(2026, 11, 21, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"symbol": "XXX"}, "there is no token 'XXX'"),
        ({"symbol": None}, "symbol is missing"),
        ({"symbol": "B\0"}, "there is no token 'B\\x00'"),
        ({"opened_at": "2026-11-21T11:00:00"}, "opened_at has no offset from UTC"),
        ({"opened_at": "yesterday"}, "opened_at is neither ISO 8601 nor seconds since 1970"),
        ({"opened_at": "9" * 30}, "opened_at is neither ISO 8601 nor seconds since 1970"),
        ({"opened_at": None}, "opened_at is neither ISO 8601 nor seconds since 1970"),
        ({"opened_at": "2026-11-21T11:00:01Z"}, "no candle of 1m begins at 2026-11-21T11:00:01+00:00"),
        ({"opened_at": "2026-11-21T12:01:00Z"}, "opened_at is in the future"),
        ({"opened_at": "0"}, "opened_at is before 2024-12-21, as far back as candles are kept"),
        ({"interval": "2m"}, "interval is none of 1m, 5m, 1h, 1d"),
        ({"interval": "1d"}, "no candle of 1d begins at 2026-11-21T11:00:00+00:00"),
        ({"open": "NaN"}, "open is no number"),
        ({"open": "Infinity"}, "open is no number"),
        ({"open": ""}, "open is no number"),
        ({"open": "-1"}, "open is not between 0 and 1,000,000,000,000"),
        ({"close": "1e30"}, "close is not between 0 and 1,000,000,000,000"),
        ({"low": "1e-13"}, "low has more digits than are kept"),
        ({"high": "1.5"}, "open and close are not between low and high"),
        ({"volume_usd": "-1"}, "volume_usd is negative or too large"),
        ({"volume_usd": "1e17"}, "volume_usd is negative or too large"),
        ({"volume_usd": "many"}, "volume_usd is no number"),
        ({"exchange": "x" * 41}, "exchange is not a name of at most 40 characters"),
        ({None: ["more"]}, "it has more fields than the head line"),
    ],
)
def test_why_a_row_is_no_candle(changes: dict[Any, Any], reason: str) -> None:
    with pytest.raises(BadRow) as caught:
        candle_of(ROW | changes, TERMS)
    assert str(caught.value) == reason


@given(
    st.fixed_dictionaries(
        {name: st.one_of(st.none(), st.text(), st.integers(), st.floats(), st.binary(max_size=3)) for name in ROW},
        optional={
            name: st.one_of(st.none(), st.text(), st.floats()) for name in ("volume_usd", "interval", "exchange")
        },
    )
)
def test_no_row_is_worse_than_bad(row: dict[str, Any]) -> None:
    with pytest.raises(BadRow):
        candle_of(row | {"symbol": "BTC", "opened_at": "2026-11-21T11:00:00Z", "close": "-0"}, TERMS)
    with pytest.raises(BadRow):
        candle_of(row | {"symbol": "NONE OF OURS"}, TERMS)


@pytest.mark.usefixtures("listed")
async def test_the_sum_of_the_largest_volumes_is_stored(importer: Importer, owner: Owner, tmp_path: Path) -> None:
    rows = [line.removesuffix(",10") + ",99999999999999999.999" for line in lines(1440)]
    await importer.run(written(tmp_path / "history.csv", rows), seen)
    assert await owner.fetchval("SELECT sum(volume_usd) FROM candles WHERE interval = '1d'") == 1440 * Decimal(10) ** 17


@pytest.mark.usefixtures("listed")
async def test_a_file_is_stored_and_rolled_up_and_a_second_time_changes_nothing(
    importer: Importer, owner: Owner, tmp_path: Path
) -> None:
    path = written(tmp_path / "prices.csv", [*lines(130), *lines(70, "ETH")])
    assert (await importer.run(path, seen)).stored == 200
    versions = await owner.fetch("SELECT xmin::text, ctid::text FROM candles ORDER BY 2")
    assert await count(owner) == {"1m": 200, "5m": 26 + 14, "1h": 3 + 2, "1d": 2}
    assert (await importer.run(path, seen)).stored == 200
    assert await owner.fetch("SELECT xmin::text, ctid::text FROM candles ORDER BY 2") == versions


@pytest.mark.usefixtures("listed")
async def test_one_bad_row_refuses_the_file_and_says_which(importer: Importer, owner: Owner, tmp_path: Path) -> None:
    path = written(tmp_path / "prices.csv", [*lines(3), "XXX,2026-11-21T11:00:00Z,1,1,1,1,1", *lines(1), "BTC,,1"])
    with pytest.raises(BadFile) as caught:
        await importer.run(path, seen)
    assert caught.value.message == (
        f"{path}: 2 bad rows, nothing was stored.\nline 5: there is no token 'XXX'\n"
        "line 7: opened_at is neither ISO 8601 nor seconds since 1970"
    )
    assert await count(owner) == {}
    imported = await importer.run(path, seen, skip_bad=True)
    assert (imported.stored, imported.skipped, len(imported.named)) == (3, 2, 2)
    assert (await count(owner))["1m"] == 3


@pytest.mark.usefixtures("listed")
async def test_of_many_bad_rows_some_are_named_and_all_counted(importer: Importer, tmp_path: Path) -> None:
    path = written(tmp_path / "prices.csv", ["XXX,0,1,1,1,1,1"] * 1000)
    with pytest.raises(BadFile, match="1,000 bad rows") as caught:
        await importer.run(path, seen)
    assert caught.value.message.endswith("and 980 more")


@pytest.mark.usefixtures("listed")
async def test_an_import_that_is_cut_off_is_completed_by_a_second_one(
    importer: Importer, owner: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.domains.market.prices.services.importer.BATCH", 50)
    path = written(tmp_path / "prices.csv", lines(130))
    ingest, calls = History.ingest, 0

    async def failing(self: History, candles: Any) -> int:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise ConnectionResetError
        return await ingest(self, candles)

    monkeypatch.setattr(History, "ingest", failing)
    with pytest.raises(ConnectionResetError):
        await importer.run(path, seen)
    assert await count(owner) == {"1m": 100}
    assert (await importer.run(path, seen)).stored == 130
    assert await count(owner) == {"1m": 130, "5m": 26, "1h": 3, "1d": 1}


@pytest.mark.usefixtures("listed")
async def test_parquet_with_typed_columns(importer: Importer, owner: Owner, tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    path = tmp_path / "prices.parquet"
    table = pyarrow.table(
        {
            "symbol": ["BTC", "ETH"],
            "opened_at": [NOON - timedelta(hours=2), NOON - timedelta(hours=1)],
            "open": [0.1, 2.0],
            "high": [0.3, 2.5],
            "low": [0.1, 2.0],
            "close": [0.2, 2.25],
            "interval": ["1h", "1h"],
            "exchange": ["other", None],
            "unknown": [1, 2],
        }
    )
    parquet.write_table(table, path)
    assert (await importer.run(path, seen)).stored == 2
    rows = await owner.fetch("SELECT symbol, exchange, interval, open, close FROM candles ORDER BY 1, 3")
    assert [tuple(row) for row in rows] == [
        ("BTC", "other", "1d", Decimal("0.1"), Decimal("0.2")),
        ("BTC", "other", "1h", Decimal("0.1"), Decimal("0.2")),
        ("ETH", "simulated", "1d", Decimal(2), Decimal("2.25")),
        ("ETH", "simulated", "1h", Decimal(2), Decimal("2.25")),
    ]


@pytest.mark.usefixtures("listed")
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"symbol,open\nBTC,1\n", "has no column opened_at, high, low, close."),
        ("a.csv", b"", "has no column symbol"),
        ("a.csv", HEAD.encode() + b'\n"BTC', "unexpected end of data"),
        ("a.csv", HEAD.encode() + b"\n\xff\xfe,1", "invalid start byte"),
        ("a.parquet", b"PAR1 it is not", ""),
        ("absent.csv", None, "No such file or directory"),
    ],
)
async def test_what_is_no_table_is_one_clear_line(
    importer: Importer, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput, match=name.replace(".", r"\.")) as caught:
        await importer.run(path, seen)
    assert message in caught.value.message


@pytest.mark.usefixtures("listed")
async def test_history_past_its_retention_goes_month_by_month(
    importer: Importer, database: Database, owner: Owner, tmp_path: Path
) -> None:
    kept = await importer.history.kept_since()
    rows = [f"BTC,{kept.isoformat()},1,1,1,1,1", f"BTC,{(kept - MINUTE).isoformat()},1,1,1,1,1"]
    imported = await importer.run(written(tmp_path / "old.csv", rows), seen, skip_bad=True)
    assert (imported.stored, imported.skipped) == (1, 1)
    # What is two years old is still kept; a month more and it is dropped with its partition.
    await owner.execute("SELECT maintain_partitions(now())")
    assert (await count(owner))["1m"] == 1
    await owner.execute("UPDATE partitioned_tables SET retention = '22 months' WHERE table_name = 'candles'")
    await owner.execute("SELECT maintain_partitions(now())")
    assert await count(owner) == {}
    assert await importer.history.kept_since() > kept
