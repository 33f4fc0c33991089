"""A patch tells an absent field from one that is null."""

import msgspec
import pytest
import strawberry
from msgspec import UNSET, UnsetType

from app.engine.declarations.durations import SECOND, number_of
from app.engine.declarations.patches import changeable, changes_of
from app.kit.errors import InvalidInput


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    note: str | UnsetType | None = UNSET
    long_name: str | UnsetType = UNSET
    wait_s: int | UnsetType | None = UNSET
    seen: bool = False


@strawberry.input
class Update:
    id: strawberry.ID
    note: str | None = changeable(description="A note.")
    long_name: str | None = changeable(description="A name.")
    wait_ms: int | None = changeable(description="A wait.")
    seen: bool | None = changeable(description="Whether it was seen.")


def changes(**given: object) -> Changes:
    update = Update(id=strawberry.ID("1"), **given)  # type: ignore[arg-type]
    return changes_of(update, Changes, wait_s=("wait_ms", lambda value: number_of(SECOND, value, "wait_ms")))


def test_an_absent_field_is_unset_and_null_clears() -> None:
    assert changes() == Changes()
    assert changes(note=None, wait_ms=None) == Changes(note=None, wait_s=None)
    assert changes(note="", long_name="x", wait_ms=2000, seen=False) == Changes(note="", long_name="x", wait_s=2)


@pytest.mark.parametrize("field", ["long_name", "seen"])
def test_null_is_refused_where_nothing_can_be_cleared(field: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be null") as caught:
        changes(**{field: None})
    assert caught.value.path == (field,)


def test_all_fields_that_are_wrong_are_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        changes(long_name=None, wait_ms=1, seen=None)
    assert [path for path, _ in caught.value.fields] == [("long_name",), ("wait_ms",), ("seen",)]
