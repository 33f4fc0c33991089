"""Addresses, keys and signatures."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.networks.rules import address, is_signed, keccak256, private_key, typed_data
from app.kit.errors import InvalidInput
from tests.domains.campaigns.fair import ETHEREUM, ETHEREUM_SECRET, SEED, SOLANA, SOLANA_KEY, SOLANA_SECRET
from tests.domains.campaigns.signing import address_of, signed_by_ethereum

N = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""How many private keys of Ethereum there are, and one."""

CHECKSUMMED = [
    # The examples of EIP-55.
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]
PROGRAM_DERIVED = str(Pubkey((2).to_bytes(32, "little")))
"""There is no x for y = 2."""


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        (bytes(136), "3a5912a7c5faa06ee4fe906253e339467a9ce87d533c65be3c15cb231cdb25f9"),
    ],
)
def test_keccak_is_that_of_ethereum(data: bytes, digest: str) -> None:
    assert keccak256(data).hex() == digest


@pytest.mark.parametrize("text", CHECKSUMMED)
def test_an_address_of_ethereum_is_stored_with_its_checksum(text: str) -> None:
    digits = text[2:]
    for each in (text, f"0x{digits.lower()}", f"0x{digits.upper()}", f"0X{digits.upper()}"):
        assert address(each, Network.ETHEREUM, "address") == text


@given(st.integers(0, len(CHECKSUMMED) - 1), st.integers(2, 41))
def test_a_wrong_checksum_is_refused(which: int, place: int) -> None:
    text = CHECKSUMMED[which]
    changed = text[:place] + text[place].swapcase() + text[place + 1 :]
    digits = changed[2:]
    if changed == text or digits in {digits.lower(), digits.upper()}:
        return
    with pytest.raises(InvalidInput):
        address(changed, Network.ETHEREUM, "address")


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("", Network.SOLANA),
        (ETHEREUM, Network.SOLANA),
        (SOLANA + "11", Network.SOLANA),
        (SOLANA[:-1] + "0", Network.SOLANA),
        (SOLANA[:-1] + "l", Network.SOLANA),
        (SOLANA.upper(), Network.SOLANA),
        ("1" * 31, Network.SOLANA),
        ("z" * 44, Network.SOLANA),
        (" " + SOLANA, Network.SOLANA),
        ("1" * 10**6, Network.SOLANA),
        (SOLANA, Network.ETHEREUM),
        (ETHEREUM[2:], Network.ETHEREUM),
        (ETHEREUM + "0", Network.ETHEREUM),
        (ETHEREUM[:-1] + "g", Network.ETHEREUM),
        (ETHEREUM[:-1] + "٣", Network.ETHEREUM),
        (SOLANA, Network.INTERNAL),
    ],
)
def test_what_is_no_address_of_a_network_is_refused(text: str, network: Network) -> None:
    with pytest.raises(InvalidInput) as refused:
        address(text, network, "there")
    assert refused.value.path == ("there",)


def test_an_address_without_a_private_key_is_known_by_the_curve() -> None:
    assert address(PROGRAM_DERIVED, Network.SOLANA, "address") == PROGRAM_DERIVED
    with pytest.raises(InvalidInput):
        address(PROGRAM_DERIVED, Network.SOLANA, "address", off_curve=False)
    assert address(SOLANA, Network.SOLANA, "address", off_curve=False) == SOLANA
    for number in range(50):
        key = str(Keypair.from_seed(bytes([number]) * 32).pubkey())
        assert address(key, Network.SOLANA, "address", off_curve=False) == key


def test_a_private_key_is_that_of_its_address() -> None:
    for text in (SOLANA_SECRET, str(SOLANA_KEY)):
        assert private_key(text, Network.SOLANA, SOLANA, "key").secret == SEED
    assert private_key(ETHEREUM_SECRET, Network.ETHEREUM, ETHEREUM, "key").secret == b"\x11" * 32
    mixed = str(Signature(SEED + bytes(32)))
    for text, network, of in (
        (str(Pubkey(bytes(32))), Network.SOLANA, SOLANA),
        (mixed, Network.SOLANA, SOLANA),
        ("x" * 10**6, Network.SOLANA, SOLANA),
        ("0" * 64, Network.ETHEREUM, ETHEREUM),
        (f"{N:x}", Network.ETHEREUM, ETHEREUM),
        ("22" * 32, Network.ETHEREUM, ETHEREUM),
        (SOLANA_SECRET, Network.INTERNAL, SOLANA),
    ):
        with pytest.raises(InvalidInput) as refused:
            private_key(text, network, of, "key")
        assert text not in refused.value.message
    assert str(SEED) not in repr(private_key(SOLANA_SECRET, Network.SOLANA, SOLANA, "key"))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, N - 1), st.text(max_size=200))
def test_a_signature_by_eip_191_is_that_of_one_address(secret: int, message: str) -> None:
    text = message.encode("utf-8", "replace")
    where = address_of(secret)
    for first in (0, 27):
        signature = signed_by_ethereum(secret, text, first=first)
        other = signature[:-2] + f"{2 * first + 1 - int(signature[-2:], 16):02x}"
        assert not is_signed(text.decode(), other, Network.ETHEREUM, where)
        assert is_signed(text.decode(), signature, Network.ETHEREUM, where)
        assert not is_signed(text.decode() + ".", signature, Network.ETHEREUM, where)
        assert not is_signed(text.decode(), signature, Network.ETHEREUM, ETHEREUM) or where == ETHEREUM


def test_typed_data_is_signed_by_eip_712() -> None:
    # As eth-account 0.14 signs `typed_data`.
    made = (
        "0x6f414d96416955dbb0a5aecb9a9cc89d8e5b6284bd78bf30fbb857fd6d3a5361"
        "799afc2db8e0c790bac653de7a9cadee0cef087bd210c8d867cdc0ede98b8e6b1c"
    )
    assert is_signed("hello\nwörld", made, Network.ETHEREUM, ETHEREUM)
    assert not is_signed("hello\nworld", made, Network.ETHEREUM, ETHEREUM)
    assert typed_data("hello")["message"] == {"message": "hello"}


def test_a_signature_of_solana_is_that_of_one_address() -> None:
    signature = str(SOLANA_KEY.sign_message(b"hello"))
    assert is_signed("hello", signature, Network.SOLANA, SOLANA)
    assert not is_signed("hello.", signature, Network.SOLANA, SOLANA)
    assert not is_signed("hello", signature, Network.SOLANA, PROGRAM_DERIVED)
    for bad in ("", "0", "x" * 10**6, str(Signature(bytes(64))), f"0x{'0' * 128}1b"):
        assert not is_signed("hello", bad, Network.SOLANA, SOLANA)
        assert not is_signed("hello", bad, Network.ETHEREUM, ETHEREUM)
    assert not is_signed("hello", signature, Network.INTERNAL, SOLANA)
