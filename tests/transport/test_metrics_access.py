"""/metrics: in production by token only."""

import pytest
from pydantic import SecretStr, ValidationError
from starlette.types import ASGIApp

from app.settings import Settings
from tests.transport.support import ORIGIN, build, client_for

TOKEN = "a-token-of-prometheus"
SECRETS = {"secret_key": "x" * 32, "key_encryption_keys": "k:" + "a" * 44, "public_url": ORIGIN}


def app(environment: str = "production", token: str | None = TOKEN) -> ASGIApp:
    return build(Settings.model_validate({"environment": environment, "metrics_token": token, **SECRETS}))


async def status(app: ASGIApp, authorization: str | bytes | None = None, **more: str) -> int:
    """What a scraper is answered, and that it receives nothing without permission."""
    given = authorization.encode() if isinstance(authorization, str) else authorization
    headers = [] if given is None else [(b"authorization", given)]
    response = await client_for(app, **({"client": (more.pop("peer"), 1)} if "peer" in more else {})).get(
        "/metrics", headers=[*headers, *((name.encode(), value.encode()) for name, value in more.items())]
    )
    assert (b"moneta_" in response.content) == (response.status_code == 200)
    if response.status_code == 401:
        assert response.headers["www-authenticate"] == 'Bearer realm="metrics"'
        assert TOKEN not in response.text
    return response.status_code


@pytest.mark.parametrize("environment", ["production", "development"])
async def test_a_token_that_is_set_is_needed(environment: str) -> None:
    guarded = app(environment)
    assert await status(guarded, f"Bearer {TOKEN}") == 200
    assert await status(guarded, f"bearer  {TOKEN} ") == 200
    for wrong in (
        None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN,
        b"Bearer \xff\xfe", f"Bearer {TOKEN.upper()}",
    ):  # fmt: skip
        assert await status(guarded, wrong) == 401, wrong


@pytest.mark.parametrize("token", [None, ""])
async def test_production_without_a_token_lets_nobody_in(token: str | None) -> None:
    closed = app(token=token)
    for given in (None, "Bearer ", "Bearer x", "Bearer None"):
        assert await status(closed, given) == 401


async def test_development_is_open_on_this_machine_only() -> None:
    opened = app("development", None)
    assert await status(opened) == 200
    assert await status(opened, peer="::1") == 200
    for peer in ("192.0.2.1", "10.0.0.1", "", "unix"):
        assert await status(opened, peer=peer) == 401
    assert await status(opened, **{"x-forwarded-for": "192.0.2.1"}) == 401


def test_a_short_token_is_no_token() -> None:
    with pytest.raises(ValidationError, match="MONETA_METRICS_TOKEN must have at least 16 bytes"):
        Settings(metrics_token=SecretStr("short"))


def test_what_an_env_file_leaves_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("METRICS_TOKEN", "SMTP_URL", "MINER_EMAIL", "SECRET_KEY"):
        monkeypatch.setenv(f"MONETA_{name}", "")
    settings = Settings()
    assert (settings.metrics_token, settings.smtp_url, settings.miner_email, settings.secret_key) == (None,) * 4
