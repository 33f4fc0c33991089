"""Sends mail: over SMTP, or into a folder that the developer's mailbox shows."""

import asyncio
import os
import secrets
import unicodedata
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib
import msgspec

from app.kit.clock import Clock

MAX_ADDRESS_CHARS = 254
MAX_SUBJECT_CHARS = 200
SMTP_TIMEOUT_SECONDS = 30.0

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# Control, surrogate, line and paragraph separator: what could end a header or break its encoding.
_HEADER_BREAKERS = {"Cc", "Cs", "Zl", "Zp"}


class MailError(Exception):
    """The message was not accepted for delivery. `retryable` says whether trying later can help."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable


class Message(msgspec.Struct, frozen=True):
    """One plain-text mail to one address. ValueError for an address or subject that could forge a header."""

    to: str
    subject: str
    text: str

    def __post_init__(self) -> None:
        _check_address(self.to)
        if len(self.subject) > MAX_SUBJECT_CHARS or _breaks_header(self.subject):
            raise ValueError(f"a subject is one line of at most {MAX_SUBJECT_CHARS} characters")
        if any(character == "\0" or unicodedata.category(character) == "Cs" for character in self.text):
            raise ValueError("a mail's text is valid Unicode without NUL")


class StoredMessage(msgspec.Struct, frozen=True):
    """A message in the folder, and when it was stored."""

    sent_at: datetime
    message: Message


class Mailer(Protocol):
    """Sends mail."""

    async def send(self, message: Message) -> None:
        """Returns once the message is accepted. Raises MailError."""
        ...


class SmtpMailer:
    """Sends over SMTP, one connection a message."""

    def __init__(self, url: str, sender: str, clock: Clock) -> None:
        """`url` is `smtp://user:password@host:587?starttls` or `smtps://user:password@host:465`.

        `sender` is `name@domain` or `Name <name@domain>`.
        The password is percent-encoded. Without `starttls` an `smtp` connection stays plain, and then
        credentials are refused unless the host is this machine. Raises ValueError.
        """
        self._sender = _sender_of(sender)
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            # Without its cause: an unescaped "/" in the password makes urlsplit quote the password as a port.
            raise ValueError("a mail URL's port is a number; escape the password with %") from None
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path not in {"", "/"}:
            raise ValueError("a mail URL is smtp://[user:password@]host[:port][?starttls] or smtps://...")
        if parts.query not in {"", "starttls"} or (parts.query and parts.scheme == "smtps"):
            raise ValueError("a mail URL has one option, ?starttls, and only with smtp://")
        encrypted = parts.scheme == "smtps" or parts.query == "starttls"
        if parts.username is not None and not encrypted and parts.hostname not in _LOOPBACK:
            raise ValueError("mail credentials need smtps:// or ?starttls")
        self._clock = clock
        self._host = parts.hostname
        self._port = port
        self._username = None if parts.username is None else unquote(parts.username)
        self._password = None if parts.password is None else unquote(parts.password)
        self._use_tls = parts.scheme == "smtps"
        self._start_tls = parts.query == "starttls"

    def __repr__(self) -> str:
        return f"SmtpMailer(host={self._host!r}, port={self._port}, sender={self._sender.addr_spec!r})"

    async def send(self, message: Message) -> None:
        """Returns once the server has accepted the message. Raises MailError."""
        try:
            await aiosmtplib.send(
                self._compose(message),
                hostname=self._host,
                port=self._port,
                username=self._username,
                password=self._password,
                use_tls=self._use_tls,
                start_tls=self._start_tls,
                timeout=SMTP_TIMEOUT_SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailError(f"mail to {self._host} failed: {error}", retryable=_retryable(error)) from error

    def _compose(self, message: Message) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._sender
        mail["To"] = Address(addr_spec=message.to)
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(self._clock.now())
        mail["Message-ID"] = make_msgid(domain=self._sender.domain)
        # Prevents automatic replies (RFC 3834).
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        return mail


class FolderMailer:
    """Writes each message to a file; any process that shares the folder sees it in `recent`."""

    def __init__(self, folder: Path, clock: Clock, keep: int = 200) -> None:
        """The newest `keep` messages stay. The folder is made when the first one is sent."""
        self.folder = folder
        self._clock = clock
        self._keep = keep
        self._count = 0

    async def send(self, message: Message) -> None:
        """Writes the message; it is there whole or not at all."""
        self._count += 1
        entry = StoredMessage(sent_at=self._clock.now(), message=message)
        await asyncio.to_thread(self._write, entry, self._count)

    async def recent(self, limit: int = 50) -> list[StoredMessage]:
        """The newest messages, newest first."""
        return await asyncio.to_thread(self._read, limit)

    def _write(self, entry: StoredMessage, count: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        # Names sort by time, then by the order in which this process sent; the suffix distinguishes processes.
        micros = int(entry.sent_at.timestamp() * 1_000_000)
        name = f"{micros:020d}-{count:010d}-{secrets.token_hex(4)}"
        partial = self.folder / f"{name}.partial"
        # Mails carry one-time codes: not for other users of the machine.
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(msgspec.json.encode(entry))
        partial.replace(self.folder / f"{name}.json")
        for path in self._newest_first()[self._keep :]:
            path.unlink(missing_ok=True)

    def _read(self, limit: int) -> list[StoredMessage]:
        entries: list[StoredMessage] = []
        for path in self._newest_first():
            if len(entries) >= limit:
                break
            try:
                entries.append(msgspec.json.decode(path.read_bytes(), type=StoredMessage))
            except (FileNotFoundError, msgspec.DecodeError):
                # Deleted by its writer meanwhile, or left empty by a power failure.
                continue
        return entries

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("*.json"), reverse=True)


def _sender_of(text: str) -> Address:
    name, opened, rest = text.strip().rpartition("<")
    address, name = (rest.removesuffix(">"), name.strip()) if opened else (rest, "")
    if opened != ("<" if rest.endswith(">") else "") or _breaks_header(name):
        raise ValueError("a sender is name@domain or Name <name@domain>")
    _check_address(address)
    return Address(display_name=name, addr_spec=address)


def _check_address(address: str) -> None:
    local, _, domain = address.rpartition("@")
    forbidden = any(character.isspace() or character in '@,;:<>()[]"\\' for character in local + domain)
    if not local or not domain or forbidden or len(address) > MAX_ADDRESS_CHARS or _breaks_header(address):
        raise ValueError("a mail address is one name@domain")
    try:
        Address(addr_spec=address)
    except (ValueError, HeaderParseError, IndexError):
        # IndexError: what the parser of Python 3.11 raises for some malformed messages.
        raise ValueError("a mail address is one name@domain") from None


def _breaks_header(text: str) -> bool:
    return any(unicodedata.category(character) in _HEADER_BREAKERS for character in text)


def _retryable(error: BaseException) -> bool:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(_retryable(refusal) for refusal in error.recipients)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        # RFC 5321: 4yz is transient, 5yz is permanent.
        return 400 <= error.code < 500
    # Not reached, cut off or timed out; every other error of the library is about the message itself.
    return isinstance(error, OSError)
