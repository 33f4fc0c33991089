"""The services of campaigns."""

from dataclasses import dataclass
from typing import Self

from app.domains.campaigns.adoption.services import Adoption
from app.domains.campaigns.analytics.services.archive_files import ArchiveFolder
from app.domains.campaigns.analytics.services.archives import Archives
from app.domains.campaigns.analytics.services.events import ProjectEvents
from app.domains.campaigns.analytics.services.statistics import Statistics
from app.domains.campaigns.erasure.services import Erasure
from app.domains.campaigns.exports.services.exporter import Exporter
from app.domains.campaigns.exports.services.exports import Exports
from app.domains.campaigns.files.services import Files
from app.domains.campaigns.imports.services.batches import Batches
from app.domains.campaigns.imports.services.importer import Importer
from app.domains.campaigns.imports.services.imports import Imports
from app.domains.campaigns.leaderboards.services import Leaderboards
from app.domains.campaigns.participants.services.links import Links
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
from app.domains.system.services import SystemServices
from app.domains.tenancy.services import TenancyServices
from app.kit.crypto.local import derive
from app.kit.house import Wiring
from app.kit.volatile import VolatileTopics


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
    events: ProjectEvents
    statistics: Statistics
    archives: Archives
    leaderboards: Leaderboards
    links: Links
    files: Files
    imports: Imports
    importer: Importer
    exports: Exports
    exporter: Exporter
    erasure: Erasure
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
        settings = wiring.services[SystemServices].cache
        files = Files(database, clock, access, settings, derive(resources.secret, "files of campaigns"))
        known_by = derive(resources.secret, "erased participants")
        project_events = ProjectEvents(database, clock, access)
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
            events=project_events,
            statistics=Statistics(database, clock),
            archives=Archives(database, clock, ArchiveFolder(resources.settings.archives)),
            leaderboards=Leaderboards(database, VolatileTopics(resources.redis)),
            links=Links(database, clock, access),
            files=files,
            imports=Imports(database, clock, access, events, files),
            importer=Importer(database, clock, events, files, Batches(database, clock, events, known_by)),
            exports=Exports(database, clock, access, files),
            exporter=Exporter(database, clock, files),
            erasure=Erasure(database, clock, access, project_events, known_by),
            adoption=Adoption(database, clock, access),
        )
