"""One embedded Postgres, made once and started often."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from pathlib import Path

from app.dev.places import Place
from app.dev.processes import Log, ServerUser, run, stop_orphan
from app.dev.server import PORT_TAKEN, Recipe, Server

OWNER = "moneta"
DATABASE = "moneta"

SHUTDOWN = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0))  # "fast", then "immediate"
# After a kill -9 of the server itself, until its last children have noticed.
LAST_BACKENDS_LEAVING = "pre-existing shared memory block"

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}
DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")


def start_postgres(place: Place, log: Log, *, durable: bool) -> tuple[Server, str]:
    """Make the cluster if there is none, stop an orphan, and start; returns the server and its URL.

    The URL connects as the owner of the database, who is also the cluster's superuser.
    """
    cluster = place.folder / "postgres"
    data = cluster / "data"
    env = _environment(place)
    if data.exists():
        _clear_after_orphan(data)
    else:
        _create(cluster, place, env, log, durable=durable)
    server = Server.start(
        Recipe(
            name="Postgres",
            command=lambda port: [_program(place, "postgres"), "-D", data, *_options(port, durable=durable)],
            is_ready=lambda pid, _port: _is_ready(data, pid),
            cwd=data,
            env=env,
            user=place.user,
            log=log,
            shutdown=SHUTDOWN,
            passing_trouble=(PORT_TAKEN, LAST_BACKENDS_LEAVING),
        )
    )
    password = (cluster / "password").read_text().strip()
    return server, f"postgresql://{OWNER}:{password}@127.0.0.1:{server.port}/{DATABASE}"


def stop_orphaned_postgres(folder: Path) -> None:
    """Stop the Postgres that a killed parent left behind in this folder, if any."""
    data = folder / "postgres" / "data"
    pid = _recorded_pid(data)
    if pid is not None:
        stop_orphan(pid, data, *SHUTDOWN)


def _clear_after_orphan(data: Path) -> None:
    stop_orphaned_postgres(data.parent.parent)
    pid = _recorded_pid(data)
    if pid is not None and _is_alive(pid):
        # The number belongs to another program now, or to a zombie: Postgres would take it for a live server.
        # For a dead process the file stays: from it Postgres learns which shared memory to look for.
        (data / "postmaster.pid").unlink(missing_ok=True)


def _create(cluster: Path, place: Place, env: dict[str, str], log: Log, *, durable: bool) -> None:
    """Make the cluster under another name and rename it when it is whole: a killed start leaves nothing half made."""
    draft = cluster.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    password_file = draft / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(f"{secrets.token_hex(32)}\n")
    _give(place.user, draft, password_file)
    initdb: list[str | Path] = [
        *(_program(place, "initdb"), "-D", draft / "data", f"--username={OWNER}", f"--pwfile={password_file}"),
        *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        # Guessing 256 random bits needs no slowing down, and each new connection pays for the iterations.
        "--set=scram_iterations=1",
        *([] if durable else ["--no-sync"]),
    ]
    if not run(initdb, env=env, user=place.user, log=log):
        raise log.error("Postgres could not make its data folder.")
    single_user: list[str | Path] = [_program(place, "postgres"), "--single", "-D", draft / "data", "postgres"]
    if not run(single_user, env=env, user=place.user, log=log, text=f"CREATE DATABASE {DATABASE}\n"):
        raise log.error(f"Postgres could not make the database {DATABASE}.")
    draft.rename(cluster)


def _options(port: int, *, durable: bool) -> list[str]:
    settings = SETTINGS | dict.fromkeys(DURABILITY, "on" if durable else "off") | {"port": str(port)}
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _is_ready(data: Path, pid: int) -> bool:
    """The server says so on line 8 of its pid file, where pg_ctl looks too."""
    lines = _pid_file_lines(data)
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def _recorded_pid(data: Path) -> int | None:
    lines = _pid_file_lines(data)
    return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def _pid_file_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _program(place: Place, name: str) -> Path:
    return place.programs.postgres / "bin" / name


def _give(user: ServerUser | None, *paths: Path) -> None:
    if user:
        for path in paths:
            os.chown(path, user.uid, user.gid)


def _environment(place: Place) -> dict[str, str]:
    env = {"HOME": str(place.folder), "PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    icu = place.programs.postgres / "share" / "icu"
    return env | ({"ICU_DATA": str(icu)} if icu.is_dir() else {})
