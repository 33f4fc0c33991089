"""Participants: a file of 100,000 is imported, and exported again."""

import os
import time
from collections.abc import AsyncGenerator
from statistics import median
from typing import Any, Final

import asyncpg
import msgspec
from rich.progress import Progress
from solders.keypair import Keypair

from app.dev.embedded import Embedded
from app.domains.accounts.model import Client
from app.domains.campaigns.imports.model import NewImport
from app.domains.campaigns.services import CampaignsServices
from app.domains.system.services import SystemServices
from app.domains.tenancy.services import TenancyServices
from app.main import open_application
from app.settings import Settings
from bench.data import fresh_database
from bench.machine import wait_for_quiet
from bench.report import Bar, Report

ROWS: Final = 100_000
FEW: Final = 2_000
TARGET_S: Final = 30.0
LIMIT_BYTES: Final = 100_000_000
_TENANT: Final = """
WITH u AS (
    INSERT INTO users (email, password_hash, full_name, is_verified)
    VALUES ('imports@example.com', 'x', 'Imports', true) RETURNING id
), t AS (
    INSERT INTO tenants (slug, name, email) VALUES ('imports', 'Imports', 'imports@example.com') RETURNING id
), m AS (
    INSERT INTO tenant_members (tenant_id, user_id, role) SELECT t.id, u.id, 'owner' FROM t, u
)
SELECT id FROM u
"""


async def measure(servers: Embedded, rounds: int, progress: Progress) -> Report:
    """Each round imports into an empty tenant: IDs, names, addresses, two wallets, every fifth referred. A single one
    has few rows.
    """
    rows = FEW if rounds == 1 else ROWS
    content, loads, seconds = file_of(rows), list[float](), list[tuple[float, float]]()
    task = progress.add_task("Importing participants", total=rounds)
    for number in range(rounds):
        url = await fresh_database(servers.database_url, f"bench_imports_{number}")
        loads.append(wait_for_quiet())
        seconds.append(await _round(url, servers.redis_url, content))
        progress.advance(task)
    kinds = {"import": [each[0] for each in seconds], "export": [each[1] for each in seconds]}
    return Report(
        name="imports",
        title=f"{rows:,} participants with two wallets each",
        unit="s",
        target=TARGET_S,
        other_load=loads,
        conditions=[
            f"A file of {len(content):,} bytes, stored before; one worker, its parser in a thread, Postgres beside it.",
        ],
        columns=["", "median s", "rows/s"],
        rows=[[kind, f"{median(each):.1f}", f"{rows / median(each):,.0f}"] for kind, each in kinds.items()],
        bars=[Bar(kind, "Moneta", median(each), min(each), max(each)) for kind, each in kinds.items()],
        raw=seconds,
    )


def file_of(rows: int) -> bytes:
    """A file as a tenant would send it."""
    lines = [
        "telegram_id,discord_id,username,first_name,last_name,email,solana_address,ethereum_address,referral_code,"
        "referred_by"
    ]
    for n in range(1, rows + 1):
        solana = str(Keypair().pubkey())
        referrer = f"C{n // 5}" if n % 5 == 0 and n > 5 else ""
        named = f'{n},d{n},user{n},Alice,"M\u00fcller, {n}",u{n}@example.com'
        lines.append(f"{named},{solana},0x{os.urandom(20).hex()},C{n},{referrer}")
    return "\n".join(lines).encode()


async def _round(database_url: str, redis_url: str, content: bytes) -> tuple[float, float]:
    owner = await asyncpg.connect(database_url)
    user_id = await owner.fetchval(_TENANT)
    settings = Settings(database_url=database_url, redis_url=redis_url)
    async with open_application(settings) as application:
        campaigns, cache = application.services[CampaignsServices], application.services[SystemServices].cache
        cache.current = msgspec.structs.replace(cache.current, max_upload_bytes=LIMIT_BYTES)
        tenancy = await application.services[TenancyServices].access.tenancy(user_id, "imports", Client())
        assert tenancy is not None
        stored = await campaigns.files.upload(tenancy, _sent(content))
        began = time.perf_counter()
        id = await campaigns.imports.start(tenancy, NewImport(upload_id=stored.id), "import")
        await campaigns.importer.run({"id": str(id)})
        imported_s = time.perf_counter() - began
        began = time.perf_counter()
        id = await campaigns.exports.start(tenancy, "export")
        await campaigns.exporter.run({"id": str(id)})
        exported_s = time.perf_counter() - began
    found: Any = await owner.fetchrow("SELECT status, imported_count, total_rows FROM participant_imports")
    await owner.close()
    if found["status"] != "completed" or found["imported_count"] != found["total_rows"]:
        raise RuntimeError(f"not all was imported: {dict(found)}")
    return imported_s, exported_s


async def _sent(content: bytes) -> AsyncGenerator[bytes, None]:
    for place in range(0, len(content), 65_536):
        yield content[place : place + 65_536]
