"""A whole Moneta as `make serve` starts it, in a home of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.dev.embedded import discard
from app.dev.processes import free_port
from tests.waiting import HANG_S, now, seen, until_true

ROOT = Path(__file__).resolve().parents[2]
READY = b"Moneta is ready"
WEB = ROOT / "web"
NODE_NEEDED = "Node 20+ and web/node_modules are needed: run `make web`"
SKIPPED = 77


class Moneta:
    """`python -m app dev`, started, stopped and killed as a person would."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.printed = home.with_name(f"{home.name}.printed")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts and waits until ready."""
        began = now()
        with self.printed.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app", "dev"],
                cwd=ROOT,
                env={**os.environ, "MONETA_HOME": str(self.home), "PORT": str(self.port), "MONETA_DEMO_DAYS": "1"},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        # Its own word: an earlier start that is just dying may still answer on the port.
        until_true(self._has_said_ready, "Moneta is ready")
        seen("`make serve` until it is ready", now() - began)

    def _has_said_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.printed.read_text(errors="replace")
        return READY in self.printed.read_bytes()

    def stop(self) -> str:
        """Ctrl-C; returns what was printed."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(HANG_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        return self.printed.read_text(errors="replace")

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(HANG_S)

    def post(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Sends an operation; returns the whole response."""
        request = urllib.request.Request(
            f"{self.url}/graphql",
            json.dumps({"query": query, "variables": variables or {}}).encode(),
            {
                "content-type": "application/json",
                **({"authorization": f"Bearer {token}"} if token else {}),
                **(headers or {}),
            },
        )
        with urllib.request.urlopen(request, timeout=HANG_S) as response:
            answer: dict[str, Any] = json.load(response)
        return answer

    def fell_back(self) -> float:
        """How many queries were executed twice: planned in vain, for whatever reason, and then by graphql-core."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=HANG_S) as response:
            lines = response.read().decode().splitlines()
        paths = [f'moneta_execution_paths_total{{path="{path}"}} ' for path in ("fell_back", "failed")]
        # Each has its line from the start: what is not found must fail, not count as none.
        return sum(float(value_of(lines, path)) for path in paths)

    def log_in(self, email: str = "alice@example.com") -> str:
        """A bearer token of a demo user."""
        answer = self.post(
            "mutation($email: String!) { login(input: {email: $email, password: "
            '"correct-horse-battery"}) { ... on LoginPayload { accessToken } ... on Problem { message } } }',
            {"email": email},
        )
        token: str = answer["data"]["login"]["accessToken"]
        return token


def value_of(lines: list[str], metric: str) -> str:
    """The value of a metric in the text of /metrics. `metric` ends in a space."""
    (value,) = [line.removeprefix(metric) for line in lines if line.startswith(metric)]
    return value


def has_node() -> bool:
    """Whether what needs Node can run here."""
    return shutil.which("node") is not None and (WEB / "node_modules").is_dir()


def node(*arguments: str) -> str:
    """Runs Node in web/; returns its output. Without Node the test is reported as skipped."""
    if not has_node():
        pytest.skip(NODE_NEEDED)
    ended = subprocess.run(
        ["node", *arguments], cwd=WEB, capture_output=True, text=True, timeout=HANG_S, check=False, env=dict(os.environ)
    )
    if ended.returncode == SKIPPED:
        pytest.skip(ended.stdout.strip())
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="package")
def moneta(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moneta]:
    """A running Moneta with the demo data."""
    instance = Moneta(tmp_path_factory.mktemp("moneta") / "home")
    instance.start()
    yield instance
    instance.stop()
    discard(instance.home)
