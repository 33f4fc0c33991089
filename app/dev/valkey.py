"""One embedded Valkey: the Redis of development and of the tests."""

from __future__ import annotations

import os
import secrets
import signal
import socket
from pathlib import Path

from app.dev.processes import Log, stop_orphan
from app.dev.server import Recipe, Server
from app.dev.server_layout import ServerLayout

SHUTDOWN = ((signal.SIGTERM, 10.0),)

# All paths are relative: the server's working folder is its data folder, whose name may hold spaces and quotes.
CONFIG = """\
bind 127.0.0.1
port {port}
requirepass {password}
pidfile valkey.pid
save ""
appendonly {append_only}
appendfsync everysec
set-proc-title no
"""


def start_valkey(layout: ServerLayout, log: Log, *, durable: bool) -> tuple[Server, str]:
    """Stop an orphan and start; returns the server and its URL, whose password is new at each start."""
    folder = layout.folder / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    stop_orphaned_valkey(layout.folder)
    config = folder / "valkey.conf"
    config.touch(mode=0o600)
    if layout.user:
        os.chown(folder, *layout.user)
        os.chown(config, *layout.user)
    password = secrets.token_hex(32)

    def command(port: int) -> list[Path]:
        append_only = "yes" if durable else "no"
        config.write_text(CONFIG.format(port=port, password=password, append_only=append_only))
        return [layout.programs.valkey, config]

    server = Server.start(
        Recipe(
            name="Valkey",
            command=command,
            is_ready=lambda _pid, port: _answers(port, password),
            cwd=folder,
            env={"LC_ALL": "C", "TZ": "UTC"},
            user=layout.user,
            log=log,
            shutdown=SHUTDOWN,
        )
    )
    return server, f"redis://:{password}@127.0.0.1:{server.port}/0"


def stop_orphaned_valkey(folder: Path) -> None:
    """Stop the Valkey that a killed parent left behind in this folder, if any."""
    pid_file = folder / "valkey" / "valkey.pid"
    try:
        text = pid_file.read_text().strip()
    except FileNotFoundError:
        return
    if text.isdigit():
        stop_orphan(int(text), pid_file.parent, *SHUTDOWN)
    pid_file.unlink(missing_ok=True)


def _answers(port: int, password: str) -> bool:
    """Whether the server accepts our password and has loaded its data."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            reply = b""
            while reply.count(b"\r\n") < 2:
                part = connection.recv(256)
                if not part:
                    return False
                reply += part
    except OSError:
        return False
    return reply == b"+OK\r\n+PONG\r\n"
