"""The loaders of projects. Everybody reads those that are public, and the members of a tenant read all of its own."""

from app.domains.campaigns.networks.model import Network
from app.domains.campaigns.projects.model import ProjectStatus
from app.domains.campaigns.projects.statements import ProjectSql
from app.kit.lists import by, constant
from app.kit.loaders import Audience, one, page

project_by_id = one(ProjectSql.projects_by_ids, key="id", audience=Audience.TENANT)
project_by_key = one(ProjectSql.projects_by_keys, key="key", audience=Audience.TENANT)
wallet_by_project = one(ProjectSql.wallets_by_projects, key="project_id", audience=Audience.TENANT)
usage_by_tenant = one(ProjectSql.usage_by_tenants, key="tenant_id", audience=Audience.TENANT)
projects_by_tenant = page(
    ProjectSql.projects_by_tenant,
    orders={"CREATED_AT": by("created_at", "id", descending=True), "NAME": by("name", "id")},
    filters={"status": constant("status", ProjectStatus), "network": constant("network", Network)},
    audience=Audience.TENANT,
)
