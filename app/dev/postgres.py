"""One embedded Postgres, made once and started often."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from app.dev.folders import give
from app.dev.processes import Log, run, stop_orphan
from app.dev.server import PORT_TAKEN, Recipe, Server
from app.dev.server_layout import ServerLayout

OWNER = "moneta"
DATABASE = "moneta"

SHUTDOWN = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0))  # "fast", then "immediate"
# After a kill -9 of the server, until its last children have ended.
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
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - nothing of ours is put there
DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")


def start_postgres(layout: ServerLayout, log: Log, *, durable: bool) -> tuple[Server, str]:
    """Make the cluster if there is none, stop an orphan, and start; returns the server and its URL.

    The URL connects as the owner of the database, who is also the cluster's superuser.
    """
    cluster = cluster_folder(layout)
    if not cluster.exists():
        make_cluster(cluster, layout, log, durable=durable)
    server = run_cluster(cluster, layout, log, options=_durability(durable))
    password = (cluster / "password").read_text().strip()
    return server, f"postgresql://{OWNER}:{password}@127.0.0.1:{server.port}/{DATABASE}"


def cluster_folder(layout: ServerLayout) -> Path:
    """What holds the cluster's data and its owner's password."""
    return layout.folder / "postgres"


def run_cluster(cluster: Path, layout: ServerLayout, log: Log, *, options: Mapping[str, str]) -> Server:
    """Start the layout's programs on a cluster, after an orphan on it was stopped."""
    data = cluster / "data"
    _clear_after_orphan(data)
    return Server.start(
        Recipe(
            name="Postgres",
            command=lambda port: [program(layout, "postgres"), "-D", data, *_options(port, options)],
            is_ready=lambda pid, _port: _is_ready(data, pid),
            cwd=data,
            env=environment(layout),
            user=layout.user,
            log=log,
            shutdown=SHUTDOWN,
            passing_trouble=(PORT_TAKEN, LAST_BACKENDS_LEAVING),
        )
    )


def stop_orphaned_postgres(folder: Path) -> None:
    """Stop each Postgres that a killed parent left behind in this folder: one, or two amid an upgrade."""
    for data in folder.glob("postgres*/data"):
        _stop_orphan(data)


def _stop_orphan(data: Path) -> None:
    pid = _recorded_pid(data)
    if pid is not None:
        stop_orphan(pid, data, *SHUTDOWN)


def _clear_after_orphan(data: Path) -> None:
    _stop_orphan(data)
    pid = _recorded_pid(data)
    if pid is not None and _is_alive(pid):
        # The pid now belongs to another program, or to a zombie: Postgres would treat it as a running server.
        # The file of a dead process stays: Postgres reads from it which shared memory to check.
        (data / "postmaster.pid").unlink(missing_ok=True)


def make_cluster(cluster: Path, layout: ServerLayout, log: Log, *, durable: bool, password: str | None = None) -> None:
    """Make the cluster under another name and rename it when it is complete: a killed start leaves no partial one."""
    env = environment(layout)
    draft = cluster.with_name(f"{cluster.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    password_file = draft / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(f"{password or secrets.token_hex(32)}\n")
    give(layout.user, draft, password_file)
    initdb: list[str | Path] = [
        *(program(layout, "initdb"), "-D", draft / "data", f"--username={OWNER}", f"--pwfile={password_file}"),
        *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        # A password of 256 random bits cannot be guessed, and every new connection pays for the iterations.
        "--set=scram_iterations=1",
        *([] if durable else ["--no-sync"]),
    ]
    if not run(initdb, env=env, user=layout.user, log=log):
        raise log.error("Postgres could not make its data folder.")
    single_user: list[str | Path] = [program(layout, "postgres"), "--single", "-D", draft / "data", "postgres"]
    if not run(single_user, env=env, user=layout.user, log=log, text=f"CREATE DATABASE {DATABASE}\n"):
        raise log.error(f"Postgres could not make the database {DATABASE}.")
    draft.rename(cluster)


def _durability(durable: bool) -> dict[str, str]:
    return dict.fromkeys(DURABILITY, "on" if durable else "off")


def _options(port: int, options: Mapping[str, str]) -> list[str]:
    settings = {**SETTINGS, **_shared_memory(), **options, "port": str(port)}
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _shared_memory() -> dict[str, str]:
    """What initdb found to work; but on Linux that is a folder, which may be missing when the data has moved."""
    usable = os.access(SHARED_MEMORY, os.W_OK | os.X_OK)
    return {"dynamic_shared_memory_type": "mmap"} if sys.platform == "linux" and not usable else {}


def _is_ready(data: Path, pid: int) -> bool:
    """The server writes that on line 8 of its pid file, which pg_ctl reads too."""
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


def program(layout: ServerLayout, name: str) -> Path:
    """One of Postgres's programs."""
    return layout.programs.postgres / "bin" / name


def environment(layout: ServerLayout) -> dict[str, str]:
    """The environment of the programs, which holds nothing of ours."""
    env = {"HOME": str(layout.folder), "PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    icu = layout.programs.postgres / "share" / "icu"
    return env | ({"ICU_DATA": str(icu)} if icu.is_dir() else {})
