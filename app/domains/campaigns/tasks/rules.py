"""What a task may be, and what shows that it was completed. Pure."""

import hmac
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Final
from uuid import UUID

import msgspec

from app.domains.campaigns.projects.rules import description, name
from app.domains.campaigns.tasks.model import (
    MAX_ANSWER_CHARS,
    MAX_COMPLETIONS,
    MAX_COOLDOWN_S,
    MAX_KEY_CHARS,
    MAX_POINTS,
    MAX_POSITION,
    MAX_PROOF_CHARS,
    AlreadyCompleted,
    CoolingDown,
    Earlier,
    NewTask,
    Payment,
    ProofKind,
    Task,
    TextProof,
    TransactionProof,
)
from app.domains.ledger.model import Output
from app.domains.ledger.rules.amounts import InvalidAmount, to_units
from app.kit.errors import Faults, InvalidInput
from app.kit.text import is_storable

_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_-]*", re.ASCII)
_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


def checked(new: NewTask) -> NewTask:
    """The task as it is stored. Raises InvalidInput, which names all that is wrong."""
    with Faults() as faults:
        if len(new.key) > MAX_KEY_CHARS or not _KEY.fullmatch(new.key):
            faults.add("key", f"A key has 1 to {MAX_KEY_CHARS} lower-case letters, digits, hyphens and underscores.")
        made = msgspec.structs.replace(
            new,
            name=faults.check(name, new.name),
            description=None if new.description is None else faults.check(description, new.description),
        )
        for field, value, least, most in (
            ("points", new.points, 0, MAX_POINTS),
            ("position", new.position, 0, MAX_POSITION),
            ("max_completions", new.max_completions, 1, MAX_COMPLETIONS),
            ("cooldown_s", new.cooldown_s, 0, MAX_COOLDOWN_S),
        ):
            if value is not None and not least <= value <= most:
                faults.add(field, f"It is {least} to {most:,}.")
        if new.max_completions is None and not new.cooldown_s and new.proof_kind in {ProofKind.MANUAL, ProofKind.QUIZ}:
            faults.add("max_completions", "A task of this kind has a number of completions, or a time between them.")
        if (new.proof_kind is ProofKind.PAYMENT) != (new.payment is not None):
            faults.add("payment", "It is what is to be paid for a task of the kind PAYMENT, and for no other.")
        elif new.payment is not None:
            faults.check(_payment, new.payment)
        if new.proof_kind is not ProofKind.QUIZ and new.quiz is not None:
            faults.add("quiz", "Only a task of the kind QUIZ has an answer.")
        elif new.quiz is not None and not answer(new.quiz.answer):
            faults.add(("quiz", "answer"), f"An answer has 1 to {MAX_ANSWER_CHARS} characters.")
    return made


def answer(text: str) -> str:
    """An answer as it is compared: in any case, with any spaces. Empty if it is none."""
    if len(text) > MAX_ANSWER_CHARS or not is_storable(text):
        return ""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def answer_hash(secret: bytes, task_id: UUID, text: str) -> str:
    """What is stored of an answer: of equal answers to two tasks nobody sees that they are equal."""
    return hmac.new(secret, task_id.bytes + answer(text).encode(), sha256).hexdigest()


def refuse_again(task: Task, earlier: Earlier, now: datetime) -> None:
    """Raises AlreadyCompleted or CoolingDown if the task cannot be completed once more now."""
    if task.max_completions is not None and earlier.count >= task.max_completions:
        raise AlreadyCompleted(task.max_completions)
    if earlier.last_at is not None and (again_at := earlier.last_at + timedelta(seconds=task.cooldown_s)) > now:
        raise CoolingDown(again_at)


def proof_text(proof: TextProof) -> str:
    """Trimmed. Raises InvalidInput."""
    trimmed = proof.text.strip()
    if not 1 <= len(trimmed) <= MAX_PROOF_CHARS or not is_storable(trimmed, "\n\t"):
        raise InvalidInput(("proof", "text"), f"It has 1 to {MAX_PROOF_CHARS:,} characters.")
    return trimmed


def transaction_hash(proof: TransactionProof) -> str:
    """In lower case. Raises InvalidInput."""
    lower = proof.transaction_hash.lower() if len(proof.transaction_hash) == 64 else ""
    if not _HASH.fullmatch(lower):
        raise InvalidInput(("proof", "transaction_hash"), "The hash of a transaction has 64 hexadecimal digits.")
    return lower


def paid(outputs: Iterable[Output], wallet_id: str) -> Decimal:
    """What a transaction pays to a wallet. What goes back to the sender is no payment."""
    return sum((each.amount for each in outputs if each.wallet_id == wallet_id and not each.is_change), Decimal(0))


def _payment(payment: Payment) -> Payment:
    with Faults() as faults:
        if not _HASH.fullmatch(payment.wallet_id):
            faults.add(("payment", "wallet_id"), "A wallet has an ID of 64 hexadecimal digits.")
        try:
            units = to_units(payment.min_amount)
        except InvalidAmount as refused:
            raise InvalidInput(("payment", "min_amount"), f"{str(refused)[:200].capitalize()}.") from None
        if not units:
            faults.add(("payment", "min_amount"), "An amount is above 0.")
    return payment
