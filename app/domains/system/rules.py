"""What a setting of the system may be."""

import re
from datetime import datetime
from typing import Final

from app.domains.system.model import (
    MAX_CALLS,
    MAX_MESSAGE_CHARS,
    MAX_RETRY_AFTER_S,
    MAX_SYMBOL_CHARS,
    MAX_TOKENS,
    MAX_UPLOAD_BYTES,
    MIN_UPLOAD_BYTES,
    Maintenance,
    NewMaintenance,
    NewValue,
    RateLimits,
    SettingKey,
)
from app.kit.errors import Faults
from app.kit.text import is_storable

_SYMBOL: Final = re.compile(rf"[A-Z0-9]{{1,{MAX_SYMBOL_CHARS}}}")
_PLANS: Final = ("free", "pro", "enterprise")


def checked(given: NewValue) -> NewValue:
    """The value as it is stored: messages are trimmed. Raises InvalidInput."""
    with Faults() as faults:
        match given:
            case NewMaintenance():
                return _maintenance(given, faults)
            case RateLimits():
                return _rate_limits(given, faults)
            case int():
                if not MIN_UPLOAD_BYTES <= given <= MAX_UPLOAD_BYTES:
                    faults.add("max_upload_bytes", f"A size is {MIN_UPLOAD_BYTES:,} to {MAX_UPLOAD_BYTES:,} bytes.")
                return given
            case tuple():
                return _supported_tokens(given, faults)


def key_of(given: NewValue) -> SettingKey:
    """The setting that a value is of."""
    match given:
        case NewMaintenance():
            return SettingKey.MAINTENANCE
        case RateLimits():
            return SettingKey.DEFAULT_RATE_LIMITS
        case int():
            return SettingKey.MAX_UPLOAD_BYTES
        case tuple():
            return SettingKey.SUPPORTED_TOKENS


def begun(before: Maintenance, given: NewMaintenance, now: datetime) -> Maintenance:
    """Maintenance as it becomes: another message does not begin it anew."""
    started_at = (before.started_at or now) if given.enabled else None
    return Maintenance(given.enabled, given.message, given.retry_after_s, started_at)


def _maintenance(given: NewMaintenance, faults: Faults) -> NewMaintenance:
    message = (given.message or "").strip() or None
    if message is not None and (len(message) > MAX_MESSAGE_CHARS or not is_storable(message, "\n")):
        faults.add(
            ("maintenance", "message"),
            f"A message has at most {MAX_MESSAGE_CHARS} characters, without control characters.",
        )
    if not 1 <= given.retry_after_s <= MAX_RETRY_AFTER_S:
        faults.add(
            ("maintenance", "retry_after_ms"), f"Give 1,000 to {1000 * MAX_RETRY_AFTER_S:,} ms, in whole seconds."
        )
    return NewMaintenance(given.enabled, message, given.retry_after_s)


def _rate_limits(given: RateLimits, faults: Faults) -> RateLimits:
    calls = [getattr(given, plan) for plan in _PLANS]
    for plan, number, below in zip(_PLANS, calls, (1, *calls), strict=False):
        path = ("default_rate_limits", f"{plan}_calls")
        if not 1 <= number <= MAX_CALLS:
            faults.add(path, f"A plan has 1 to {MAX_CALLS:,} calls an hour.")
        elif number < below:
            faults.add(path, "A plan has no fewer calls than the one below it.")
    return given


def _supported_tokens(given: tuple[str, ...], faults: Faults) -> tuple[str, ...]:
    if not 1 <= len(given) <= MAX_TOKENS:
        faults.add("supported_tokens", f"Give 1 to {MAX_TOKENS} symbols.")
        return given
    for place, symbol in enumerate(given):
        path = ("supported_tokens", str(place))
        if not _SYMBOL.fullmatch(symbol):
            faults.add(path, f"A symbol has 1 to {MAX_SYMBOL_CHARS} capital letters and digits.")
        elif symbol in given[:place]:
            faults.add(path, "A symbol is listed twice.")
    return given
