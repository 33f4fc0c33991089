"""Whether the audit log is complete and unchanged."""

from datetime import datetime

import msgspec

from app.domains.accounts.model import AuditVerdict

GENESIS = "0" * 64


class Extent(msgspec.Struct, frozen=True):
    """The first and last stored entries, null if there are none, and the head that the chain should end at."""

    entries: int
    first_seq: int | None
    first_previous_hash: str | None
    last_seq: int | None
    last_hash: str | None
    head_seq: int
    head_hash: str


class Anchor(msgspec.Struct, frozen=True):
    """Where a month begins in the chain, and whether the retention period allows that month to be dropped."""

    month: datetime
    seq: int
    previous_hash: str
    droppable: bool


class Break(msgspec.Struct, frozen=True):
    """The first faulty entry: edited, without its predecessor, or not linked to it."""

    seq: int
    finding: str


_FINDINGS = {
    "edited": "entry {seq} was changed after it was written",
    "gap": "at least one entry before {seq} is missing",
    "unlinked": "entry {seq} does not follow from the one before it",
}


def audit_verdict(extent: Extent, anchors: list[Anchor], broken: Break | None) -> AuditVerdict:
    """Returns the first fault, or that there is none."""
    fault = _beginning(extent, anchors)
    if fault is None and broken is not None:
        fault = _FINDINGS[broken.finding].format(seq=broken.seq)
    if fault is None:
        fault = _end(extent)
    if fault is not None:
        return AuditVerdict(ok=False, entries=extent.entries, message=f"audit log: {fault}")
    return AuditVerdict(ok=True, entries=extent.entries, message=f"audit log: {extent.entries} entries, all in order")


def _beginning(extent: Extent, anchors: list[Anchor]) -> str | None:
    first = extent.head_seq + 1 if extent.first_seq is None else extent.first_seq
    for anchor in anchors:
        if anchor.seq < first and not anchor.droppable:
            return f"the entries from {anchor.seq} to {first - 1} are missing"
    if extent.first_seq is None:
        return None
    expected = {anchor.seq: anchor.previous_hash for anchor in anchors}
    if extent.first_seq not in expected:
        return f"the entries right before {extent.first_seq} are missing"
    if extent.first_previous_hash != expected[extent.first_seq]:
        return f"entry {extent.first_seq} does not follow from the one before it"
    return None


def _end(extent: Extent) -> str | None:
    if extent.last_seq is None:
        return None
    if extent.last_seq < extent.head_seq:
        return f"the entries after {extent.last_seq} are missing, up to {extent.head_seq}"
    if (extent.last_seq, extent.last_hash) != (extent.head_seq, extent.head_hash):
        return f"entry {extent.last_seq} is not the one that the chain ends with"
    return None
