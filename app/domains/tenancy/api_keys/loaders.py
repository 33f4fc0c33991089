"""The loaders of API keys and calls. Owners and admins of a tenant read its keys."""

from app.domains.tenancy.api_keys.statements import ApiKeySql
from app.kit.lists import by
from app.kit.loaders import Audience, one, page

api_key_by_id = one(ApiKeySql.api_keys_by_ids, key="id", audience=Audience.TENANT)
api_keys_by_tenant = page(
    ApiKeySql.api_keys_by_tenant,
    orders={"CREATED_AT": by("created_at", "id", descending=True)},
    audience=Audience.TENANT,
)
usage_by_tenant = one(ApiKeySql.usage_by_tenants, key="tenant_id", audience=Audience.TENANT)
