import base64
import re
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric import rsa as library
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from hypothesis import given
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from app.kit.crypto import rsa
from app.kit.crypto.rsa import BadPublicKey

PAIR = rsa.generate_rsa_key()
OTHER = rsa.generate_rsa_key()
SIGNATURE = rsa.sign(PAIR.private_der, b"pay bob")


def spki(bits: int = 2048, e: int = 65537, n: int | None = None) -> bytes:
    modulus = n if n is not None else (1 << bits) - 1
    public = library.RSAPublicNumbers(e, modulus).public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def pem(der: bytes, label: str = "PUBLIC KEY") -> str:
    encoded = base64.b64encode(der).decode()
    lines = "\n".join(re.findall(".{1,64}", encoded))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def private(der: bytes) -> library.RSAPrivateKey:
    key = load_der_private_key(der, None)
    assert isinstance(key, library.RSAPrivateKey)
    return key


def test_a_generated_pair_is_rsa_2048_with_matching_halves() -> None:
    # Loaded with the library's full validation, which `sign` skips.
    key = private(PAIR.private_der)
    assert key.key_size == 2048
    assert key.public_key().public_numbers().e == 65537
    assert key.public_key() == load_der_public_key(PAIR.public_der)
    assert PAIR.public_der != OTHER.public_der


def test_a_signature_fits_its_message_and_key_only() -> None:
    assert len(SIGNATURE) == 256
    assert rsa.verify(PAIR.public_der, b"pay bob", SIGNATURE)
    assert not rsa.verify(PAIR.public_der, b"pay eve", SIGNATURE)
    assert not rsa.verify(OTHER.public_der, b"pay bob", SIGNATURE)
    assert rsa.sign(PAIR.private_der, b"pay bob") != SIGNATURE


def test_the_scheme_is_pss_sha256_with_a_salt_of_32_bytes() -> None:
    public = load_der_public_key(PAIR.public_der)
    assert isinstance(public, library.RSAPublicKey)
    public.verify(SIGNATURE, b"pay bob", padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


@pytest.mark.parametrize(
    ("scheme", "algorithm"),
    [
        (padding.PSS(padding.MGF1(hashes.SHA256()), 20), hashes.SHA256()),
        (padding.PSS(padding.MGF1(hashes.SHA1()), 32), hashes.SHA256()),
        (padding.PSS(padding.MGF1(hashes.SHA512()), 64), hashes.SHA512()),
        (padding.PKCS1v15(), hashes.SHA256()),
    ],
)
def test_signatures_of_another_scheme_are_wrong(
    scheme: padding.AsymmetricPadding, algorithm: hashes.HashAlgorithm
) -> None:
    signature = private(PAIR.private_der).sign(b"pay bob", scheme, algorithm)
    assert not rsa.verify(PAIR.public_der, b"pay bob", signature)


@given(st.binary(max_size=600), st.binary(max_size=100), st.binary(max_size=600))
def test_any_bytes_have_an_answer(key: bytes, message: bytes, signature: bytes) -> None:
    assert not rsa.verify(key, message, signature)
    assert not rsa.verify(PAIR.public_der, message, signature)


@given(st.integers(0, 293), st.integers(1, 255))
def test_a_damaged_key_verifies_nothing_and_raises_nothing(position: int, change: int) -> None:
    damaged = bytearray(PAIR.public_der)
    damaged[position] ^= change
    assert not rsa.verify(bytes(damaged), b"pay bob", SIGNATURE)


# The cases have names: keys and signatures are new in each process, and parallel workers must collect the same tests.
@pytest.mark.parametrize(
    "signature",
    [b"", b"\0" * 256, b"\xff" * 256, SIGNATURE[:-1], SIGNATURE + b"\0"],
    ids=["empty", "zero", "beyond the modulus", "short", "long"],
)
def test_signatures_of_another_length_or_range_are_wrong(signature: bytes) -> None:
    assert not rsa.verify(PAIR.public_der, b"pay bob", signature)


def test_the_key_cache_is_bounded() -> None:
    assert rsa._load_public.cache_info().maxsize == rsa.CACHED_KEYS == 8192


def test_fingerprint_is_hex_sha256_of_the_der() -> None:
    assert rsa.fingerprint(PAIR.public_der) == sha256(PAIR.public_der).hexdigest()


def test_one_key_has_one_der_however_it_was_written() -> None:
    assert rsa.public_pem(PAIR.public_der) == pem(PAIR.public_der)
    pkcs1 = private(PAIR.private_der).public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    for text in (pem(PAIR.public_der), pem(PAIR.public_der).replace("\n", "\r\n"), pkcs1):
        assert rsa.parse_public_key(text) == PAIR.public_der


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_keys_from_2048_to_4096_bits_are_accepted(bits: int) -> None:
    assert rsa.parse_public_key(pem(spki(bits))) == spki(bits)


EC_PUBLIC = ec.generate_private_key(ec.SECP256R1()).public_key()
EC_DER = EC_PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "PEM"),
        ("hello", "PEM"),
        ("\ud800", "PEM"),
        ("a\0b", "PEM"),
        (pem(b"\x30\x00"), "PEM"),
        (pem(PAIR.public_der[:-1]), "PEM"),
        (pem(PAIR.private_der, "PRIVATE KEY"), "private"),
        (pem(EC_DER), "RSA"),
        (pem(spki(1024)), "1024 bits"),
        (pem(spki(2047)), "2047 bits"),
        (pem(spki(4097)), "4097 bits"),
        (pem(spki(2048, e=3)), "exponent"),
        (pem(spki(2048, e=65539)), "exponent"),
        (pem(spki(8192)) + " " * 4096, "longer"),
    ],
    ids=[
        "empty",
        "words",
        "a surrogate",
        "a NUL",
        "no key",
        "a cut key",
        "a private key",
        "an elliptic curve",
        "1024 bits",
        "2047 bits",
        "4097 bits",
        "exponent 3",
        "exponent 65539",
        "8192 bits",
    ],
)
def test_other_keys_are_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(BadPublicKey, match=reason):
        rsa.parse_public_key(text)


@pytest.mark.parametrize(
    "der",
    [b"", EC_DER, spki(1024), spki(2048, e=3)],
    ids=["empty", "an elliptic curve", "1024 bits", "exponent 3"],
)
def test_keys_that_are_not_accepted_verify_nothing_and_have_no_pem(der: bytes) -> None:
    assert not rsa.verify(der, b"pay bob", SIGNATURE)
    with pytest.raises(BadPublicKey):
        rsa.public_pem(der)


def test_an_even_modulus_is_refused() -> None:
    # The library will not build such a key: patch the last byte of the modulus, which the exponent follows.
    even = bytearray(PAIR.public_der)
    assert even[-5:] == b"\x02\x03\x01\x00\x01"
    even[-6] &= 0xFE
    with pytest.raises(BadPublicKey, match="even"):
        rsa.parse_public_key(pem(bytes(even)))
    assert not rsa.verify(bytes(even), b"pay bob", SIGNATURE)


def test_only_rsa_keys_sign() -> None:
    der = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(TypeError, match="RSA"):
        rsa.sign(der, b"pay bob")


def test_repr_hides_the_private_key() -> None:
    expected = f"RsaKey(fingerprint='{rsa.fingerprint(PAIR.public_der)}')"
    assert repr(PAIR) == expected
    assert "private" not in pretty_repr(PAIR)
    assert rsa.fingerprint(PAIR.public_der) in pretty_repr(PAIR)
