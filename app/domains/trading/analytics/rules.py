"""Which events can be tracked."""

import re
from typing import Any, Final

from app.domains.trading.analytics.model import MAX_DATA_BYTES, MAX_DATA_DEPTH, MAX_DATA_KEYS, NewEvent
from app.kit.errors import Faults, InvalidInput
from app.kit.json_values import check_json

TYPE: Final = "1 to 64 lower-case letters, digits and _ . beginning with a letter"
CLIENT_SESSION: Final = "1 to 64 letters, digits and _ . : -"
_TYPE: Final = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_CLIENT_SESSION: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def check_event(event: NewEvent) -> None:
    """Raises InvalidInput, with all that is wrong."""
    with Faults() as faults:
        if not _TYPE.fullmatch(event.type):
            faults.add("type", f"A type has {TYPE}.")
        faults.check(_check_data, event.data)
        if event.client_session is not None and not _CLIENT_SESSION.fullmatch(event.client_session):
            faults.add("client_session", f"A session of a client is {CLIENT_SESSION}.")


def digestible(event: NewEvent) -> list[Any]:
    """What distinguishes two events. Data that cannot be stored may be too deep or large for a digest, and is left out:
    no request with it has ever been accepted.
    """
    try:
        data = _check_data(event.data)
    except InvalidInput as fault:
        data = str(fault)
    return [event.type, data, event.client_session]


def _check_data(data: Any) -> Any:
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InvalidInput("data", "The data are an object.")
    if len(data) > MAX_DATA_KEYS:
        raise InvalidInput("data", f"The data have at most {MAX_DATA_KEYS} fields.")
    return check_json(data, "data", "An event", max_bytes=MAX_DATA_BYTES, max_depth=MAX_DATA_DEPTH)
