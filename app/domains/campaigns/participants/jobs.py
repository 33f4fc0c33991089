"""The jobs of participants."""

from collections.abc import Sequence

from app.domains.campaigns.participants.services.links import Links
from app.domains.campaigns.participants.services.proofs import Proofs
from app.kit.jobs import Schedule


def participant_schedules(proofs: Proofs, links: Links) -> Sequence[Schedule]:
    """Removing what has expired."""
    return [
        Schedule("proofs", "47 * * * *", "Removes what was to be signed, and has expired", proofs.remove_expired),
        Schedule("links", "49 * * * *", "Removes links to participants that have expired", links.remove_expired),
    ]
