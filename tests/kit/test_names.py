"""Names that look like somebody else's."""

import pytest

from app.kit.names import is_impersonating


@pytest.mark.parametrize(
    "text",
    [
        "Moneta", "M0neta", "\u041coneta", "mon\u0117ta", "\uff2d\uff2f\uff2e\uff25\uff34\uff21", "m o n e t a",
        "Support", "5upport Team", "The Admin", "adm1n", "Admin_", "moneta.support", "customer service",
        "ACME", "Ac-me", "\u0391cme", "Acme Official", "acme_support",
    ],
)  # fmt: skip
def test_what_looks_like_somebody_else_is_found(text: str) -> None:
    assert is_impersonating(text, "Acme")


@pytest.mark.parametrize(
    "text", ["Alice", "Administrata", "Support the poor", "Monetary", "Acme fan", "official", "Al", "sam", "key-1"]
)
def test_others_are_called_as_they_like(text: str) -> None:
    assert not is_impersonating(text, "Acme")
