"""The verbs: `python -m app <verb>`."""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from app.console import err, fail, located, out, progress_bar, run, settings_or_fail
from app.doctor import doctor
from app.kit.log_writer import protect_standard_streams
from app.settings import Settings, load_settings

protect_standard_streams()
app = typer.Typer(add_completion=False, no_args_is_help=True, help="Moneta: one GraphQL graph over a crypto platform.")
app.add_typer(doctor, name="doctor")


@app.command()
def serve() -> None:
    """Serves the API."""
    from app.main import serve as work

    run(work(settings_or_fail()))


@app.command()
def work() -> None:
    """Runs jobs, the relay, the price feed, and the miner when MONETA_MINER_EMAIL is set."""
    from app.worker import work as run_worker

    run(run_worker(settings_or_fail()))


@app.command()
def migrate() -> None:
    """Brings the database to the newest revision."""
    from app.maintenance import migrate as bring_up

    run(bring_up(located(settings_or_fail())))


@app.command()
def seed(
    password: Annotated[
        str | None, typer.Option(help="Of the demo users; needed in production.", envvar="MONETA_DEMO_PASSWORD")
    ] = None,
) -> None:
    """Loads the demo data, once. In production without the published access codes."""
    from app.domains.accounts.rules import demo_credentials

    settings = located(settings_or_fail())
    if settings.production and password in {None, demo_credentials.PASSWORD}:
        fail("`seed` makes an admin. In production give a password that is not published: --password.")
    codes = () if settings.production else demo_credentials.ACCESS_CODES
    with progress_bar() as progress:
        run(_load_demo(settings, progress, password or demo_credentials.PASSWORD, codes))


@app.command("export-schema")
def export_schema() -> None:
    """Prints the schema as SDL."""
    from app.main import build_graph

    sys.stdout.write(build_graph().as_str() + "\n")


@app.command("create-admin")
def create_admin(
    email: Annotated[str, typer.Argument(help="The new admin's e-mail.")],
    full_name: Annotated[str, typer.Option(help="The new admin's name.")] = "Administrator",
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, envvar="MONETA_ADMIN_PASSWORD")
    ] = "",
) -> None:
    """Creates a verified user with the admin role, or gives an existing user that role."""
    from app.domains.accounts.rules import demo_credentials
    from app.maintenance import create_admin as create

    settings = located(settings_or_fail())
    if settings.production and password == demo_credentials.PASSWORD:
        fail("This password is published. Choose another.")
    out.print(run(create(settings, email, full_name, password)))


@app.command("rotate-keys")
def rotate_keys() -> None:
    """Moves every wallet key to the active key-encryption key; safe to stop and start again."""
    from app.maintenance import rotate_keys as rotate

    with progress_bar() as progress:
        count = run(rotate(located(settings_or_fail()), progress))
    out.print(f"{count} keys moved")


@app.command("verify-proof")
def verify_proof(
    file: Annotated[Path, typer.Argument(help="An inclusion proof as JSON; - for standard input.")],
) -> None:
    """Checks a Merkle inclusion proof offline: no database, no network."""
    from app.domains.ledger.proof import verify_proof_json

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"cannot read {file}: {error}")
    verdict = verify_proof_json(text)
    if not verdict.valid:
        fail(verdict.reason)
    out.print(verdict.reason, soft_wrap=True)


@app.command("import-history")
def import_history(
    files: Annotated[list[Path], typer.Argument(help="CSV with a head line, or Parquet (.parquet, .pq).")],
    exchange: Annotated[
        str | None, typer.Option(help="Of rows that name none; default: whose prices are shown now.")
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leaves out bad rows instead of refusing their file.")
    ] = False,
) -> None:
    """Imports candles from files, and makes the longer candles of them. Safe to stop and to repeat.

    Columns: symbol; opened_at (ISO 8601 with offset, or seconds since 1970); open, high, low, close in dollars.
    Optional: volume_usd (0), interval (1m, 5m, 1h or 1d; 1m), exchange. Other columns are ignored. A file with a bad
    row is refused as a whole.
    """
    from app.maintenance import import_history as bring_in

    settings = located(settings_or_fail())
    for file in files:
        with progress_bar() as progress:
            imported = run(bring_in(settings, file, exchange, progress, skip_bad=skip_bad))
        for line in imported.named:
            err.print(f"{file}, {line}", highlight=False, markup=False, soft_wrap=True)
        skipped = f", {imported.skipped:,} bad rows left out" if imported.skipped else ""
        out.print(f"{file}: {imported.stored:,} candles{skipped}", highlight=False, markup=False, soft_wrap=True)


