"""The statements about erasure."""

from uuid import UUID

from app.domains.campaigns.participants.model import Participant
from app.kit.sql import Command, Query, Statements


class ErasureSql(Statements, file="erasure.sql"):
    """Erasing participants, wherever there is something of them."""

    lock_for_erasure: Query[Participant]
    addresses_of: Query[str]
    erase_participant: Command
    erase_wallets: Command
    erase_link: Command
    erase_reviews: Command
    erase_proofs: Command
    note_erased: Command
    exclude_from_imports: Command
    delete_uploads: Command
    renew_exports: Command
    lock_running_imports: Query[UUID]
    redact_audit: Query[int]
