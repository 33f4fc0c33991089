"""Addresses, private keys and signatures of each network. Pure."""

import re
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.domains.campaigns.networks.model import (
    MAX_ADDRESS_CHARS,
    MAX_PRIVATE_KEY_CHARS,
    MAX_SIGNATURE_CHARS,
    Network,
    PrivateKey,
    Wanted,
)
from app.kit.crypto.base58 import decode58, encode58
from app.kit.crypto.keccak import keccak256, keccak256_each
from app.kit.crypto.secp256k1 import N, recover
from app.kit.errors import InvalidInput

_ETHEREUM: Final = re.compile(r"0[xX]([0-9a-fA-F]{40})", re.ASCII)
_HEX_KEY: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})", re.ASCII)
_HEX_SIGNATURE: Final = re.compile(r"0x([0-9a-fA-F]{130})", re.ASCII)
_FIELD: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _FIELD) % _FIELD
COINS: Final = 40
"""How many random bits for each key `off_curve` takes: it errs once in 2 to the power of so many."""
_FEW: Final = 8
_DERIVED: Final = "No private key has this address: it was derived by a program of Solana."


def address(text: str, network: Network, field: str, *, off_curve: bool = True) -> str:
    """The address as it is stored. `off_curve`: whether it may be one that no private key has. Raises InvalidInput."""
    match network:
        case Network.SOLANA:
            return _solana(text, field, off_curve=off_curve)
        case Network.ETHEREUM:
            return _ethereum(text, field)
        case Network.INTERNAL:
            raise InvalidInput(field, "There are no addresses in the network INTERNAL.")


def addresses(wanted: Sequence[Wanted], coins: int) -> list[str | InvalidInput]:
    """As `address` of each, for a fraction of the time; what it refuses, in place of what it raises. `coins` has COINS
    random bits for each.
    """
    made: list[str | InvalidInput] = []
    for each in wanted:
        try:
            if each.network is Network.ETHEREUM:
                made.append(_ethereum_digits(each.text, each.field))
            else:
                made.append(address(each.text, each.network, each.field))
        except InvalidInput as refused:
            made.append(refused)
    places = [place for place, each in enumerate(wanted) if _is_left(each, made[place], Network.ETHEREUM)]
    texts = [str(made[place]).lower() for place in places]
    for place, text, digest in zip(places, texts, keccak256_each([each.encode() for each in texts]), strict=True):
        try:
            made[place] = _with_checksum(str(made[place]), _cased(text, digest), wanted[place].field)
        except InvalidInput as refused:
            made[place] = refused
    places = [
        place
        for place, each in enumerate(wanted)
        if _is_left(each, made[place], Network.SOLANA) and not each.allows_off_curve
    ]
    off = off_curve([decode58(wanted[place].text) for place in places], coins)
    for place, is_off in zip(places, off, strict=True):
        if is_off:
            made[place] = InvalidInput(wanted[place].field, _DERIVED)
    return made


def _is_left(wanted: Wanted, made: str | InvalidInput, network: Network) -> bool:
    return wanted.network is network and isinstance(made, str)


def off_curve(keys: Sequence[bytes], coins: int) -> list[bool]:
    """Which of these are no points of ed25519, as `is_on_curve` of each. A product of squares is a square, so products
    of random halves of many are tested in place of each. `coins` has COINS random bits for each.
    """
    found = [False] * len(keys)
    left = list[tuple[int, int]]()
    for place, key in enumerate(keys):
        value = int.from_bytes(key, "little")
        y, is_odd = value & (1 << 255) - 1, value >> 255
        square = y * y % _FIELD
        if y >= _FIELD or (square == 1 and is_odd):
            found[place] = True
        elif square != 1:
            # Whether u / v is a square is whether u * v is.
            left.append((place, (square - 1) * (_D * square + 1) % _FIELD))
    groups = [left] if left else []
    while groups:
        group = groups.pop()
        if len(group) <= _FEW:
            for place, value in group:
                found[place] = not _is_square(value)
        elif not _are_squares([value for _, value in group], coins):
            half = len(group) // 2
            groups += [group[:half], group[half:]]
    return found


def _are_squares(values: Sequence[int], coins: int) -> bool:
    products, mask = [1] * COINS, (1 << COINS) - 1
    for place, value in enumerate(values):
        drawn = coins >> (COINS * place) & mask
        while drawn:
            bit = drawn & -drawn
            at = bit.bit_length() - 1
            products[at] = products[at] * value % _FIELD
            drawn ^= bit
    return all(_is_square(each) for each in products)


