"""Problems, and everything that is wrong with an input at once."""

import pytest

from app.kit.errors import MAX_INVALID_FIELDS, Faults, InvalidField, InvalidInput, NotFound, Problem


class Taken(Problem):
    """Somebody has it."""

    field = "name"


def short(text: str, field: str = "name") -> str:
    if len(text) > 3:
        raise InvalidInput(field, f"{field} is too long.")
    return text.upper()


def test_a_problem_is_about_the_field_of_its_type_or_its_own() -> None:
    assert Taken().path == ("name",)
    assert Taken(path=("names", "2")).path == ("names", "2")
    assert NotFound(str).path is None


def test_what_is_in_order_is_returned() -> None:
    with Faults() as faults:
        assert faults.check(short, "a") == "A"
        assert not faults
    faults.end()


def test_all_fields_that_are_wrong_are_named_in_order() -> None:
    def check() -> None:
        with Faults() as faults:
            assert faults.check(short, "long") == "long"
            assert faults
            assert faults.check(short, "b", field="title") == "B"
            faults.check(short, "longer", field="title")
            with faults.at("parts", "1"):
                short("longest")
            faults.add(("codes", "0"), "It exists.")
            short("and the last", "last")

    with pytest.raises(InvalidInput) as caught:
        check()
    assert caught.value.fields == (
        InvalidField(("name",), "name is too long."),
        InvalidField(("title",), "title is too long."),
        InvalidField(("parts", "1", "name"), "name is too long."),
        InvalidField(("codes", "0"), "It exists."),
        InvalidField(("last",), "last is too long."),
    )
    assert (caught.value.path, caught.value.message) == (("name",), "name is too long.")


def test_another_failure_is_not_replaced() -> None:
    def check() -> None:
        with Faults() as faults:
            faults.check(short, "long")
            raise Taken

    with pytest.raises(Taken):
        check()


def test_a_bounded_number_of_fields_is_named() -> None:
    faults = Faults()
    for number in range(MAX_INVALID_FIELDS + 1):
        faults.add(("codes", str(number)), "It exists.")
    with pytest.raises(InvalidInput) as caught:
        faults.end()
    assert [field.path[1] for field in caught.value.fields] == [str(number) for number in range(MAX_INVALID_FIELDS)]


def test_paths_move_together() -> None:
    problem = InvalidInput("a", "Wrong.", InvalidField(("b",), "Wrong too."), InvalidField(("c",), "And wrong."))
    problem.move(lambda path: None if path == ("b",) else ("input", *path))
    assert [field.path for field in problem.fields] == [("input", "a"), (), ("input", "c")]
    assert problem.path == ("input", "a")