@app.command("adopt-tenant")
def adopt_tenant(
    slug: Annotated[str, typer.Option(help="Of the tenant, which is created if there is none.")] = "default",
    name: Annotated[str, typer.Option(help="Of the tenant, if it is created.")] = "Default Tenant",
    owner: Annotated[str, typer.Option(help="The e-mail address of a user who owns the tenant, or will.")] = "",
    schema: Annotated[str, typer.Option(help="The schema that the tables were loaded into.")] = "legacy",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Looks at the rows, and stores nothing.")] = False,
) -> None:
    """Brings the users and projects of a database without tenants into a tenant. Safe to stop and to repeat.

    Reads the tables users, projects and user_projects. What is not adopted is reported with why; numbers that should
    agree are compared at the end, and the command fails where they do not.
    """
    from app.maintenance import Adopter
    from app.maintenance import adopt_tenant as adopt

    if not owner:
        fail("Whose tenant is it? --owner admin@example.com")
    with progress_bar() as progress:
        adopter, settings = Adopter(slug, name, owner), located(settings_or_fail())
        report = run(adopt(settings, schema, adopter, progress, dry_run=dry_run))
    for refused in report.refused:
        line = f"{refused.what} {refused.id}: {refused.reason}"
        err.print(line, highlight=False, markup=False, soft_wrap=True)
    for line in report.lines():
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    if report.differences:
        fail(f"these numbers should agree: {'; '.join(report.differences)}")


@app.command("new-epoch")
def new_epoch() -> None:
    """After a restore that Moneta cannot detect, of files or of data alone: makes every client read its data again."""
    from app.maintenance import new_epoch as begin

    out.print(f"epoch {run(begin(located(settings_or_fail())))}")


@app.command()
def dev() -> None:
    """All in one for a developer: embedded servers, migrations, demo data, API and worker."""
    from app.dev.background import in_background
    from app.dev.demo import LOGINS
    from app.dev.embedded import Embedded, EmbeddedError
    from app.dev.greeting import greet
    from app.dev.supervisor import supervise
    from app.domains.accounts.rules.demo_credentials import ACCESS_CODES, PASSWORD

    settings = settings_or_fail()
    if settings.production:
        fail("`dev` makes users with published passwords. In production run `migrate`, `serve` and `work`.")
    try:
        with contextlib.ExitStack() as stack:
            embedded = None
            if settings.database_url is None or settings.redis_url is None:
                with progress_bar() as progress:
                    embedded = stack.enter_context(Embedded.start(settings.home, report=_progress_reporter(progress)))
                if embedded.kept:
                    kept = f"The data was brought to a newer Postgres; the old is kept in {embedded.kept}"
                    out.print(kept, highlight=False, markup=False, soft_wrap=True)
            env = {
                "MONETA_HOME": str(settings.home.resolve()),
                "MONETA_DATABASE_URL": settings.database_url or (embedded.database_url if embedded else ""),
                "MONETA_REDIS_URL": settings.redis_url or (embedded.redis_url if embedded else ""),
                "MONETA_MINER_EMAIL": settings.miner_email or LOGINS[-1].email,
                "MONETA_DEMO_LOGINS": json.dumps([(login.label, login.email, PASSWORD) for login in LOGINS]),
                "MONETA_DEMO_ACCESS_CODES": json.dumps(ACCESS_CODES),
            }
            os.environ.update(env)
            load_settings.cache_clear()
            with progress_bar() as progress:
                run(_prepare(settings_or_fail(), progress))
            connected = settings_or_fail()
            start_joins = stack.enter_context(in_background(lambda: _demo_joins(connected, LOGINS[0].email)))

            def ready() -> None:
                _unfailing(lambda: greet(out, settings))
                start_joins()

            supervise(
                settings.home,
                env,
                f"http://{settings.host}:{settings.port}/health/ready",
                on_ready=ready,
                servers_failure=lambda: embedded.failure() if embedded else None,
            )
    except EmbeddedError as error:
        fail(str(error))
    except KeyboardInterrupt:
        pass
    _unfailing(lambda: out.print("stopped"))


def _unfailing(say: Callable[[], None]) -> None:
    """Write errors, such as a full disk, do not stop the work."""
    # rich raises SystemExit when the reader of a pipe has ended.
    with contextlib.suppress(OSError, SystemExit):
        say()


async def _demo_joins(settings: Settings, owner_email: str) -> None:
    from app.dev.demo_joins import keep_joining
    from app.main import open_application

    small = settings.model_copy(update={"database_pool_size": 1})
    async with open_application(small) as application:
        await keep_joining(application.services, owner_email)


def _progress_reporter(progress: Progress) -> Callable[[str, int, int | None], None]:
    """Shows one step after another, each replacing the one before."""
    shown: list[TaskID] = []

    def show(what: str, done: int, total: int | None) -> None:
        if not shown:
            shown.append(progress.add_task(what))
        progress.update(shown[0], description=what, completed=done, total=total)

    return show


async def _prepare(settings: Settings, progress: Progress) -> None:
    from app.domains.accounts.rules import demo_credentials
    from app.maintenance import migrate as bring_up

    await bring_up(settings)
    await _load_demo(settings, progress, demo_credentials.PASSWORD, demo_credentials.ACCESS_CODES)


async def _load_demo(settings: Settings, progress: Progress, password: str, codes: Sequence[str]) -> None:
    from app.dev.demo import load_demo
    from app.dev.demo_prices import DemoSize
    from app.kit.clock import FixedClock, SystemClock
    from app.kit.database_clock import database_time
    from app.main import open_application

    # The history of the demo is made by the real services, with a clock that is set to the past.
    clock = FixedClock(SystemClock().now())
    async with open_application(settings, clock=clock) as application:
        clock.advance(await database_time(application.database) - clock.now())
        size = DemoSize(days=settings.demo_days, daily_days=12 * settings.demo_days)
        await load_demo(application.services, application.database, clock, progress, size, password, codes)


if __name__ == "__main__":
    app()
