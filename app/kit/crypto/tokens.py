"""Tokens a client carries: random ones stored as digests, one-time codes, and signed access tokens."""

import hmac
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated
from uuid import UUID, uuid4

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

MIN_SECRET_BYTES = 32
MAX_ACCESS_TOKEN_CHARS = 4096
OTP_DIGITS = 6

_ALGORITHM = "HS256"
# {"alg":"HS256","typ":"JWT"}: the one header that is ever issued. Compared as text before anything is
# parsed, so `alg`, `typ`, `crit`, `kid` and `jku` that a client chose never reach a parser.
_HEADER_SEGMENT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"


class TokenError(Exception):
    """The access token is not accepted."""


class TokenInvalid(TokenError):
    """The access token is malformed, forged, or meant for someone else."""


class TokenExpired(TokenError):
    """The access token was valid and has expired."""


class AccessClaims(msgspec.Struct, frozen=True):
    """What a verified access token says. Times are whole seconds, UTC."""

    subject: UUID
    session: UUID
    token_id: UUID
    issued_at: datetime
    expires_at: datetime


# Up to the year 9999: what a datetime can hold.
_Seconds = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]


class _WireClaims(msgspec.Struct, frozen=True):
    sub: UUID
    sid: UUID
    jti: UUID
    iat: _Seconds
    exp: _Seconds
    iss: str
    aud: str


def new_token(bytes: int = 32) -> str:
    """URL-safe text of `bytes` random bytes."""
    return secrets.token_urlsafe(bytes)


def digest(token: str) -> str:
    """Hex SHA-256: the only form in which a random token is stored. Defined for any text."""
    return sha256(_encode(token)).hexdigest()


def new_otp() -> str:
    """Six decimal digits, leading zeros kept."""
    return f"{secrets.randbelow(10**OTP_DIGITS):0{OTP_DIGITS}d}"


def keyed_digest(text: str, *, secret: bytes, scope: str) -> str:
    """Hex HMAC-SHA-256 of a secret that a client presents, bound to `scope` (its owner and its purpose).

    Keyed, because a plain digest of a six-digit code can be reversed by a million attempts; scoped, so that a
    digest that was copied to another row does not match.
    """
    # The length in front prevents (scope, text) from being split at another position.
    scoped = _encode(scope)
    return hmac.digest(_strong(secret), len(scoped).to_bytes(4) + scoped + _encode(text), sha256).hex()


def same_digest(left: str, right: str) -> bool:
    """Equality that takes the same time wherever the two differ."""
    return hmac.compare_digest(_encode(left), _encode(right))


class AccessTokens:
    """Issues and verifies short-lived JWTs (HS256 and nothing else) for one issuer and one audience."""

    def __init__(self, secret: bytes, issuer: str, audience: str) -> None:
        """`secret` has 32 bytes or more; changing it ends every token issued before."""
        self._key = OctKey.import_key(_strong(secret))
        self._issuer = issuer
        self._audience = audience

    def issue(self, subject: UUID, session: UUID, now: datetime, ttl: timedelta) -> str:
        """A token valid from `now` until `now + ttl`, rounded down to the second; no two are alike."""
        claims = {
            "sub": str(subject),
            "sid": str(session),
            "jti": str(uuid4()),
            "iat": int(now.timestamp()),
            "exp": int((now + ttl).timestamp()),
            "iss": self._issuer,
            "aud": self._audience,
        }
        header = {"alg": _ALGORITHM, "typ": "JWT"}
        return jwt.encode(header, claims, self._key, algorithms=[_ALGORITHM], default_type=None)

    def verify(self, token: str, now: datetime) -> AccessClaims:
        """What `token` says, at `now` and without leeway: it has expired exactly at `exp`.

        Raises TokenExpired for a token that was valid, TokenInvalid for any other text.
        """
        claims = self._read(token)
        if claims.iss != self._issuer or claims.aud != self._audience:
            raise TokenInvalid("the token is meant for another issuer or audience")
        if now.timestamp() >= claims.exp:
            raise TokenExpired("the token has expired")
        return AccessClaims(
            subject=claims.sub,
            session=claims.sid,
            token_id=claims.jti,
            issued_at=datetime.fromtimestamp(claims.iat, UTC),
            expires_at=datetime.fromtimestamp(claims.exp, UTC),
        )

    def _read(self, token: str) -> _WireClaims:
        if len(token) > MAX_ACCESS_TOKEN_CHARS:
            raise TokenInvalid("the token is too long")
        if token.partition(".")[0] != _HEADER_SEGMENT:
            raise TokenInvalid("the token's header is not ours")
        # ValueError is what is left of malformed text and of claims of another shape (ValidationError).
        try:
            claims = jwt.decode(token, self._key, algorithms=[_ALGORITHM]).claims
            return msgspec.convert(claims, _WireClaims)
        except (JoseError, ValueError) as error:
            raise TokenInvalid("the token is malformed or its signature is wrong") from error


def _encode(text: str) -> bytes:
    # Total: text from a client may hold lone surrogates, and they must not become an exception here.
    return text.encode("utf-8", "surrogatepass")


def _strong(secret: bytes) -> bytes:
    if len(secret) < MIN_SECRET_BYTES:
        raise ValueError(f"a secret has at least {MIN_SECRET_BYTES} bytes")
    return secret
