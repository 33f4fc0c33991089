"""A browser that has logged in before is known by its cookie, over HTTP as it is."""

from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from app.kit.house import Services
from app.transport.application import create_app
from app.transport.cookies import DEVICE
from app.transport.runtime import AppRuntime
from tests.factories import PASSWORD, register

ORIGIN, EMAIL = "https://moneta.test", "alice@example.com"
HOME, AWAY = "203.0.113.7", "192.0.2.77"
LOGIN = """mutation ($input: LoginInput!) { login(input: $input) {
  __typename ... on Problem { message } } }"""


class Browser:
    """A browser on a page of ours, at an address. It keeps the cookies that it is sent."""

    def __init__(self, app: ASGIApp, address: str, cookies: httpx.Cookies | None = None) -> None:
        transport = httpx.ASGITransport(app, client=(address, 4711))
        self._client = httpx.AsyncClient(transport=transport, base_url=ORIGIN, cookies=cookies)

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    async def log_in(self, password: str) -> str:
        """What type of answer it gets."""
        body = {"query": LOGIN, "variables": {"input": {"email": EMAIL, "password": password}}}
        answer = (await self._client.post("/graphql", json=body, headers={"origin": ORIGIN})).json()
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]["login"]
        return str(data["__typename"])


async def besiege(app: ASGIApp) -> None:
    """Strangers guess from everywhere until even a new address has to wait."""
    for n in range(100):
        if await Browser(app, f"198.51.100.{n}").log_in("wrong-wrong-wrong") == "RateLimited":
            return
    raise AssertionError("nobody slowed them down")


@pytest.mark.parametrize("keeps_cookie", [True, False])
async def test_a_browser_that_is_known_logs_in_while_strangers_guess(
    runtime: AppRuntime, services: Services, keeps_cookie: bool
) -> None:
    await register(services, EMAIL)
    app = create_app(runtime)
    home = Browser(app, HOME)
    assert await home.log_in(PASSWORD) == "LoginPayload"
    kept = httpx.Cookies()
    if keeps_cookie:
        # Its session is over; it is still known as a device.
        kept.set(DEVICE, home.cookies[DEVICE])
    await besiege(app)
    answer = await Browser(app, AWAY, kept).log_in(PASSWORD)
    assert answer == ("LoginPayload" if keeps_cookie else "RateLimited")
