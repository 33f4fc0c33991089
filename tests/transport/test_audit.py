import asyncio
import shutil
from pathlib import Path

import pytest

from tests.transport.support import build, serving

WEB = Path(__file__).resolve().parents[2] / "web"
PATIENCE_S = 60.0


async def test_the_public_audit_finds_no_error_and_no_warning() -> None:
    if shutil.which("node") is None or not (WEB / "node_modules").is_dir():
        pytest.skip("Node 20+ and web/node_modules are needed: run `make web`")
    async with serving(build()) as url:
        audit = await asyncio.create_subprocess_exec(
            "node", "conformance/audit.mjs", f"{url}/graphql", cwd=WEB, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await audit.communicate()
    assert (audit.returncode, said.decode().splitlines()) == (0, ["61 ok, 0 notices, 0 warnings, 0 errors"])
