"""Whether the changes of orders are those that were sealed."""

import msgspec

from app.domains.accounts.model import AuditVerdict


class SealExtent(msgspec.Struct, frozen=True):
    """The first and last seals that are kept, null if there are none; where sealing says that it is; and how many
    changes come before all seals.
    """

    first: int | None
    last: int | None
    last_to: int | None
    number: int
    sealed_to: int
    strays: int


class BrokenSeal(msgspec.Struct, frozen=True):
    """The first seal that is missing, does not follow from the one before, or states other changes."""

    number: int
    finding: str


_FINDINGS = {
    "missing": "seal {number} is missing",
    "unlinked": "seal {number} does not follow from the one before it",
    "fewer": "changes of seal {number} are missing",
    "more": "changes were added to seal {number}",
    "edited": "a change of seal {number} was changed after it was sealed",
}


def seals_verdict(extent: SealExtent, broken: BrokenSeal | None) -> AuditVerdict:
    """Returns the first fault, or that there is none."""
    seals = 0 if extent.first is None or extent.last is None else extent.last - extent.first + 1
    fault = None
    if extent.strays:
        fault = f"there are {extent.strays} changes that no seal is of"
    elif broken is not None:
        fault = _FINDINGS[broken.finding].format(number=broken.number)
    elif extent.last is not None and (extent.last, extent.last_to) != (extent.number, extent.sealed_to):
        fault = f"seal {extent.last} is not the one that sealing ends with"
    if fault is not None:
        return AuditVerdict(ok=False, entries=seals, message=f"changes of orders: {fault}")
    return AuditVerdict(ok=True, entries=seals, message=f"changes of orders: {seals} seals, all in order")
