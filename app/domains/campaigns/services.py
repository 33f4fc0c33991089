"""The services of campaigns."""

from dataclasses import dataclass
from typing import Self

from app.domains.campaigns.adoption.services import Adoption
from app.domains.campaigns.participants.services.participants import Participants
from app.domains.campaigns.participants.services.proofs import Proofs
from app.domains.campaigns.participations.services.joining import Joining
from app.domains.campaigns.participations.services.participations import Participations
from app.domains.campaigns.participations.services.points import Points
from app.domains.campaigns.participations.services.writing import Writing
from app.domains.campaigns.projects.services.projects import Projects
from app.domains.campaigns.projects.services.wallets import ProjectWallets
from app.domains.campaigns.tasks.services.completions import Completions
from app.domains.campaigns.tasks.services.tasks import Tasks
from app.domains.tenancy.services import TenancyServices
from app.kit.crypto.local import derive
from app.kit.house import Wiring


@dataclass(frozen=True)
class CampaignsServices:
    """Every service of campaigns."""

    projects: Projects
    project_wallets: ProjectWallets
    participants: Participants
    proofs: Proofs
    joining: Joining
    participations: Participations
    points: Points
    tasks: Tasks
    completions: Completions
    adoption: Adoption

    @classmethod
    def build(cls, wiring: Wiring) -> Self:
        """Wires them."""
        resources = wiring.resources
        database, clock, events = resources.database, resources.clock, resources.events
        access = wiring.services[TenancyServices].access
        wallets = ProjectWallets(database, clock, resources.keyring)
        secret = derive(resources.secret, "wallets of projects")
        answers = derive(resources.secret, "answers of quizzes")
        writing = Writing(database, clock, access, events)
        points = Points(writing)
        return cls(
            projects=Projects(database, clock, access, events, wallets, secret),
            project_wallets=wallets,
            participants=Participants(database, clock, access),
            proofs=Proofs(database, clock, access),
            joining=Joining(writing),
            participations=Participations(writing),
            points=points,
            tasks=Tasks(database, clock, access, events, answers),
            completions=Completions(writing, points, answers),
            adoption=Adoption(database, clock, access),
        )
