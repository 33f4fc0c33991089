import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.crypto.envelope import BadKeyring, Keyring, SealBroken, Sealed, UnknownKey, new_kek

OLD = bytes(range(32))
NEW = bytes(range(32, 64))
OLD_TEXT = "old:" + base64.b64encode(OLD).decode()
NEW_TEXT = "new:" + base64.b64encode(NEW).decode()
AAD = b"wallets:1:private_key"


@given(st.binary(max_size=300), st.binary(max_size=50))
def test_what_was_sealed_opens(plaintext: bytes, aad: bytes) -> None:
    keyring = Keyring({"old": OLD}, "old")
    sealed = keyring.seal(plaintext, aad)
    assert keyring.open(sealed, aad) == plaintext
    assert sealed.kek_id == "old"
    assert len(sealed.wrapped_key) == 12 + 32 + 16
    assert len(sealed.ciphertext) == 12 + len(plaintext) + 16


def test_sealing_twice_shares_nothing() -> None:
    keyring = Keyring.generate()
    first, second = keyring.seal(b"secret", AAD), keyring.seal(b"secret", AAD)
    assert first.wrapped_key != second.wrapped_key
    assert first.ciphertext != second.ciphertext
    with pytest.raises(SealBroken):
        keyring.open(msgspec.structs.replace(first, wrapped_key=second.wrapped_key), AAD)


def test_another_owner_cannot_open_or_rewrap() -> None:
    both = Keyring.parse(f"{NEW_TEXT},{OLD_TEXT}")
    sealed = Keyring.parse(OLD_TEXT).seal(b"secret", AAD)
    with pytest.raises(SealBroken):
        both.open(sealed, b"wallets:2:private_key")
    with pytest.raises(SealBroken):
        both.rewrap(sealed, b"wallets:2:private_key")


@pytest.mark.parametrize("field", ["wrapped_key", "ciphertext"])
def test_every_flipped_bit_and_every_cut_is_noticed(field: str) -> None:
    keyring = Keyring.parse(OLD_TEXT)
    sealed = keyring.seal(b"secret", AAD)
    box: bytes = getattr(sealed, field)
    flipped = [box[:at] + bytes([box[at] ^ (1 << bit)]) + box[at + 1 :] for at in range(len(box)) for bit in range(8)]
    for broken in [*flipped, *(box[:size] for size in range(len(box))), box + b"\0"]:
        with pytest.raises(SealBroken):
            keyring.open(msgspec.structs.replace(sealed, **{field: broken}), AAD)


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_any_bytes_are_at_worst_broken(wrapped_key: bytes, ciphertext: bytes) -> None:
    with pytest.raises(SealBroken):
        Keyring({"old": OLD}, "old").open(Sealed("old", wrapped_key, ciphertext), AAD)


def test_rewrap_moves_the_key_and_leaves_the_ciphertext() -> None:
    sealed = Keyring.parse(OLD_TEXT).seal(b"secret", AAD)
    both = Keyring.parse(f"{NEW_TEXT},{OLD_TEXT}")
    moved = both.rewrap(sealed, AAD)
    assert moved.kek_id == "new"
    assert moved.ciphertext == sealed.ciphertext
    assert moved.wrapped_key != sealed.wrapped_key
    assert Keyring.parse(NEW_TEXT).open(moved, AAD) == b"secret"
    assert both.open(sealed, AAD) == b"secret"
    assert both.rewrap(moved, AAD) is moved


def test_a_key_that_is_not_held_is_named() -> None:
    sealed = Keyring.parse(OLD_TEXT).seal(b"secret", AAD)
    stranger = Keyring.parse(NEW_TEXT)
    with pytest.raises(UnknownKey, match="'old'"):
        stranger.open(sealed, AAD)
    with pytest.raises(UnknownKey) as error:
        stranger.rewrap(sealed, AAD)
    assert error.value.kek_id == "old"


def test_the_first_key_is_active_unless_another_is_named() -> None:
    assert Keyring.parse(f"{NEW_TEXT}, {OLD_TEXT}").active == "new"
    assert Keyring.parse(f"{NEW_TEXT},{OLD_TEXT}", active="old").seal(b"", AAD).kek_id == "old"


def test_a_stored_new_key_reads_back() -> None:
    entry = new_kek("2026-11")
    sealed = Keyring.parse(entry).seal(b"secret", AAD)
    assert Keyring.parse(entry).open(sealed, AAD) == b"secret"
    assert sealed.kek_id == "2026-11"
    assert new_kek("2026-11") != entry


SHORT_TEXT = base64.b64encode(OLD[:31]).decode()


@pytest.mark.parametrize(
    ("text", "active"),
    [
        ("", None),
        (OLD_TEXT.removeprefix("old:"), None),
        ("old:", None),
        (f"old:{SHORT_TEXT}", None),
        (f":{OLD_TEXT.removeprefix('old:')}", None),
        (f"o d:{OLD_TEXT.removeprefix('old:')}", None),
        ("old:***AAECAwQFBgc", None),
        ("old:éAAECAwQFBgc", None),
        (f"{OLD_TEXT},", None),
        (f"{OLD_TEXT},{OLD_TEXT}", None),
        (OLD_TEXT, "new"),
        (OLD_TEXT, ""),
    ],
)
def test_a_bad_keyring_is_refused_without_quoting_it(text: str, active: str | None) -> None:
    with pytest.raises(BadKeyring) as error:
        Keyring.parse(text, active)
    assert "AAECAwQFBgc" not in str(error.value)
    assert error.value.__suppress_context__ or error.value.__context__ is None


def test_repr_shows_ids_and_no_key() -> None:
    keyring = Keyring.parse(f"{NEW_TEXT},{OLD_TEXT}")
    assert repr(keyring) == "Keyring(keys=['new', 'old'], active='new')"
    assert not any(isinstance(value, bytes) for value in vars(keyring).values())
