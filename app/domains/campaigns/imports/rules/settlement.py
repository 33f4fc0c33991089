"""What becomes of the rows of a file: who is created, changed, left as they are, and what is refused. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from app.domains.campaigns.imports.model import Counts, Fault, GivenRow, Known, OnDuplicate, RefusalReason
from app.domains.campaigns.participants.model import MAX_ATTRIBUTES

KEYS: Final = ("telegram_id", "discord_id", "referral_code")
"""What only one participant of a tenant has, from what says most about who they are."""
DEFAULTS: Final = {"has_notifications": True, "is_active": True, "is_verified": False}
SET: Final = (
    "telegram_id", "discord_id", "username", "first_name", "last_name", "email", "locale", "time_zone",
    "has_notifications", "attributes", "is_active", "is_verified", "referral_code",
)  # fmt: skip
_DETAILS: Final = {
    RefusalReason.DUPLICATE_IN_FILE: "An earlier row of the file is about the same participant.",
    RefusalReason.TAKEN: "Another participant has this.",
    RefusalReason.CONTRADICTION: "The IDs and the code of the row are those of several participants.",
    RefusalReason.UNKNOWN_REFERRER: "No participant has this code: not in the tenant, and not in an earlier row.",
    RefusalReason.OTHER_REFERRER: "Somebody else has referred this participant, or nobody. An import leaves that.",
    RefusalReason.ERASED: "This participant was erased after the import was begun.",
}
_UNKNOWN: Final = "A participant is known by an ID, a user name or a wallet."


class Wallet(msgspec.Struct, frozen=True):
    """A wallet to store."""

    participant_id: UUID
    network: str
    address: str
    allows_off_curve: bool


class Settled(msgspec.Struct):
    """What becomes of a batch. Participants are in the order of their rows."""

    created: dict[UUID, dict[str, Any]] = msgspec.field(default_factory=dict)
    updated: dict[UUID, dict[str, Any]] = msgspec.field(default_factory=dict)
    wallets: list[Wallet] = msgspec.field(default_factory=list)
    referrals: Counter[UUID] = msgspec.field(default_factory=Counter)
    """How many more those have referred who were there before, or are changed."""
    refused: dict[int, tuple[Fault, ...]] = msgspec.field(default_factory=dict)
    skipped: int = 0

    @property
    def counts(self) -> Counts:
        """How many rows became what."""
        return Counts(len(self.created), len(self.updated), self.skipped, len(self.refused))


class _Refused(Exception):
    def __init__(self, field: str | None, reason: RefusalReason, detail: str | None = None) -> None:
        super().__init__(reason)
        self.fault = Fault(field, reason, detail or _DETAILS[reason])


class Settlement:
    """Settles the rows of one batch, in order."""

    def __init__(
        self,
        import_id: UUID,
        on_duplicate: OnDuplicate,
        known: Sequence[Known],
        referrers: dict[str, UUID],
        drawn: Sequence[tuple[UUID, str]],
    ) -> None:
        """`known`: who has an ID or a code of a row; `referrers`: who has the code of a referrer; `drawn`: for each row
        the ID and the code that a new participant gets.
        """
        self._import_id = import_id
        self._on_duplicate = on_duplicate
        self._known = {
            (key, value): each for each in known for key in KEYS if (value := getattr(each, key)) is not None
        }
        self._codes = dict(referrers)
        self._drawn = iter(drawn)
        self._claimed = set[tuple[str, Any]]()
        self.settled = Settled()

    def take(self, row: GivenRow, *, is_erased: bool = False) -> None:
        """Settles the next row."""
        drawn = next(self._drawn)
        if row.faults:
            self.settled.refused[row.number] = row.faults
            return
        try:
            if is_erased:
                raise _Refused(None, RefusalReason.ERASED)
            self._settle(row, *drawn)
        except _Refused as refused:
            self.settled.refused[row.number] = (refused.fault,)

    def _settle(self, row: GivenRow, id: UUID, code: str) -> None:
        keys = [(key, row.values[key]) for key in KEYS if key in row.values]
        for claimed in keys:
            if claimed in self._claimed:
                raise _Refused(claimed[0], RefusalReason.DUPLICATE_IN_FILE)
        found = {known.id: (key, known) for key, value in reversed(keys) if (known := self._known.get((key, value)))}
        if len(found) > 1:
            raise _Refused(None, RefusalReason.CONTRADICTION)
        if not found:
            self._create(row, id, code)
            self._claimed.update(keys)
            return
        [(key, known)] = found.values()
        if self._meet(row, key, known):
            self._claimed.update(keys)

    def _create(self, row: GivenRow, id: UUID, code: str) -> None:
        values = DEFAULTS | row.values
        if not row.wallets and not values.keys() & {"telegram_id", "discord_id", "username"}:
            raise _Refused(None, RefusalReason.INVALID, _UNKNOWN)
        referrer = None
        if (referrer_code := values.get("referrer_code")) is not None:
            referrer = self._codes.get(referrer_code)
            if referrer is None or referrer_code == values.get("referral_code"):
                raise _Refused("referrer_code", RefusalReason.UNKNOWN_REFERRER)
            self._count(referrer)
        values.setdefault("referral_code", code)
        values |= {"attributes": row.attributes, "referred_by": referrer, "total_referrals": 0}
        self._codes[values["referral_code"]] = id
        self.settled.created[id] = values
        self._put_wallets(row, id)

    def _count(self, referrer: UUID) -> None:
        if (made := self.settled.created.get(referrer)) is not None:
            made["total_referrals"] += 1
        else:
            self.settled.referrals[referrer] += 1

    def _meet(self, row: GivenRow, key: str, known: Known) -> bool:
        """Of a row whose participant is there: `key` is what says so. Whether they are changed."""
        if known.import_id == self._import_id or known.id in self.settled.updated:
            raise _Refused(key, RefusalReason.DUPLICATE_IN_FILE)
        for more in KEYS[: KEYS.index(key)]:
            # By what says more they are somebody else.
            if more in row.values and getattr(known, more) not in {None, row.values[more]}:
                raise _Refused(key, RefusalReason.TAKEN)
        if known.is_erased:
            raise _Refused(key, RefusalReason.TAKEN)
        if self._on_duplicate is OnDuplicate.SKIP:
            self.settled.skipped += 1
            return False
        referrer_code = row.values.get("referrer_code")
        if referrer_code is not None and referrer_code != known.referrer_code:
            raise _Refused("referrer_code", RefusalReason.OTHER_REFERRER)
        attributes = known.attributes | row.attributes
        if len(attributes) > MAX_ATTRIBUTES:
            detail = f"There are at most {MAX_ATTRIBUTES}, with those that the participant has."
            raise _Refused("attributes", RefusalReason.INVALID, detail)
        values = {each: row.values.get(each, getattr(known, each)) for each in SET}
        values |= {"attributes": attributes, "last_active_at": row.values.get("last_active_at", known.last_active_at)}
        self._codes[values["referral_code"]] = known.id
        self.settled.updated[known.id] = values
        self._put_wallets(row, known.id)
        return True

    def _put_wallets(self, row: GivenRow, id: UUID) -> None:
        self.settled.wallets += (
            Wallet(id, str(each.network), each.address, each.allows_off_curve) for each in row.wallets
        )
