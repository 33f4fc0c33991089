"""A patch tells an absent field from one that is null."""

import pytest
import strawberry
from msgspec import UNSET, UnsetType

from app.engine.declarations.durations import SECOND, number_of
from app.engine.declarations.patches import changeable, changes_of
from app.kit import changes as kit
from app.kit.errors import Faults, InvalidInput


class Changes(kit.Changes, frozen=True, kw_only=True):
    note: str | UnsetType | None = UNSET
    long_name: str | UnsetType = UNSET
    wait_s: int | UnsetType | None = UNSET
    seen: bool | UnsetType = UNSET


@strawberry.input
class Update:
    id: strawberry.ID
    note: str | None = changeable(description="A note.")
    long_name: str | None = changeable(description="A name.")
    wait_ms: int | None = changeable(description="A wait.")
    seen: bool | None = changeable(description="Whether it was seen.")


def changes(**given: object) -> Changes:
    update = Update(id=strawberry.ID("1"), **given)  # type: ignore[arg-type]
    return changes_of(update, Changes, wait_s=("wait_ms", lambda value: number_of(SECOND, value)))


def test_an_absent_field_is_unset_and_null_clears() -> None:
    assert changes() == Changes()
    assert changes(note=None, wait_ms=None) == Changes(note=None, wait_s=None)
    assert changes(note="", long_name="x", wait_ms=2000, seen=False) == Changes(
        note="", long_name="x", wait_s=2, seen=False
    )


def test_null_is_refused_where_nothing_can_be_cleared_with_what_else_is_wrong() -> None:
    found = changes(note=None, long_name=None, seen=None)
    assert found == Changes(note=None, nulls=("long_name", "seen"))
    faults = Faults()
    found.check(faults)
    faults.add("note", "Say something.")
    with pytest.raises(InvalidInput, match="cannot be null") as caught:
        faults.end()
    assert [path for path, _ in caught.value.fields] == [("long_name",), ("seen",), ("note",)]


@pytest.mark.parametrize("given", [{"note": None}, {"seen": None}, {"seen": False}, {"wait_ms": 1}])
def test_a_patch_without_any_field_is_empty(given: dict[str, object]) -> None:
    assert changes().is_empty
    assert not changes(**given).is_empty
