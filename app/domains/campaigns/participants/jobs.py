"""The jobs of participants."""

from collections.abc import Sequence

from app.domains.campaigns.participants.services.proofs import Proofs
from app.kit.jobs import Schedule


def participant_schedules(proofs: Proofs) -> Sequence[Schedule]:
    """Removing what has expired."""
    return [Schedule("proofs", "47 * * * *", "Removes messages and tokens that have expired", proofs.remove_expired)]
