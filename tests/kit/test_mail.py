import asyncio
import email
import email.policy
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kit.clock import FixedClock
from app.kit.mail import FolderMailer, MailError, Message, SmtpMailer
from app.settings import Settings

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
CODE = Message(to="alice@example.com", subject="Your code", text="123456\n")


class Inbox:
    """An aiosmtpd handler that keeps what it accepts and gives set answers."""

    def __init__(self, rcpt: str = "250 OK", data: str = "250 OK") -> None:
        self.accepted: list[Envelope] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self._rcpt = rcpt
        self._data = data

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:
        if self._rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self._rcpt

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        if self._data.startswith("250"):
            self.accepted.append(envelope)
        return self._data

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, auth: Any) -> AuthResult:
        self.logins.append((auth.login, auth.password))
        # `handled=False` has the server itself answer a failure with 535.
        return AuthResult(success=auth.password == b"p@ss/word", handled=False)


@asynccontextmanager
async def smtp_server(inbox: Inbox, *, login: bool = False) -> AsyncIterator[int]:
    """A real SMTP server on a free loopback port."""

    def connection() -> SMTP:
        authenticator = inbox.authenticate if login else None
        return SMTP(
            inbox,
            hostname="mail.test",
            authenticator=authenticator,
            auth_required=login,
            auth_require_tls=False,
        )

    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def mailer(port: int, credentials: str = "", options: str = "") -> SmtpMailer:
    return SmtpMailer(f"smtp://{credentials}127.0.0.1:{port}{options}", "no-reply@example.com", FixedClock(NOW))


async def test_smtp_delivers_the_message() -> None:
    inbox = Inbox()
    message = Message(to="alice@example.com", subject="Grüße ✓", text="Ihr Code: 123456 ✓\n")
    async with smtp_server(inbox) as port:
        await mailer(port).send(message)
    [envelope] = inbox.accepted
    assert envelope.mail_from == "no-reply@example.com"
    assert envelope.rcpt_tos == ["alice@example.com"]
    assert isinstance(envelope.content, bytes)
    mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert mail["To"] == "alice@example.com"
    assert mail["From"] == "no-reply@example.com"
    assert mail["Subject"] == "Grüße ✓"
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"].endswith("@example.com>")
    assert mail.get_content() == "Ihr Code: 123456 ✓\r\n"


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_smtp_logs_in_with_the_decoded_credentials() -> None:
    inbox = Inbox()
    async with smtp_server(inbox, login=True) as port:
        await mailer(port, "mo%40net:p%40ss%2Fword@").send(CODE)
        with pytest.raises(MailError) as refusal:
            await mailer(port, "mo%40net:wrong@").send(CODE)
    assert not refusal.value.retryable
    assert inbox.logins[0] == (b"mo@net", b"p@ss/word")
    assert len(inbox.accepted) == 1


@pytest.mark.parametrize(
    ("inbox", "retryable"),
    [
        (Inbox(rcpt="450 mailbox busy"), True),
        (Inbox(rcpt="550 no such user"), False),
        (Inbox(data="451 try again later"), True),
        (Inbox(data="554 rejected as spam"), False),
    ],
    ids=["rcpt-4xx", "rcpt-5xx", "data-4xx", "data-5xx"],
)
async def test_a_refusal_says_whether_to_retry(inbox: Inbox, retryable: bool) -> None:
    async with smtp_server(inbox) as port:
        with pytest.raises(MailError) as refusal:
            await mailer(port).send(CODE)
    assert refusal.value.retryable is retryable
    assert inbox.accepted == []


async def test_an_unreachable_server_is_worth_a_retry() -> None:
    async with smtp_server(Inbox()) as port:
        pass
    with pytest.raises(MailError) as refusal:
        await mailer(port).send(CODE)
    assert refusal.value.retryable


async def test_required_starttls_never_falls_back_to_plain_text() -> None:
    inbox = Inbox()
    async with smtp_server(inbox) as port:
        with pytest.raises(MailError) as refusal:
            await mailer(port, options="?starttls").send(CODE)
    assert not refusal.value.retryable
    assert inbox.accepted == []


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.example.com",
        "smtp://",
        "smtp://mail.example.com/path",
        "smtp://mail.example.com?tls",
        "smtps://mail.example.com?starttls",
        "smtp://user:secret@mail.example.com",
        "smtp://user:sec/ret@mail.example.com",
    ],
)
def test_a_bad_mail_url_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match="mail") as refusal:
        SmtpMailer(url, "no-reply@example.com", FixedClock(NOW))
    assert "sec" not in str(refusal.value)


@pytest.mark.parametrize(
    ("sender", "header"),
    [
        ("no-reply@example.com", "no-reply@example.com"),
        ("Moneta <no-reply@example.com>", "Moneta <no-reply@example.com>"),
        (" <no-reply@example.com> ", "no-reply@example.com"),
        ("Geld, & mehr <no-reply@example.com>", '"Geld, & mehr" <no-reply@example.com>'),
        ("M\u00f6neta <no-reply@example.com>", "M\u00f6neta <no-reply@example.com>"),
    ],
)
async def test_a_sender_may_have_a_name(sender: str, header: str) -> None:
    inbox = Inbox()
    async with smtp_server(inbox) as port:
        await SmtpMailer(f"smtp://127.0.0.1:{port}", sender, FixedClock(NOW)).send(CODE)
    [envelope] = inbox.accepted
    assert envelope.mail_from == "no-reply@example.com"
    assert isinstance(envelope.content, bytes)
    assert email.message_from_bytes(envelope.content, policy=email.policy.default)["From"] == header


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "Moneta",
        "Moneta <",
        "Moneta <a@b.c",
        "a@b.c>",
        "<>",
        "A <a@b.c> x",
        "A\r\nBcc: x <a@b.c>",
        "A <a@b.c, d@e.f>",
    ],
)
def test_a_bad_sender_is_refused(sender: str) -> None:
    with pytest.raises(ValueError, match=r"name@domain"):
        SmtpMailer("smtp://127.0.0.1:25", sender, FixedClock(NOW))


