"""Whether this process is running, and whether it can answer requests."""

import asyncio
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response

from app.engine.execution.encoding import encode
from app.kit.db import PUBLIC, Database
from app.kit.errors import Unavailable
from app.transport.messages import JSON
from app.transport.runtime import AppRuntime

log = structlog.get_logger(__name__)

PATIENCE_S: Final = 1.0
_WORDS: Final = {True: "healthy", False: "unhealthy"}


class Health:
    """`/health/live` and `/health/ready`."""

    def __init__(self, runtime: AppRuntime) -> None:
        self._runtime = runtime

    async def live(self, _: Request) -> Response:
        """Answers while the process runs."""
        return _report(HTTPStatus.OK, {"status": "healthy"})

    async def ready(self, _: Request) -> Response:
        """Whether requests can be served: 503 when Postgres, Redis or an outbound API does not answer in time."""
        checks = await self.checks()
        ready = all(checks.values())
        words = {name: _WORDS[holds] for name, holds in checks.items()}
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return _report(status, {"status": _WORDS[ready], "checks": words})

    async def checks(self) -> dict[str, bool]:
        """What requests need, and whether it answers."""
        names = ("database", "cache", "apis")
        results = await asyncio.gather(
            _holds("database", _reach(self._runtime.database)),
            _holds("cache", self._ping()),
            self._further_checks(),
        )
        return dict(zip(names, results, strict=True))

    async def _ping(self) -> None:
        await self._runtime.redis.ping()

    async def _further_checks(self) -> bool:
        checks = (_holds(name, check()) for name, check in self._runtime.readiness_checks.items())
        return all(await asyncio.gather(*checks))


async def _reach(database: Database) -> None:
    if database.admission.starved:
        raise Unavailable("requests wait too long for a connection")
    # A transaction that does nothing: a connection of the pool was free, and the server answered twice.
    async with database.snapshot(PUBLIC):
        pass


async def _holds(name: str, check: Awaitable[object]) -> bool:
    checking = asyncio.ensure_future(check)
    # Not `wait_for`, which waits until the cancelled check has ended: that needs a server that answers.
    await asyncio.wait([checking], timeout=PATIENCE_S)
    try:
        if not checking.done():
            checking.cancel()
            raise TimeoutError
        checking.result()
    except Exception as error:
        log.warning("unhealthy", check=name, error=str(error) or type(error).__name__)
        return False
    return True


def _report(status: int, body: dict[str, object]) -> Response:
    return Response(encode(body), status, {"cache-control": "no-store"}, media_type=JSON)
