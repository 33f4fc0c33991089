"""The files of the repository, for tests that read them."""

import ast
import subprocess
from functools import cache
from pathlib import Path

from tests.collector import staying

ROOT = Path(__file__).resolve().parents[1]


def sources(*folders: str) -> list[Path]:
    """The Python files of some folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def tracked(*patterns: str) -> list[Path]:
    """The files of the repository, or those that match one of these patterns."""
    listed = subprocess.run(["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, check=True)
    # One may be deleted and not yet committed.
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def name_of(path: Path) -> str:
    """The path from the root of the repository."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    """A file's syntax tree."""
    with staying():
        return ast.parse(path.read_text())
