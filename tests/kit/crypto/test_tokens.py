import base64
import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.crypto import tokens
from app.kit.crypto.tokens import AccessClaims, AccessTokens, TokenExpired, TokenInvalid

SECRET = b"0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 11, 21, 10, 0, 0, 500_000, tzinfo=UTC)
HOUR = timedelta(hours=1)
USER = UUID("00000000-0000-4000-8000-000000000001")
SESSION = UUID("00000000-0000-4000-8000-000000000002")
ACCESS = AccessTokens(SECRET, "moneta", "graph")
HEADER = {"alg": "HS256", "typ": "JWT"}
CLAIMS = {
    "sub": str(USER),
    "sid": str(SESSION),
    "jti": str(USER),
    "iat": 1_795_255_200,
    "exp": 1_795_258_800,
    "iss": "moneta",
    "aud": "graph",
}


def segment(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()


def forge(header: Any = HEADER, secret: bytes = SECRET, **changes: Any) -> str:
    """A JWT signed with HMAC-SHA-256, whatever its header says; a claim set to None is left out."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    signed = f"{segment(header)}.{segment(claims)}"
    signature = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), sha256)).rstrip(b"=").decode()
    return f"{signed}.{signature}"


def test_new_tokens_are_url_safe_and_differ() -> None:
    made = {tokens.new_token() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in made)
    assert len(tokens.new_token(16)) == 22


def test_digest_is_hex_sha256() -> None:
    assert tokens.digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@given(st.text(st.characters()))
def test_digests_are_defined_for_any_text(text: str) -> None:
    assert re.fullmatch("[0-9a-f]{64}", tokens.digest(text + "\ud800"))
    assert tokens.same_digest(text, text)
    assert not tokens.same_digest(text, text + "\ud800")


def test_otps_are_six_digits_with_leading_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(re.fullmatch("[0-9]{6}", tokens.new_otp()) for _ in range(100))
    monkeypatch.setattr("secrets.randbelow", lambda bound: bound // 1_000_000 * 42)
    assert tokens.new_otp() == "000042"


def test_a_keyed_digest_depends_on_code_secret_and_scope() -> None:
    made = tokens.keyed_digest("000042", secret=SECRET, scope="alice:verify")
    expected = hmac.new(SECRET, b"\0\0\0\x0calice:verify000042", sha256).hexdigest()
    assert made == expected
    assert made != tokens.keyed_digest("000043", secret=SECRET, scope="alice:verify")
    assert made != tokens.keyed_digest("000042", secret=SECRET[::-1], scope="alice:verify")
    assert made != tokens.keyed_digest("000042", secret=SECRET, scope="bob:verify")
    assert made != tokens.keyed_digest("00042", secret=SECRET, scope="alice:verify0")


def test_short_secrets_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        AccessTokens(SECRET[1:], "moneta", "graph")
    with pytest.raises(ValueError, match="32 bytes"):
        tokens.keyed_digest("000042", secret=SECRET[1:], scope="alice")


def test_an_access_token_says_what_it_was_issued_for() -> None:
    token = ACCESS.issue(USER, SESSION, NOW, HOUR)
    claims = ACCESS.verify(token, NOW)
    assert claims == AccessClaims(
        subject=USER,
        session=SESSION,
        token_id=claims.token_id,
        issued_at=NOW.replace(microsecond=0),
        expires_at=NOW.replace(microsecond=0) + HOUR,
    )
    wire = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert sorted(wire) == ["aud", "exp", "iat", "iss", "jti", "sid", "sub"]
    assert token.split(".")[0] == segment(HEADER)
    other = ACCESS.issue(USER, SESSION, NOW, HOUR)
    assert other != token
    assert ACCESS.verify(other, NOW).token_id != claims.token_id


def test_expiry_is_sharp() -> None:
    token = ACCESS.issue(USER, SESSION, NOW, HOUR)
    expiry = NOW.replace(microsecond=0) + HOUR
    assert ACCESS.verify(token, expiry - timedelta(microseconds=1)).subject == USER
    with pytest.raises(TokenExpired):
        ACCESS.verify(token, expiry)


def test_the_forger_of_these_tests_can_make_a_good_token() -> None:
    assert ACCESS.verify(forge(), NOW).subject == USER


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "typ": "JWT"},
        {"alg": "None", "typ": "JWT"},
        {"alg": "HS512", "typ": "JWT"},
        {"alg": "RS256", "typ": "JWT"},
        {"alg": ["HS256"], "typ": "JWT"},
        {"alg": "HS256"},
        {"typ": "JWT"},
        {"alg": "HS256", "typ": "at+jwt"},
        {**HEADER, "crit": ["exp"], "exp": 1},
        {**HEADER, "crit": ["b64"], "b64": False},
        {**HEADER, "kid": "../../etc/passwd"},
        {**HEADER, "jku": "https://eve.example"},
        ["alg"],
        "HS256",
        None,
    ],
)
def test_any_other_header_is_refused_even_if_well_signed(header: Any) -> None:
    with pytest.raises(TokenInvalid):
        ACCESS.verify(forge(header), NOW)


def test_an_unsigned_token_is_refused() -> None:
    signed = forge().rpartition(".")[0]
    for token in (signed, signed + ".", f"{segment({'alg': 'none', 'typ': 'JWT'})}.{segment(CLAIMS)}."):
        with pytest.raises(TokenInvalid):
            ACCESS.verify(token, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        *({name: None} for name in CLAIMS),
        {"iss": "other"},
        {"aud": "other"},
        {"aud": ["graph"]},
        {"sub": "alice"},
        {"sid": 7},
        {"exp": "1795258800"},
        {"exp": 1_795_258_800.5},
        {"exp": True},
        {"exp": 1e400},
        {"exp": 10**30},
        {"iat": -1},
    ],
)
def test_claims_of_another_shape_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid):
        ACCESS.verify(forge(**changes), NOW)


def test_another_secret_is_refused() -> None:
    with pytest.raises(TokenInvalid):
        ACCESS.verify(forge(secret=SECRET[::-1]), NOW)


def test_an_expired_token_for_another_audience_is_invalid_rather_than_expired() -> None:
    with pytest.raises(TokenInvalid):
        ACCESS.verify(forge(aud="other", exp=1), NOW)


def test_four_kibibytes_are_the_most_that_is_read() -> None:
    padding = next(size for size in range(4096) if len(forge(pad="x" * size)) == 4096)
    assert ACCESS.verify(forge(pad="x" * padding), NOW).subject == USER
    with pytest.raises(TokenInvalid, match="long"):
        ACCESS.verify(forge(pad="x" * (padding + 3)), NOW)


@given(st.text(), st.text(), st.booleans())
def test_any_text_is_at_worst_invalid(payload: str, signature: str, ours: bool) -> None:
    with pytest.raises(TokenInvalid):
        ACCESS.verify(f"{segment(HEADER) if ours else ''}.{payload}.{signature}", NOW)


@given(st.integers(0, 10_000), st.characters())
def test_a_changed_character_is_noticed(position: int, character: str) -> None:
    token = forge()
    position %= len(token)
    changed = token[:position] + character + token[position + 1 :]
    if changed != token:
        with pytest.raises(TokenInvalid):
            ACCESS.verify(changed, NOW)
