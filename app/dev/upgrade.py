"""Data of another major version of Postgres: dumped by the old server, restored into the new one, compared.

The old data is only read, and is kept next to the new. Whenever a process is killed, the next start finds either the
old data or the new data complete, and continues from there.

    postgres            the cluster in use
    postgres.upgrading  what is being restored; incomplete until it is renamed, and made again by the next start
    postgres.upgraded   the complete new data, about to be renamed
    postgres-17         the old data afterwards
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

from app.dev.folders import give
from app.dev.postgres import (
    OWNER,
    cluster_folder,
    environment,
    make_cluster,
    program,
    run_cluster,
    stop_orphaned_postgres,
)
from app.dev.processes import EmbeddedError, Log, ask, follow
from app.dev.programs import major_of, older_postgres
from app.dev.server_layout import ServerLayout

ReportProgress: TypeAlias = Callable[[str, int, int | None], None]
"""The current step, how much of it is done, and of how much."""

MAINTENANCE = "postgres"
# Moneta asked for it once and never used it; the package of Postgres 18 does not bring it.
NEEDLESS_EXTENSION = "pgcrypto"
DATABASES = (
    "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate AND datname <> 'postgres' ORDER BY 1"
)
# The rows of every table and the value of every sequence, one a line.
CONTENT = """\
SELECT format('SELECT %L, count(*) FROM %s', c.oid::regclass, c.oid::regclass)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1
\\gexec
SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2;
"""


class _Running(NamedTuple):
    """A cluster that runs for the length of the upgrade, and the programs to speak with it: always the new ones."""

    layout: ServerLayout
    env: dict[str, str]

    def ask(self, name: str, *arguments: str | Path, text: str = "") -> str:
        return ask([program(self.layout, name), *arguments], env=self.env, user=self.layout.user, text=text)

    def query(self, database: str, text: str) -> str:
        options = ("-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1")
        return self.ask("psql", *options, "-d", database, text=text)

    def follow(self, log: Log, report: Callable[[str], None], name: str, *arguments: str | Path) -> None:
        command = [program(self.layout, name), *arguments]
        follow(command, env=self.env, user=self.layout.user, log=log, report=report)


def bring_up(layout: ServerLayout, log: Log, report: ReportProgress) -> Path | None:
    """Upgrade the data if it is of an older Postgres; returns the folder where the old data is kept, if it was.

    Raises EmbeddedError, and leaves the old data as it was.
    """
    cluster = cluster_folder(layout)
    if _upgraded(cluster).exists():
        return _take_over(cluster)
    try:
        old = int((cluster / "data" / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None
    new = major_of(layout.programs.postgres)
    if old == new:
        return None
    refusal = f"The data in {cluster} is of Postgres {old}, and Moneta runs Postgres {new}."
    if old > new:
        raise EmbeddedError(f"{refusal} Run the newer Moneta that made it, or set MONETA_HOME to another folder.")
    try:
        report(f"fetching Postgres {old}", 0, None)
        former = layout._replace(programs=layout.programs._replace(postgres=older_postgres(old, layout.user)))
        _restore(cluster, layout, former, log, lambda what, *rest: report(f"Postgres {old} to {new}: {what}", *rest))
    except EmbeddedError as error:
        raise EmbeddedError(
            f"{refusal} It could not be brought over, and is as it was. Start again when the reason is gone, or set"
            f" MONETA_HOME to another folder and begin anew. The reason: {error}"
        ) from error
    return _take_over(cluster)


def _restore(cluster: Path, layout: ServerLayout, former: ServerLayout, log: Log, report: ReportProgress) -> None:
    stop_orphaned_postgres(layout.folder)
    draft = cluster.with_name("postgres.upgrading")
    shutil.rmtree(draft, ignore_errors=True)
    password = (cluster / "password").read_text().strip()
    report("making the new data folder", 0, None)
    make_cluster(draft, layout, log, durable=True, password=password)
    dump = draft / "dump"
    dump.touch(mode=0o600)
    give(layout.user, dump)
    with _running(cluster, former, layout, log) as old, _running(draft, layout, layout, log) as new:
        new.query(MAINTENANCE, _roles(old))
        for database in old.query(MAINTENANCE, DATABASES).split("\n")[:-1]:
            steps = itertools.count(1)
            old.follow(
                *(log, lambda _line: report("reading", next(steps), None)),  # noqa: B023 - called in this round
                *("pg_dump", "--verbose", "--format=custom", "--compress=0", "--create", "--file", dump),
                *(f"--exclude-extension={NEEDLESS_EXTENSION}", "--dbname", database),
            )
            contents = new.ask("pg_restore", "--list", dump).splitlines()
            total = sum(bool(line) and not line.startswith(";") for line in contents)
            done = itertools.count(1)
            new.follow(
                *(log, lambda _line: report("writing", min(next(done), total), total)),  # noqa: B023 - as above
                *("pg_restore", "--verbose", "--exit-on-error", "--create", "--clean", "--if-exists"),
                *("--dbname", MAINTENANCE, dump),
            )
            report("comparing", 0, None)
            if old.query(database, CONTENT) != new.query(database, CONTENT):
                raise EmbeddedError(f"The restored database {database} does not hold what the old one holds.")
            new.query(database, "ANALYZE")
        new.query(MAINTENANCE, "CHECKPOINT")
    dump.unlink()
    # Both are stopped, and what the new one holds is on the disk.
    draft.rename(_upgraded(cluster))
    _sync(cluster.parent)


@contextlib.contextmanager
def _running(cluster: Path, served: ServerLayout, layout: ServerLayout, log: Log) -> Iterator[_Running]:
    server = run_cluster(cluster, served, log, options={})
    password = (cluster / "password").read_text().strip()
    address = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": OWNER, "PGPASSWORD": password}
    try:
        yield _Running(layout, environment(layout) | address)
    finally:
        server.stop()


def _roles(old: _Running) -> str:
    """All roles but the owner, whom the new cluster has."""
    script = old.ask("pg_dumpall", "--roles-only")
    return "".join(line for line in script.splitlines(keepends=True) if line.strip() != f"CREATE ROLE {OWNER};")


def _upgraded(cluster: Path) -> Path:
    return cluster.with_name("postgres.upgraded")


def _take_over(cluster: Path) -> Path:
    """Put the complete new data in place, by two renames. If killed between them, the next start repeats this."""
    if cluster.exists():
        version = (cluster / "data" / "PG_VERSION").read_text().strip()
        names = (f"postgres-{version}", *(f"postgres-{version}.{number}" for number in range(2, 100)))
        free = next(name for name in names if not cluster.with_name(name).exists())
        cluster.rename(cluster.with_name(free))
    _upgraded(cluster).rename(cluster)
    _sync(cluster.parent)
    return max(cluster.parent.glob("postgres-*"), key=lambda kept: kept.stat().st_ctime)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
