"""The house of the system's settings."""

from app.domains.accounts.house import ACCOUNTS
from app.domains.system import loaders
from app.domains.system.services import SettingsCache, SystemServices
from app.kit.house import House, Wiring


def _build(wiring: Wiring) -> SystemServices:
    resources = wiring.resources
    return SystemServices(resources.database, resources.clock, SettingsCache(resources.database))


SYSTEM = House(
    name="system",
    build=_build,
    services=SystemServices,
    knows=(ACCOUNTS,),
    loaders=(loaders,),
    running=lambda system: system.cache.kept(),
)
