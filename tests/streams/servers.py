"""Postgres and Valkey that are killed, and come back on the same port with the same data."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from app.dev import embedded, server
from app.dev.embedded import Embedded
from app.dev.processes import spawn
from tests.waiting import HANG_S, until

FIRST_PORT, PORTS = 12_000, 18_000
"""Below those that the kernel gives to connecting clients: nobody takes the port of a server that is down."""

_given: set[int] = set()


def lasting_port() -> int:
    """A port that will still be free when the process that had it was killed."""
    # Each process of a test run begins elsewhere: the port of another's dead server looks free.
    begin = os.getpid() * 61 % PORTS
    for port in (FIRST_PORT + (begin + offset) % PORTS for offset in range(PORTS)):
        with socket.socket() as probe:
            # As servers do: what is left of former connections is no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port
    raise AssertionError("no port is free")


class Mortal:
    """A server of an `Embedded`."""

    def __init__(self, running: server.Server) -> None:
        self._server = running
        self._recipe = running._recipe

    def kill(self) -> None:
        """SIGKILL."""
        self._server._process.kill()
        self._server._process.wait(HANG_S)

    def forget(self) -> None:
        """Of a Valkey that is down: it will come back empty."""
        shutil.rmtree(self._recipe.cwd / "appendonlydir")

    async def come_back(self) -> None:
        """Starts again, and returns once it answers."""
        ready = False

        async def answers() -> bool:
            nonlocal ready
            process = self._server._process
            if process.poll() is not None:
                # Postgres waits for the last children of the one that was killed.
                process = self._launch()
            ready = await asyncio.to_thread(self._recipe.is_ready, process.pid, self._server.port)
            return ready

        try:
            await until(answers)
        except AssertionError as error:
            raise self._recipe.log.error(f"{self._recipe.name} did not come back.") from error

    def _launch(self) -> subprocess.Popen[bytes]:
        recipe = self._recipe
        process = spawn(
            recipe.command(self._server.port),
            cwd=recipe.cwd,
            env=recipe.env,
            user=recipe.user,
            log=recipe.log,
            on_parent_death=recipe.shutdown[0][0],
        )
        # Whoever stops the servers at the end stops this one.
        self._server._process, self._server.pid = process, process.pid
        return process


class Servers:
    """Both, and where they are."""

    def __init__(self, running: Embedded) -> None:
        self.database_url, self.redis_url = running.database_url, running.redis_url
        self.postgres, self.valkey = map(Mortal, running._servers)


@contextmanager
def mortal_servers(home: Path) -> Iterator[Servers]:
    """Durable ones: what was committed is there after a kill."""
    with mock.patch.object(server, "free_port", lasting_port):
        running = Embedded.start(home)
    try:
        yield Servers(running)
    finally:
        running.stop()
        embedded.discard(home)
