"""Units: durations, rates, times, percentages, fractions and money."""

import re
from collections.abc import Mapping
from typing import Final

from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema

from tests.schema.conventions.sites import NUMBERS, Site, everything, fields, words

DURATION_WORDS: Final = {
    "s", "sec", "secs", "second", "seconds", "min", "mins", "minutes", "hours", "days", "millis", "milliseconds",
    "duration", "ttl", "timeout", "cooldown", "elapsed",
}  # fmt: skip
_DURATION_TEXT: Final = re.compile(r"\b(in (milli)?seconds|number of (milli)?(seconds|minutes|hours|days))\b")
_RATE_TEXT: Final = re.compile(r"\bin a second\b|\b(cost|events|requests) (per|a) second\b")
_FRACTION_TEXT: Final = re.compile(r"\bfraction of\b|\bas a fraction\b|\b0?\.\d+ is (about )?\d+ percent\b")
CURRENCIES: Final = {"usd", "aud"}
FRACTION_WORDS: Final = {"fraction", "ratio"}

BARE_NUMBERS: Final[Mapping[str, str]] = {
    "beta": "a term of finance, without a unit",
    "correlation": "a term of statistics, -1 to 1",
    "probability": "a term of statistics, 0 to 1",
    "profitFactor": "a term of finance, profits by losses",
    "score": "points on a scale that the description gives",
    "k": "an indicator's usual name, 0 to 100",
    "d": "an indicator's usual name, 0 to 100",
    "plusDI": "an indicator's usual name, 0 to 100",
    "minusDI": "an indicator's usual name, 0 to 100",
    "minAdx": "an indicator's usual name, 0 to 100",
    "overbought": "a relative strength index, 0 to 100",
    "oversold": "a relative strength index, 0 to 100",
    "deviations": "a number of standard deviations",
    "value": "in the unit of the indicator or the threshold",
    "values": "of a setting, in its unit",
    "currentValue": "in the unit of the threshold",
}
"""Names of numbers that have no unit, each with the reason."""


def durations(schema: GraphQLSchema) -> list[str]:
    """A duration is `Milliseconds`, and ends in `Ms`; nothing else does. No other unit is in a name."""
    return [
        site.coordinate
        for site in everything(schema)
        if (site.kind == "Milliseconds") is not (words(site.name)[-1] == "ms")
        or (site.kind in NUMBERS and _sounds_like_a_duration(site))
    ]


def _sounds_like_a_duration(site: Site) -> bool:
    if site.name.endswith("PerSecond"):
        return False
    return words(site.name)[-1] in DURATION_WORDS or _DURATION_TEXT.search(site.description) is not None


def rates(schema: GraphQLSchema) -> list[str]:
    """A rate ends in `PerSecond`; no name has another word for it."""
    return [
        site.coordinate
        for site in everything(schema)
        if site.kind in NUMBERS
        and not site.name.endswith("PerSecond")
        and (re.search(r"Per(S|Sec|Second|Minute|Hour)(?![a-z])", site.name) or _RATE_TEXT.search(site.description))
    ]


def times(schema: GraphQLSchema) -> list[str]:
    """A time ends in `At`, or is the `at` of an event; clients give `since` and `until`. Nothing else is named so."""
    shown = {site.coordinate for site in fields(schema)}
    return [
        site.coordinate
        for site in everything(schema)
        if (site.kind == "DateTime")
        is not (
            site.name.endswith("At")
            or site.name == "at"
            or (site.name in {"since", "until"} and site.coordinate not in shown)
        )
    ]


def percentages_and_fractions(schema: GraphQLSchema) -> list[str]:
    """Percent has `Percentage` in its name, is a Float and says so; a fraction of 1 ends in `Fraction` or `Ratio`."""
    found = []
    for site in everything(schema):
        if site.kind not in {"Float", "Decimal", "Int"}:
            continue
        parts = words(site.name)
        is_percentage, is_fraction = "percentage" in parts, parts[-1] in FRACTION_WORDS
        if (
            (is_percentage and is_fraction)
            or (is_percentage and ("in percent" not in site.description or site.kind != "Float"))
            or (not is_percentage and {"percent", "pct"} & {*parts})
            or (not is_percentage and "in percent" in site.description and site.name != "beta")
            or (not is_fraction and _FRACTION_TEXT.search(site.description) is not None)
        ):
            found.append(site.coordinate)
    return found


def numbers_with_a_unit(schema: GraphQLSchema) -> list[str]:
    """A Float says its unit in its name, or has one of the names that need none."""
    return [
        site.coordinate
        for site in everything(schema)
        if site.kind == "Float" and not _has_unit(site.name) and not _is_bare(site.name)
    ]


def _has_unit(name: str) -> bool:
    parts = words(name)
    return "percentage" in parts or parts[-1] in FRACTION_WORDS or name.endswith("PerSecond")


def _is_bare(name: str) -> bool:
    return name in BARE_NUMBERS or words(name)[-1] == "score" or words(name)[0] == "score"


def money_beside_its_currency(schema: GraphQLSchema) -> list[str]:
    """A Decimal ends in its currency, in `coins` or `tokens`, stands beside `quoteCurrency` or `currency`, or says
    "in coins".
    """
    return [
        site.coordinate
        for site in everything(schema)
        if site.kind == "Decimal"
        and not _has_unit(site.name)
        and not _is_bare(site.name)
        and words(site.name)[-1] not in CURRENCIES | {"coins", "tokens"}
        and "in coins" not in site.description
        and not _beside_a_currency(site)
    ]


def _beside_a_currency(site: Site) -> bool:
    assert isinstance(site.owner, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType)
    return bool({"currency", "quoteCurrency"} & {*site.owner.fields})
