"""The published demo credentials give no access in production."""

import contextlib
import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError
from rich.progress import Progress

from app.dev.demo import load_demo
from app.domains.accounts.model import NewUser, Role
from app.domains.accounts.rules.demo_credentials import ACCESS_CODES, EMAILS, PASSWORD
from app.domains.accounts.services import AccountsServices
from app.kit.clock import FixedClock
from app.kit.db import Database
from app.kit.errors import Forbidden
from app.kit.house import Services
from app.main import Application, check_production
from app.settings import Settings
from tests.databases import Owner
from tests.dev.test_demo import SMALL
from tests.engine.support import listening
from tests.factories import CLIENT

ROOT = Path(__file__).resolve().parents[3]
OTHER = "neither-horse-nor-battery"


@pytest.fixture
def production(application: Application) -> Application:
    settings = application.settings.model_copy(update={"environment": "production"})
    return dataclasses.replace(application, settings=settings)


def named(email: str, password: str) -> NewUser:
    return NewUser(email=email, password=password, full_name="Somebody", display_name=email.partition("@")[0])


async def test_a_clean_production_starts_and_says_that_it_sends_no_mail(production: Application) -> None:
    await production.services[AccountsServices].registration.create(named("own@example.com", OTHER), Role.ADMIN, CLIENT)
    with listening() as logged:
        await check_production(production)
    assert [(line["event"], line["log_level"]) for line in logged] == [("mail.not_sent", "warning")]
    assert "MONETA_SMTP_URL" in logged[0]["reason"]
    assert logged[0]["kept_in"].endswith("outbox")


@pytest.mark.parametrize("email", EMAILS)
async def test_production_does_not_start_over_a_demo_user(production: Application, email: str) -> None:
    await production.services[AccountsServices].registration.create(named(email, PASSWORD), Role.USER, CLIENT)
    with pytest.raises(Forbidden, match=f"{email} has the published password"):
        await check_production(production)


@pytest.mark.parametrize("code", [ACCESS_CODES[0], ACCESS_CODES[-1]])
async def test_production_does_not_start_with_a_published_code(
    production: Application, owner: Owner, code: str
) -> None:
    await production.services[AccountsServices].administration.add_access_codes([code])
    with pytest.raises(Forbidden, match=f"access code {code} is unspent"):
        await check_production(production)
    await owner.execute("DELETE FROM access_codes")
    await check_production(production)


async def test_development_may_have_all_of_it(application: Application) -> None:
    await application.services[AccountsServices].registration.create(named(EMAILS[0], PASSWORD), Role.USER, CLIENT)
    with listening() as logged:
        await check_production(application)
    assert logged == []


async def test_demo_data_with_a_password_of_ones_own_opens_nothing_published(
    production: Application, services: Services, database: Database, owner: Owner, clock: FixedClock
) -> None:
    with Progress(disable=True) as progress:
        await load_demo(services, database, clock, progress, SMALL, OTHER, ())
    assert await owner.fetchval("SELECT count(*) FROM users") == len(EMAILS)
    assert await owner.fetchval("SELECT count(*) FROM access_codes") == 0
    await check_production(production)
    opened = await services[AccountsServices].sessions.login(EMAILS[2], OTHER, CLIENT)
    assert opened.tokens.access_token


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["seed"], "give a password that is not published"),
        (["seed", "--password", PASSWORD], "give a password that is not published"),
        (["create-admin", "me@example.com", "--password", PASSWORD], "This password is published"),
        (["dev"], "published passwords"),
    ],
)
def test_the_verbs_refuse_before_they_connect(arguments: list[str], said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "MONETA_ENVIRONMENT": "production",
            "MONETA_SECRET_KEY": "s" * 32,
            "MONETA_KEY_ENCRYPTION_KEYS": "k:" + "a" * 44,
            "MONETA_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
            "MONETA_REDIS_URL": "redis://127.0.0.1:1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert said in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr


def test_production_refuses_the_database_password_of_the_example() -> None:
    given = {"secret_key": "s" * 32, "key_encryption_keys": "k:" + "a" * 44}
    for environment, password, is_good in (
        ("production", "change-me", False),
        ("production", "change-me-not", True),
        ("development", "change-me", True),
    ):
        url = f"postgresql://moneta:{password}@postgres:5432/moneta"
        with contextlib.nullcontext() if is_good else pytest.raises(ValidationError, match="once published"):
            Settings.model_validate({"environment": environment, "database_url": url, **given})


def test_no_secret_of_the_example_has_a_value() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    secret = {name: value for name, value in values.items() if re.search("PASSWORD|SECRET|KEY|TOKEN", name)}
    assert secret == dict.fromkeys(secret, "")
    assert set(secret) == {
        "POSTGRES_PASSWORD",
        "REDIS_PASSWORD",
        "MONETA_SECRET_KEY",
        "MONETA_KEY_ENCRYPTION_KEYS",
        "MONETA_METRICS_TOKEN",
    }
