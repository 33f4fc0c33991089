"""What participants and projects may be called."""

import pytest

from app.domains.campaigns.names.rules import name
from app.domains.campaigns.projects.rules import name as project_name
from app.kit.errors import InvalidInput
from app.kit.names import is_impersonating


def test_a_project_may_be_called_like_its_tenant() -> None:
    assert not is_impersonating("Acme")
    assert project_name("Acme") == "Acme"
    for text in ("Moneta", "support"):
        with pytest.raises(InvalidInput):
            project_name(text)


@pytest.mark.parametrize(
    "text",
    ["\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "\u5c71\u7530\u3000\u592a\u90ce", "\U0001f468\u200d\U0001f469"],
)
def test_scripts_have_spaces_and_joiners_of_their_own(text: str) -> None:
    assert name(f" {text}\u3000", "username", 100) == text


@pytest.mark.parametrize(
    "text",
    [
        "\u3164",
        "\u2800",
        "\u200b",
        "\u200c",
        " \u3000",
        "ad\u200cmin",
        "\u00e4\u200dn",
        "a\u202eb",
        "a\tb",
        "a\x00b",
        "",
    ],
)
def test_what_does_not_show_as_it_is_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        name(text, "username", 100)
    assert refused.value.path == ("username",)
