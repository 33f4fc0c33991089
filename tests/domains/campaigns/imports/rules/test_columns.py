"""What the columns of files are."""

import pytest

from app.domains.campaigns.imports.model import ColumnTarget, FileRefused, NewImport
from app.domains.campaigns.imports.rules.columns import check_new, header_of
from app.kit.errors import InvalidInput

SEED = (
    "telegram_id,discord_id,username,first_name,last_name,email,wallet_address,wallet_type,referral_code,referred_by,"
    "is_active,is_verified,total_referrals,created_at,updated_at,last_active_at,id,tenant_id"
)


def fields(header: str, *mapping: ColumnTarget) -> tuple[str, ...]:
    return header_of(f"{header}\n".encode(), mapping, final=True).fields


def test_the_columns_of_the_seed_are_known() -> None:
    found = fields(SEED)
    assert found[:10] == (
        "telegram_id", "discord_id", "username", "first_name", "last_name", "email", "wallet_address", "wallet_type",
        "referral_code", "referrer_code",
    )  # fmt: skip
    assert found[10:] == ("is_active", "is_verified", "", "", "", "last_active_at", "", "")


@pytest.mark.parametrize("header", ["Telegram ID", " TELEGRAM-ID ", "telegramId", '"telegram_id"', "\ufefftelegram_id"])
def test_names_are_equal_in_any_case_and_however_words_are_joined(header: str) -> None:
    assert fields(header) == ("telegram_id",)


def test_columns_are_mapped_and_left_out() -> None:
    mapping = (ColumnTarget("tg", "telegram_id"), ColumnTarget("Tier", "attributes.tier"), ColumnTarget("x", None))
    assert fields("TG;tier;X;attributes.vip;", *mapping) == ("telegram_id", "attributes.tier", "", "attributes.vip", "")


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("username,shoe_size,hat", ("shoe_size", "hat")),
        ("username,Username", ("username", "Username")),
        ("referred_by,referrer_code", ("referred_by", "referrer_code")),
        ("id,created_at", ()),
        ("", ()),
        ("username,a\x01b", ()),
        ('"username', ()),
    ],
)
def test_a_file_is_refused_by_its_header(header: str, columns: tuple[str, ...]) -> None:
    with pytest.raises(FileRefused) as refused:
        fields(header)
    assert refused.value.columns == columns


def test_a_mapping_is_about_columns_of_the_file() -> None:
    with pytest.raises(FileRefused) as refused:
        fields("username", ColumnTarget("tg", "telegram_id"))
    assert refused.value.columns == ("tg",)


def test_what_is_wrong_with_a_mapping_is_named() -> None:
    mapping = (ColumnTarget("", "username"), ColumnTarget("a", "shoe_size"), ColumnTarget("A", "attributes.9"))
    with pytest.raises(InvalidInput) as refused:
        check_new(NewImport(csv="", mapping=mapping))
    assert [each.path for each in refused.value.fields] == [
        ("mapping",), ("mapping", "0", "column"), ("mapping", "1", "field"), ("mapping", "2", "field"),
    ]  # fmt: skip
