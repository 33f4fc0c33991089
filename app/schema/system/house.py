"""The house of the system's settings in the graph."""

from app.domains.system.house import SYSTEM as DOMAIN
from app.engine.declarations.key_scopes import NEVER, PUBLIC
from app.schema.composition import GraphHouse
from app.schema.system.changes import SystemSettingChangeQuery, SystemSettingMutation
from app.schema.system.settings import SystemSettingQuery

SYSTEM = GraphHouse(
    domain=DOMAIN,
    query=(SystemSettingQuery, SystemSettingChangeQuery),
    mutation=(SystemSettingMutation,),
    key_scopes={
        "*": NEVER,
        "settings": PUBLIC,
    },
)
