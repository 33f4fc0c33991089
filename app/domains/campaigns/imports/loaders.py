"""The loaders of imports, which the members of their tenant read."""

from app.domains.campaigns.imports.model import ImportStatus
from app.domains.campaigns.imports.statements import ImportReadSql
from app.kit.lists import by, constant
from app.kit.loaders import Audience, one, page

import_by_id = one(ImportReadSql.imports_by_ids, key="id", audience=Audience.TENANT)
imports_by_tenant = page(
    ImportReadSql.imports_by_tenant,
    orders={"CREATED_AT": by("created_at", "id", descending=True)},
    filters={"status": constant("status", ImportStatus)},
    audience=Audience.TENANT,
)
refusals_by_import = page(ImportReadSql.refusals_by_import, orders={"NUMBER": by("number")}, audience=Audience.TENANT)
