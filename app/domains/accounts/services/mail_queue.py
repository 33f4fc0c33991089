"""Queued mails. They are encrypted, so that reading the queue reveals no one-time codes."""

import base64
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from app.kit.crypto.envelope import Keyring, Sealed
from app.kit.db import Tx
from app.kit.jobs import enqueue
from app.kit.mail import Mailer, Message
from app.kit.work import free_to_wait

MAIL_JOB: Final = "accounts.mail"


@dataclass(frozen=True)
class MailQueue:
    """Enqueues jobs with secret content."""

    keyring: Keyring
    mailer: Mailer

    async def send(self, tx: Tx, message: Message) -> None:
        """Sends `message` if the transaction commits."""
        await self.enqueue(tx, MAIL_JOB, msgspec.to_builtins(message))

    async def enqueue(self, tx: Tx, job: str, content: dict[str, Any]) -> None:
        """Enqueues a job whose payload can be read only with the keyring."""
        sealed = self.keyring.seal(msgspec.json.encode(content), job.encode())
        await enqueue(
            tx,
            job,
            {
                "kek_id": sealed.kek_id,
                "wrapped_key": base64.b64encode(sealed.wrapped_key).decode(),
                "ciphertext": base64.b64encode(sealed.ciphertext).decode(),
            },
        )

    def open(self, job: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Returns the content of a job's payload. Raises SealBroken or UnknownKey."""
        sealed = Sealed(
            kek_id=payload["kek_id"],
            wrapped_key=base64.b64decode(payload["wrapped_key"]),
            ciphertext=base64.b64decode(payload["ciphertext"]),
        )
        content: dict[str, Any] = msgspec.json.decode(self.keyring.open(sealed, job.encode()))
        return content

    async def deliver(self, content: dict[str, Any]) -> None:
        """Handles MAIL_JOB in the worker. Raises MailError, and the job is retried."""
        free_to_wait("a mail server")
        await self.mailer.send(msgspec.convert(content, Message))
