"""Types of settings. An invalid value is described and never quoted, because it may be a secret."""

import json
import re
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

_HOST: Final = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+(?:%[^\]]+)?\]|[^\s:/?#@\[\]]*)(?::(?P<port>[0-9]{1,5}))?")
_NO_TEXT: Final = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff]")
_MAX_PORT: Final = 65535
_ORIGIN: Final = re.compile(r"([a-z][a-z0-9+.-]*)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?/?")
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def listed(value: Any) -> Any:
    """A list in JSON, or with commas between its items."""
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith(("[", "{")):
        return [each.strip() for each in value.split(",") if each.strip()]
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError("this is neither a list in JSON nor items with commas between them") from None


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError("this is no JSON") from None


def _url(example: str, *schemes: str, names_host: bool = True) -> Callable[[str], str]:
    """The check of an address; `names_host`: it must name one, because there is no usual one."""

    def check(text: str) -> str:
        scheme, colon, rest = text.partition("://")
        hosts = re.split("[/?#]", rest)[0].rpartition("@")[2].split(",")
        if not colon or scheme.lower() not in schemes or not all(_is_host(each, names_host) for each in hosts):
            raise ValueError(f"this is no address such as {example}, in which a password is percent-encoded")
        return text

    return check


def as_origin(text: str) -> str:
    """An origin as a browser writes it. Raises ValueError."""
    if text in {"", "*"}:
        return text
    # A browser writes a name of other letters in its ASCII form.
    scheme, colon, name = text.strip().lower().partition("://")
    try:
        parts = _ORIGIN.fullmatch(f"{scheme}{colon}{name if name.isascii() else name.encode('idna').decode()}")
    except UnicodeError:
        parts = None
    if parts is None:
        raise ValueError("this is no origin: scheme://host, with :port where it is not the usual one")
    scheme, host, port = parts.groups()
    return f"{scheme}://{host}{'' if port in {None, _DEFAULT_PORTS.get(scheme)} else port}"


def _of_pages(text: str) -> str:
    if text == "*":
        raise ValueError("who may call with cookies is named: * is for MONETA_CORS_ORIGINS")
    return text


def _of_a_header(secret: SecretStr) -> SecretStr:
    if not re.fullmatch("[!-~]*", secret.get_secret_value()):
        raise ValueError("this holds what no HTTP header can carry")
    return secret


def _is_host(text: str, named: bool) -> bool:
    found = _HOST.fullmatch(text)
    return found is not None and int(found["port"] or 0) <= _MAX_PORT and bool(found["name"] or not named)


def is_text(text: str) -> bool:
    """Whether a text has no control characters, and was valid UTF-8 in the environment."""
    return not _NO_TEXT.search(text)


HttpUrl: TypeAlias = Annotated[str, AfterValidator(_url("https://host:8000/path", "http", "https"))]
PostgresUrl: TypeAlias = Annotated[
    str,
    AfterValidator(_url("postgresql://user:password@host:5432/database", "postgresql", "postgres", names_host=False)),
]
RedisUrl: TypeAlias = Annotated[
    str, AfterValidator(_url("redis://user:password@host:6379/0", "redis", "rediss", "unix", names_host=False))
]
HttpUrls: TypeAlias = Annotated[tuple[HttpUrl, ...], NoDecode, BeforeValidator(listed)]
Origin: TypeAlias = Annotated[str, AfterValidator(as_origin), AfterValidator(_of_pages)]
Origins: TypeAlias = Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(listed)]
AnyOrigins: TypeAlias = Annotated[
    tuple[Annotated[str, AfterValidator(as_origin)], ...], NoDecode, BeforeValidator(listed)
]
HeaderSecret: TypeAlias = Annotated[SecretStr, AfterValidator(_of_a_header)]
Texts: TypeAlias = Annotated[tuple[str, ...], NoDecode, BeforeValidator(listed)]
Logins: TypeAlias = Annotated[tuple[tuple[str, str, str], ...], NoDecode, BeforeValidator(_json)]


def plain(value: Any) -> str | None:
    """The text of a setting that is one, a secret's as well."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return value if isinstance(value, str) else None