def test_the_sender_by_default_is_one() -> None:
    SmtpMailer("smtp://127.0.0.1:25", Settings().mail_from, FixedClock(NOW))


def test_repr_hides_the_credentials() -> None:
    shown = repr(SmtpMailer("smtps://user:secret@mail.example.com", "no-reply@example.com", FixedClock(NOW)))
    assert "secret" not in shown
    assert "user" not in shown


@pytest.mark.parametrize(
    "address",
    [
        "",
        "alice",
        "@example.com",
        "alice@",
        "alice@example.com\r\nBcc: eve@example.com",
        "alice@example.com\n",
        "alice@example.com, eve@example.com",
        "Alice <alice@example.com>",
        "a@b@example.com",
        "al ice@example.com",
        "alice@example.com\u2028",
        "alice..b@example.com",
        "\ud800@example.com",
        "a" * 250 + "@example.com",
    ],
)
def test_a_bad_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Message(to=address, subject="s", text="t")


@pytest.mark.parametrize(
    "subject",
    ["a\r\nBcc: eve@example.com", "a\nb", "a\rb", "a\0b", "a\x85b", "a\u2029b", "\udfff", "x" * 201],
)
def test_a_subject_that_could_forge_a_header_is_refused(subject: str) -> None:
    with pytest.raises(ValueError, match="subject"):
        Message(to="alice@example.com", subject=subject, text="t")


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_text_that_is_no_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="text"):
        Message(to="alice@example.com", subject="s", text=text)


@settings(max_examples=150)
@given(address=st.one_of(st.text(max_size=30), st.emails()), subject=st.text(max_size=80), text=st.text())
def test_what_a_message_accepts_can_be_written_as_mail(address: str, subject: str, text: str) -> None:
    try:
        message = Message(to=address, subject=subject, text=text)
    except ValueError:
        return
    raw = mailer(25)._compose(message).as_bytes()
    headers = raw.partition(b"\r\n\r\n")[0]
    assert sorted(line.split(b":")[0] for line in headers.split(b"\r\n") if line[:1] not in b" \t") == sorted(
        [
            *(b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted"),
            *(b"MIME-Version", b"Content-Type", b"Content-Transfer-Encoding"),
        ]
    )


def numbered(number: int) -> Message:
    return Message(to="alice@example.com", subject=f"mail {number}", text="t")


async def subjects(mailbox: FolderMailer, limit: int = 50) -> list[str]:
    return [entry.message.subject for entry in await mailbox.recent(limit)]


async def test_the_outbox_lists_newest_first_to_any_process(tmp_path: Path) -> None:
    clock = FixedClock(NOW)
    folder = tmp_path / "made" / "outbox"
    reader = FolderMailer(folder, clock)
    assert await reader.recent() == []
    writer = FolderMailer(folder, clock)
    for number in range(3):
        await writer.send(numbered(number))
    clock.advance(timedelta(seconds=1))
    await FolderMailer(folder, clock).send(numbered(3))
    assert await subjects(reader) == ["mail 3", "mail 2", "mail 1", "mail 0"]
    assert await subjects(reader, limit=2) == ["mail 3", "mail 2"]
    [newest] = await reader.recent(1)
    assert newest.sent_at == NOW + timedelta(seconds=1)
    assert newest.message == numbered(3)


async def test_the_outbox_keeps_the_newest(tmp_path: Path) -> None:
    mailbox = FolderMailer(tmp_path, FixedClock(NOW), keep=2)
    for number in range(5):
        await mailbox.send(numbered(number))
    assert await subjects(mailbox) == ["mail 4", "mail 3"]
    assert len(os.listdir(tmp_path)) == 2


async def test_concurrent_writers_lose_nothing(tmp_path: Path) -> None:
    mailers = [FolderMailer(tmp_path, FixedClock(NOW)) for _ in range(4)]
    await asyncio.gather(*(mailers[number % 4].send(numbered(number)) for number in range(40)))
    assert sorted(await subjects(mailers[0])) == sorted(f"mail {number}" for number in range(40))


async def test_the_outbox_passes_over_what_is_no_message(tmp_path: Path) -> None:
    mailbox = FolderMailer(tmp_path, FixedClock(NOW))
    await mailbox.send(numbered(1))
    (tmp_path / "99999999999999999999-empty.json").write_bytes(b"")
    (tmp_path / "99999999999999999999-half.partial").write_bytes(b"{")
    assert await subjects(mailbox, limit=1) == ["mail 1"]


async def test_outbox_files_are_for_their_owner_only(tmp_path: Path) -> None:
    await FolderMailer(tmp_path, FixedClock(NOW)).send(CODE)
    [name] = os.listdir(tmp_path)
    assert stat.S_IMODE(os.stat(tmp_path / name).st_mode) == 0o600
