"""The loaders of exports, which the members of their tenant read."""

from app.domains.campaigns.exports.model import ExportStatus
from app.domains.campaigns.exports.statements import ExportReadSql
from app.kit.lists import by, constant
from app.kit.loaders import Audience, one, page

export_by_id = one(ExportReadSql.exports_by_ids, key="id", audience=Audience.TENANT)
exports_by_tenant = page(
    ExportReadSql.exports_by_tenant,
    orders={"CREATED_AT": by("created_at", "id", descending=True)},
    filters={"status": constant("status", ExportStatus)},
    audience=Audience.TENANT,
)