def _is_square(value: int) -> bool:
    return pow(value, (_FIELD - 1) // 2, _FIELD) == 1


def checksummed(digits: str) -> str:
    """An address of Ethereum with its checksum by EIP-55, from 40 hexadecimal digits."""
    lower = digits.lower()
    return _cased(lower, keccak256(lower.encode()))


def _cased(lower: str, hashed: bytes) -> str:
    digest = hashed.hex()
    return "0x" + "".join(
        each.upper() if int(nibble, 16) > 7 else each for each, nibble in zip(lower, digest, strict=False)
    )


def is_on_curve(key: bytes) -> bool:
    """Whether 32 bytes are a point of ed25519: the address of a private key, and not one that a program derived."""
    value = int.from_bytes(key, "little")
    y, is_odd = value & (1 << 255) - 1, value >> 255
    if y >= _FIELD:
        return False
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _FIELD) % _FIELD
    if square == 0:
        return not is_odd
    return pow(square, (_FIELD - 1) // 2, _FIELD) == 1


def private_key(text: str, network: Network, address: str, field: str) -> PrivateKey:
    """The private key of an address. Raises InvalidInput, which does not quote it."""
    secret = _secret(text.strip(), network) if len(text) <= MAX_PRIVATE_KEY_CHARS else None
    if secret is None:
        forms = {
            Network.SOLANA: "32 or 64 bytes in Base58",
            Network.ETHEREUM: "64 hexadecimal digits",
            Network.INTERNAL: "not there: the network INTERNAL has none",
        }
        raise InvalidInput(field, f"A private key of this network is {forms[network]}.")
    if _address_of(secret, network) != address:
        raise InvalidInput(field, "This is the private key of another address.")
    return PrivateKey(secret)


def is_signed(message: str, signature: str, network: Network, address: str) -> bool:
    """Whether the private key of an address has signed a message: ed25519 over its bytes for Solana, in Base58; for
    Ethereum the signature of EIP-191 (`personal_sign`), in hexadecimal digits.
    """
    if len(signature) > MAX_SIGNATURE_CHARS:
        return False
    match network:
        case Network.SOLANA:
            return _is_signed_for_solana(message.encode(), signature, address)
        case Network.ETHEREUM:
            return _is_signed_for_ethereum(message.encode(), signature, address)
        case Network.INTERNAL:
            return False


def _solana(text: str, field: str, *, off_curve: bool) -> str:
    try:
        key = decode58(text) if len(text) <= MAX_ADDRESS_CHARS else b""
    except ValueError:
        key = b""
    if len(key) != 32:
        raise InvalidInput(field, "An address of Solana is 32 bytes in Base58, 32 to 44 characters.")
    if not off_curve and not is_on_curve(key):
        raise InvalidInput(field, _DERIVED)
    return text


def _ethereum(text: str, field: str) -> str:
    digits = _ethereum_digits(text, field)
    return _with_checksum(digits, checksummed(digits), field)


def _ethereum_digits(text: str, field: str) -> str:
    found = _ETHEREUM.fullmatch(text)
    if found is None:
        raise InvalidInput(field, "An address of Ethereum is 0x and 40 hexadecimal digits.")
    return found[1]


def _with_checksum(digits: str, correct: str, field: str) -> str:
    if digits not in {digits.lower(), digits.upper()} and f"0x{digits}" != correct:
        raise InvalidInput(field, "The checksum of this address is wrong (EIP-55): a character was changed.")
    return correct


def _secret(text: str, network: Network) -> bytes | None:
    if network is Network.ETHEREUM:
        found = _HEX_KEY.fullmatch(text)
        secret = None if found is None else bytes.fromhex(found[1])
        return secret if secret is not None and 0 < int.from_bytes(secret) < N else None
    try:
        key = decode58(text) if network is Network.SOLANA else b""
    except ValueError:
        return None
    # Wallets export the private key and the public one in a row.
    if len(key) == 64 and Ed25519PrivateKey.from_private_bytes(key[:32]).public_key().public_bytes_raw() != key[32:]:
        return None
    return key[:32] if len(key) in {32, 64} else None


def _address_of(secret: bytes, network: Network) -> str:
    if network is Network.SOLANA:
        return encode58(Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw())
    numbers = ec.derive_private_key(int.from_bytes(secret), ec.SECP256K1()).public_key().public_numbers()
    return _ethereum_address(numbers.x.to_bytes(32) + numbers.y.to_bytes(32))


def _ethereum_address(public: bytes) -> str:
    return checksummed(keccak256(public)[12:].hex())


def _is_signed_for_solana(message: bytes, signature: str, address: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(decode58(address)).verify(decode58(signature), message)
    except (ValueError, InvalidSignature):
        return False
    return True


def _is_signed_for_ethereum(message: bytes, signature: str, address: str) -> bool:
    found = _HEX_SIGNATURE.fullmatch(signature)
    if found is None:
        return False
    r, s, v = int(found[1][:64], 16), int(found[1][64:128], 16), int(found[1][128:], 16)
    if v not in {0, 1, 27, 28}:
        return False
    digest = keccak256(b"\x19Ethereum Signed Message:\n%d%b" % (len(message), message))
    public = recover(digest, r, s, is_odd=v in {1, 28})
    return public is not None and _ethereum_address(public) == address
