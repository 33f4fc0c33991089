"""The technical, risk and prediction findings in the graph, and their enums."""

from enum import Enum
from typing import Any

import msgspec
import pytest
import strawberry
from graphql import GraphQLEnumType
from strawberry.schema.config import StrawberryConfig

from app.domains.market.analysis.model import predictions as predictions_model
from app.domains.market.analysis.model import risk as risk_model
from app.domains.market.analysis.model import technical as technical_model
from app.domains.market.analysis.rules.predictions import predictions
from app.domains.market.analysis.rules.risk import risk
from app.domains.market.analysis.rules.series import Series
from app.domains.market.analysis.rules.technical import technical
from app.domains.market.prices import model as prices
from app.main import build_graph
from app.schema.market.analysis import predictions as predictions_graph
from app.schema.market.analysis import risk as risk_graph
from app.schema.market.analysis import technical as technical_graph
from app.schema.scalars import SCALARS
from tests.domains.market.series import head, walk


@pytest.mark.parametrize(
    ("graph", "stored"),
    [
        ("CandleInterval", prices.Interval),
        ("Indicator", technical_model.Indicator),
        ("TechnicalSignal", technical_model.Signal),
        ("AverageKind", technical_model.AverageKind),
        ("PatternDirection", technical_model.PatternDirection),
        ("TokenRiskLevel", risk_model.RiskLevel),
        ("PredictionHorizon", predictions_model.Horizon),
        ("Calibration", predictions_model.Calibration),
        ("Obstacle", predictions_model.Obstacle),
    ],
)
def test_an_enum_has_the_names_of_all_stored_values(graph: str, stored: type[Enum]) -> None:
    kind = build_graph()._schema.type_map[graph]
    assert isinstance(kind, GraphQLEnumType)
    assert [(name, kind.serialize(member.value)) for name, member in stored.__members__.items()] == [
        (name, name) for name in kind.values
    ]


@strawberry.type
class Query:
    technical: technical_graph.TechnicalFindings
    risk: risk_graph.RiskFindings
    predictions: predictions_graph.PredictionFindings


class Found(msgspec.Struct, frozen=True):
    technical: technical_model.TechnicalFindings
    risk: risk_model.RiskFindings
    predictions: predictions_model.PredictionFindings


def asked(schema: strawberry.Schema, name: str) -> str:
    """A selection of all fields of a type, recursively."""
    kind = schema._schema.type_map[name]
    parts = []
    for field_name, field in kind.fields.items():  # type: ignore[attr-defined]
        inner = field.type
        while hasattr(inner, "of_type"):
            inner = inner.of_type
        parts.append(f"{field_name} {asked(schema, inner.name) if hasattr(inner, 'fields') else ''}")
    return "{" + " ".join(parts) + "}"


def leaves(answer: Any) -> int:
    if isinstance(answer, dict):
        return sum(map(leaves, answer.values()))
    return sum(map(leaves, answer)) if isinstance(answer, list) else int(answer is not None)


def leaves_of(record: Any) -> int:
    if isinstance(record, msgspec.Struct):
        return sum(leaves_of(getattr(record, name)) for name in record.__struct_fields__)
    return sum(map(leaves_of, record)) if isinstance(record, tuple) else int(record is not None)


def answered(prices_of: Series) -> tuple[Found, dict[str, Any]]:
    schema = strawberry.Schema(query=Query, config=StrawberryConfig(scalar_map=SCALARS))
    found = Found(technical(prices_of), risk(prices_of, prices_of), predictions(prices_of))
    result = schema.execute_sync(asked(schema, "Query"), root_value=found)
    assert result.errors is None
    assert result.data is not None
    return found, result.data


def test_every_field_of_findings_is_in_the_graph() -> None:
    found, data = answered(walk(400))
    assert leaves(data) == leaves_of(found)
    assert data["technical"]["interval"] == "ONE_HOUR"
    assert data["technical"]["priceUsd"] == format(found.technical.price or 0, "f")
    assert data["technical"]["rsi"] == {
        "value": found.technical.rsi.value,
        "signal": found.technical.rsi.signal.name if found.technical.rsi.signal else None,
        "candlesNeeded": 15,
    }
    assert [average["kind"] for average in data["technical"]["movingAverages"]] == ["SIMPLE"] * 3 + ["EXPONENTIAL"] * 3
    assert data["risk"]["bitcoin"]["beta"] == found.risk.bitcoin.beta
    assert data["risk"]["tails"][0]["historicalVaRFraction"] is None, "400 hours are not 20 days"
    assert [it["horizon"] for it in data["predictions"]["predictions"]] == ["ONE_HOUR", "ONE_DAY", "SEVEN_DAYS"]
    assert [it["probability"] for it in data["predictions"]["predictions"][0]["intervals"]] == [0.5, 0.8, 0.95]


@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_findings_may_be_null(count: int) -> None:
    found, data = answered(head(walk(20), count))
    assert leaves(data) == leaves_of(found)
