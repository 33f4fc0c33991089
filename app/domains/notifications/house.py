"""The house of notifications."""

from app.domains.accounts.house import ACCOUNTS
from app.domains.accounts.services import AccountsServices
from app.domains.notifications import loaders
from app.domains.notifications.jobs import notification_jobs
from app.domains.notifications.services import Notifications
from app.kit.house import House, Wiring


def _build(wiring: Wiring) -> Notifications:
    resources = wiring.resources
    mail_queue = wiring.services[AccountsServices].mail_queue
    return Notifications(resources.database, resources.clock, resources.events, mail_queue)


NOTIFICATIONS = House(
    name="notifications",
    build=_build,
    services=Notifications,
    knows=(ACCOUNTS,),
    loaders=(loaders,),
    jobs=notification_jobs,
)
