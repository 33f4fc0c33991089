"""How the verbs speak: what they print, how they fail, and what they run on."""

from collections.abc import Coroutine, Iterable
from typing import Any, NoReturn

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.kit.errors import Problem
from app.settings import BadSetting, Settings, load_settings

out = Console()
err = Console(stderr=True)


def fail(message: str) -> NoReturn:
    """Ends with one clear line."""
    # A message may quote a path, which may contain any characters.
    shown = escape(message.encode("utf-8", "backslashreplace").decode())
    err.print(f"[red]moneta:[/red] {shown}", highlight=False, soft_wrap=True)
    raise SystemExit(1)


def settings_or_fail() -> Settings:
    """Returns the settings; reports an invalid one in one line."""
    try:
        return load_settings()
    except BadSetting as error:
        fail(str(error))


def located(settings: Settings) -> Settings:
    """The settings, with the addresses of the servers that `make serve` runs in this home where none are given."""
    from app.dev.embedded import find

    if settings.database_url is not None and settings.redis_url is not None:
        return settings
    running = find(settings.home)
    if running is None:
        return settings
    return settings.model_copy(
        update={
            "database_url": settings.database_url or running.database_url,
            "redis_url": settings.redis_url or running.redis_url,
        }
    )


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Runs the work of a verb on uvloop. An expected failure is reported in one line."""
    import uvloop

    try:
        return uvloop.run(work)
    except Problem as problem:
        fail(problem.message)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def progress_bar() -> Progress:
    """The progress bar of long jobs."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=err
    )


def table(what: str, number: str, lines: Iterable[tuple[str, int, Iterable[str]]]) -> Table:
    """A table of things, how many there are of each, and examples."""
    shown = Table(what, number, "Examples", title_justify="left")
    for name, count, examples in lines:
        shown.add_row(escape(name), f"{count:,}", escape("\n".join(examples)))
    return shown
