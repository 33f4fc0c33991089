"""The statements about API keys and their calls."""

from datetime import datetime
from uuid import UUID

from app.domains.tenancy.api_keys.model import ApiKey, LockedKey, MonthCalls, PresentedKey, TenantUsage
from app.kit.data_checks import CounterDifference
from app.kit.sql import Command, Query, Rows, Statements


class ApiKeySql(Statements, file="api_keys.sql"):
    """API keys, and the calls that they make."""

    api_keys_by_ids: Query[ApiKey]
    api_keys_by_tenant: Rows[ApiKey]
    key_of_id: Query[PresentedKey]
    count_keys: Query[int]
    insert_key: Query[UUID]
    lock_key: Query[LockedKey]
    rotate_key: Command
    revoke_key: Command
    living_secrets: Query[tuple[UUID, datetime | None]]
    note_uses: Command
    add_calls: Query[MonthCalls]
    usage_by_tenants: Query[TenantUsage]
    remove_keys: Command


class UseSql(Statements, file="counters.sql"):
    """What is counted of the uses of keys."""

    differing_uses: Query[CounterDifference]
