"""Files over HTTP: who may send and fetch them, and how large they may be."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.domains.tenancy.tenants.model.tenants import Tenancy
from app.kit.errors import NotFound
from app.kit.maintenance import MaintenanceSwitch
from app.transport.cookies import SESSION
from app.transport.runtime import StoredUpload
from tests.databases import NOON
from tests.transport.support import ORIGIN, TOKEN, build, client_for
from tests.transport.test_api_keys import BEARER, COUNTED, acting, bearers, charging
from tests.transport.test_tenants import acme

FILE = UUID(int=7)
CSV = {"content-type": "text/csv; charset=utf-8"}
ALICE = {"authorization": f"Bearer {TOKEN}", "x-moneta-tenant": "acme"}


class Shelf:
    """Keeps what it is given, in memory."""

    limit_bytes = 100

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    async def upload(self, tenancy: Tenancy, body: AsyncGenerator[bytes, None]) -> StoredUpload:
        content = b"".join([part async for part in body])
        self.taken.append(content)
        return StoredUpload(FILE, len(content), NOON)

    async def download(self, tenancy: Tenancy, id: UUID) -> tuple[int, AsyncGenerator[bytes, None]]:
        async def parts() -> AsyncGenerator[bytes, None]:
            yield b"a,b\r\n"
            yield b"1,2\r\n"

        if id != FILE:
            raise NotFound(Tenancy)
        return 10, parts()


def shop(**given: Any) -> tuple[Shelf, httpx.AsyncClient]:
    shelf = Shelf()
    parts: dict[str, Any] = {"tenancy_of": acme, "files": shelf}
    return shelf, client_for(build(**parts | given))


async def test_a_file_is_stored_and_fetched() -> None:
    shelf, client = shop()
    answer = await client.post("/uploads", content=b"x" * 100, headers=ALICE | CSV)
    assert (answer.status_code, answer.json()) == (
        201, {"uploadId": str(FILE), "sizeBytes": 100, "expiresAt": NOON.isoformat().replace("+00:00", "Z")},
    )  # fmt: skip
    assert shelf.taken == [b"x" * 100]
    fetched = await client.get(f"/exports/{FILE}", headers=ALICE | {"accept-encoding": "gzip"})
    assert (fetched.status_code, fetched.content) == (200, b"a,b\r\n1,2\r\n")
    assert fetched.headers["content-disposition"] == f'attachment; filename="participants-{FILE}.csv"'
    assert fetched.headers["cache-control"] == "no-store, no-transform"
    assert "content-encoding" not in fetched.headers


async def pieces(count: int) -> AsyncGenerator[bytes, None]:
    for _ in range(count):
        yield b"x" * 20


async def test_what_is_too_large_is_refused_with_the_limit() -> None:
    shelf, client = shop()
    for content in (b"x" * 101, pieces(6)):
        answer = await client.post("/uploads", content=content, headers=ALICE | CSV)
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["extensions"]["limitBytes"], "100 bytes" in error["message"]) == (
            413,
            100,
            True,
        )
    assert shelf.taken == []
    assert (await client.post("/uploads", content=pieces(5), headers=ALICE | CSV)).status_code == 201


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (CSV, 401),
        (CSV | {"authorization": f"Bearer {TOKEN}"}, 400),
        (CSV | ALICE | {"x-moneta-tenant": "other"}, 404),
        (CSV | {"cookie": f"{SESSION}={TOKEN}", "x-moneta-tenant": "acme", "origin": "https://evil.example"}, 403),
        (ALICE | {"content-type": "application/json"}, 415),
        (ALICE | {"content-type": "text/csv; charset=utf-16"}, 415),
        (ALICE | CSV | {"content-encoding": "gzip"}, 415),
    ],
)
async def test_who_may_not_send_is_refused(headers: dict[str, str], status: int) -> None:
    shelf, client = shop()
    answer = await client.post("/uploads", content=b"x", headers=headers)
    assert (answer.status_code, shelf.taken) == (status, [])


async def test_a_key_needs_the_scope() -> None:
    for scopes, sends, fetches in (
        (("participants:write",), 201, 403),
        (("participants:read",), 403, 200),
        (("*:write",), 201, 403),
        ((), 403, 403),
    ):
        key = bearers(acting(*scopes))
        _, client = shop(acting_by_key=key, charge=charging(COUNTED))
        assert (await client.post("/uploads", content=b"x", headers=BEARER | CSV)).status_code == sends
        fetched = await client.get(f"/exports/{FILE}", headers=BEARER)
        assert fetched.status_code == fetches
        assert "ratelimit" in fetched.headers


async def test_other_files_and_methods_are_not_there() -> None:
    _, client = shop()
    for path in ("x", str(UUID(int=8))):
        assert (await client.get(f"/exports/{path}", headers=ALICE)).status_code == 404
    assert (await client.get("/uploads", headers=ALICE)).status_code == 405
    assert (await client.delete(f"/exports/{FILE}", headers=ALICE)).status_code == 405
    asked = {"origin": ORIGIN, "access-control-request-method": "POST"}
    for path in ("/uploads", f"/exports/{FILE}"):
        answer = await client.options(path, headers=asked)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, ORIGIN)


async def test_nobody_sends_or_fetches_during_maintenance() -> None:
    switch = MaintenanceSwitch()
    switch.turn_on(None, 30)
    shelf, client = shop(maintenance=switch)
    for answer in (
        await client.post("/uploads", content=b"x", headers=ALICE | CSV),
        await client.get(f"/exports/{FILE}", headers=ALICE),
    ):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert shelf.taken == []
