"""What a tenant is called, and what it may set for itself."""

from typing import Any

import pytest

from app.domains.tenancy.tenants.model.tenants import NewTenant, PlanChanges, TenantChanges
from app.domains.tenancy.tenants.rules import check_changes, check_plan, checked
from app.kit.errors import InvalidInput

GOOD: dict[str, Any] = {"slug": "acme", "name": "Acme", "email": "a@acme.example"}


@pytest.mark.parametrize("slug", ["a", "acme-2", "0", "-", "x" * 100])
def test_a_slug_is_as_the_product_has_them(slug: str) -> None:
    assert checked(NewTenant(**GOOD | {"slug": slug})).slug == slug


@pytest.mark.parametrize("slug", ["", "Acme", "acme ", "ac me", "äcme", "acme_2", "x" * 101, "a\n", "acme\x00", "Á"])
def test_any_other_slug_is_refused(slug: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked(NewTenant(**GOOD | {"slug": slug}))
    assert [each.path for each in refused.value.fields] == [("slug",)]


@pytest.mark.parametrize(
    "name", ["Acme", " Acme ", "Acme & Söhne", "株式会社モネタ", "Авиа-2", "Ελλάδα Inc", "₿", "x" * 255]
)
def test_a_name_may_be_in_any_script(name: str) -> None:
    assert checked(NewTenant(**GOOD | {"name": name})).name == name.strip()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "x" * 256,
        "a\x00",
        "a\u202eb",
        "\u200b",
        "\u3164 \u2800",
        "--",
        "M\u043eneta",
        "\u0410cme",
        "a\ud800",
        "Ace\u0301\x07",
    ],
)
def test_a_name_that_is_blank_or_looks_like_another_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked(NewTenant(**GOOD | {"name": name}))
    assert [each.path for each in refused.value.fields] == [("name",)]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name", "Moneta"),
        ("name", "M0neta Support"),
        ("name", "The Admin"),
        ("slug", "moneta"),
        ("slug", "moneta-support"),
        ("slug", "admin"),
    ],
)
def test_a_tenant_is_not_called_like_moneta_or_who_helps(field: str, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked(NewTenant(**GOOD | {field: text}))
    assert [each.path for each in refused.value.fields] == [(field,)]
    if field == "name":
        with pytest.raises(InvalidInput):
            check_changes(TenantChanges(name=text))


def test_all_that_is_wrong_is_named_at_once() -> None:
    wrong = NewTenant(
        slug="A",
        name="",
        email="x",
        billing_email="y",
        website_url="http://acme.example",
        support_email="z",
        time_zone="Mars/Base",
    )
    with pytest.raises(InvalidInput) as refused:
        checked(wrong)
    assert [each.path[0] for each in refused.value.fields] == [
        "slug", "name", "email", "billing_email", "website_url", "support_email", "time_zone",
    ]  # fmt: skip


def test_changes_are_checked_as_what_is_new() -> None:
    made = check_changes(TenantChanges(email=" A@Acme.Example ", support_email=None, time_zone="Europe/Vienna"))
    assert (made.email, made.support_email, made.time_zone) == ("a@acme.example", None, "Europe/Vienna")
    with pytest.raises(InvalidInput) as refused:
        check_changes(TenantChanges(name="", website_url="https://" + "x" * 2048, nulls=("email",)))
    assert {each.path[0] for each in refused.value.fields} == {"name", "website_url", "email"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_projects": -1},
        {"max_calls_per_month": 2_000_000_001},
        {"subscription_id": ""},
        {"subscription_id": "x" * 256},
        {"subscription_id": "\n"},
    ],
)
def test_a_plan_is_within_bounds(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        check_plan(PlanChanges(**wrong))
