"""What an import recognises those by who were erased while it runs, without knowing who they are."""

import hmac
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final

from app.domains.campaigns.imports.model import GivenRow

_KEYS: Final = ("telegram_id", "discord_id", "referral_code", "email")


def digests_of(secret: bytes, values: dict[str, Any], wallets: Iterable[str]) -> set[str]:
    """Keyed hashes of what a participant is known by."""
    known = [f"{key}:{values[key]}" for key in _KEYS if values.get(key) is not None]
    known += [f"wallet:{each}" for each in wallets]
    return {hmac.new(secret, each.encode(), sha256).hexdigest() for each in known}


def digests_of_row(secret: bytes, row: GivenRow) -> set[str]:
    """Of the participant of a row."""
    return digests_of(secret, row.values, (each.address for each in row.wallets))
