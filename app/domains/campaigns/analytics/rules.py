"""Which events can be tracked, and which statistics be asked for."""

import ipaddress
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from app.domains.campaigns.analytics.model import (
    MAX_AGE,
    MAX_AGENT_CHARS,
    MAX_BATCH,
    MAX_BUCKETS,
    MAX_DATA_BYTES,
    MAX_DATA_DEPTH,
    MAX_DATA_KEYS,
    MAX_NAME_CHARS,
    MAX_SESSION_CHARS,
    MAX_TYPE_CHARS,
    Interval,
    NewEvent,
)
from app.kit.errors import Faults, InvalidInput
from app.kit.json_values import check_json
from app.kit.text import is_storable

TYPE: Final = f"1 to {MAX_TYPE_CHARS} lower-case letters, digits and _ . beginning with a letter"
_TYPE: Final = re.compile(rf"[a-z][a-z0-9_.]{{0,{MAX_TYPE_CHARS - 1}}}", re.ASCII)
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_SHORTEST: Final = {
    Interval.HOUR: timedelta(hours=1),
    Interval.DAY: timedelta(days=1),
    Interval.WEEK: timedelta(days=7),
    Interval.MONTH: timedelta(days=28),
}


def check_events(events: Sequence[NewEvent], now: datetime) -> None:
    """Raises InvalidInput, with all that is wrong."""
    with Faults() as faults:
        if not 1 <= len(events) <= MAX_BATCH:
            faults.add("events", f"1 to {MAX_BATCH} events are tracked at once.")
            return
        for position, event in enumerate(events):
            with faults.at("events", str(position)):
                check_event(event, now)


def check_event(event: NewEvent, now: datetime) -> None:
    """Raises InvalidInput, with all that is wrong."""
    with Faults() as faults:
        if not _TYPE.fullmatch(event.type):
            faults.add("type", f"A type has {TYPE}.")
        faults.check(_text, event.name, "name", MAX_NAME_CHARS)
        faults.check(_data, event.properties, "properties")
        faults.check(_data, event.user_properties, "user_properties")
        if event.session_id is not None:
            faults.check(_text, event.session_id, "session_id", MAX_SESSION_CHARS)
        if event.ip_address is not None:
            faults.check(_address, event.ip_address)
        if event.user_agent is not None:
            faults.check(_text, event.user_agent, "user_agent", MAX_AGENT_CHARS)
        if event.occurred_at is not None:
            if event.occurred_at > now:
                faults.add("occurred_at", "This is in the future.")
            elif event.occurred_at < now - MAX_AGE:
                faults.add("occurred_at", f"This is more than {MAX_AGE.days} days ago.")


def digestible(events: Sequence[NewEvent]) -> list[Any]:
    """What distinguishes two requests. Data that cannot be stored may be too deep or large for a digest, and are left
    out: no request with them has ever been accepted.
    """
    return [
        msgspec.structs.asdict(each)
        | {name: _digestible(getattr(each, name), name) for name in ("properties", "user_properties")}
        for each in events[: MAX_BATCH + 1]
    ]


def check_buckets(since: datetime, until: datetime, interval: Interval) -> None:
    """Raises InvalidInput where there are too many parts of the calendar between two times."""
    with Faults() as faults:
        for name, moment in (("since", since), ("until", until)):
            if not _FIRST <= moment <= _LAST:
                faults.add(name, "It is in the years 2000 to 2099.")
        if not faults and (until - since) / _SHORTEST[interval] > MAX_BUCKETS - 1:
            faults.add("until", f"There are at most {MAX_BUCKETS:,} {interval}s at once: ask for a longer interval.")


def _digestible(data: Any, name: str) -> Any:
    try:
        return _data(data, name)
    except InvalidInput as fault:
        return str(fault)


def _text(text: str, field: str, most: int) -> str:
    if not 1 <= len(text) <= most or not text.strip() or not is_storable(text):
        raise InvalidInput(field, f"It has 1 to {most} characters, none of them a control character.")
    return text


def _address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise InvalidInput("ip_address", "This is no IP address.") from None
    if "%" in text:
        raise InvalidInput("ip_address", "An IP address has no zone here.")
    return text


def _data(data: Any, field: str) -> Any:
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InvalidInput(field, "They are an object.")
    if len(data) > MAX_DATA_KEYS:
        raise InvalidInput(field, f"They have at most {MAX_DATA_KEYS} fields.")
    return check_json(data, field, "An event", max_bytes=MAX_DATA_BYTES, max_depth=MAX_DATA_DEPTH)
