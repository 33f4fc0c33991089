"""Recovering the public key that made a signature on secp256k1, as Ethereum does. All of it is public: no secret is
computed with, so it need not take the same time for all values.
"""

from typing import Final, TypeAlias

P: Final = 2**256 - 2**32 - 977
N: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
G: Final = (
    0x79BE667E_F9DCBBAC_55A06295_CE870B07_029BFCDB_2DCE28D9_59F2815B_16F81798,
    0x483ADA77_26A3C465_5DA4FBFC_0E1108A8_FD17B448_A6855419_9C47D08F_FB10D4B8,
)

Jacobian: TypeAlias = tuple[int, int, int]
"""The point (x / z^2, y / z^3); without one where z is 0."""

_NOWHERE: Final = (1, 1, 0)


def recover(digest: bytes, r: int, s: int, *, is_odd: bool) -> bytes | None:
    """The public key, x and y in 64 bytes, whose signature of a digest of 32 bytes is (r, s). None: no key's is."""
    if not (0 < r < N and 0 < s < N):
        return None
    square = (pow(r, 3, P) + 7) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        return None
    if y % 2 != is_odd:
        y = P - y
    inverse = pow(r, -1, N)
    x, y, z = _sum_of_multiples(-int.from_bytes(digest) * inverse % N, G, s * inverse % N, (r, y))
    if not z:
        return None
    shrunk = pow(z, -1, P)
    return (x * shrunk**2 % P).to_bytes(32) + (y * shrunk**3 % P).to_bytes(32)


def _sum_of_multiples(first: int, one: tuple[int, int], second: int, other: tuple[int, int]) -> Jacobian:
    """`first` times one point and `second` times another."""
    a, b = (*one, 1), (*other, 1)
    terms = {(1, 0): a, (0, 1): b, (1, 1): _added(a, b)}
    total: Jacobian = _NOWHERE
    for bit in range(255, -1, -1):
        total = _doubled(total)
        if chosen := terms.get((first >> bit & 1, second >> bit & 1)):
            total = _added(total, chosen)
    return total


def _doubled(point: Jacobian) -> Jacobian:
    x, y, z = point
    if not z:
        return _NOWHERE
    square = y * y % P
    across, slope = 4 * x * square % P, 3 * x * x
    twice = (slope * slope - 2 * across) % P
    return twice, (slope * (across - twice) - 8 * square * square) % P, 2 * y * z % P


def _added(one: Jacobian, other: Jacobian) -> Jacobian:
    if not one[2] or not other[2]:
        return other if not one[2] else one
    (x1, y1, z1), (x2, y2, z2) = one, other
    left, right = x1 * z2 * z2 % P, x2 * z1 * z1 % P
    low, high = y1 * z2**3 % P, y2 * z1**3 % P
    across, up = (right - left) % P, (high - low) % P
    if not across:
        return _NOWHERE if up else _doubled(one)
    square = across * across % P
    cube, part = square * across % P, left * square % P
    x = (up * up - cube - 2 * part) % P
    return x, (up * (part - x) - low * cube) % P, across * z1 * z2 % P
