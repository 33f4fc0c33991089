"""The statements about projects."""

from uuid import UUID

from app.domains.campaigns.projects.model import Project, ProjectQuota, ProjectUsage, ProjectWallet, SealedKey
from app.kit.sql import Command, Query, Rows, Statements


class ProjectSql(Statements, file="projects.sql"):
    """Projects, their wallets, and the keys of these."""

    projects_by_ids: Query[Project]
    projects_by_keys: Query[Project]
    projects_by_tenant: Rows[Project]
    wallets_by_projects: Query[ProjectWallet]
    usage_by_tenants: Query[ProjectUsage]
    quota_of_tenant: Query[ProjectQuota]
    insert_project: Query[UUID]
    lock_project: Query[Project]
    update_project: Command
    copy_levels: Command
    archive_project: Command
    remove_wallet: Command
    insert_wallet: Query[UUID]
    insert_wallet_key: Command
    key_of_wallet: Query[SealedKey]
    wallet_keys_to_rewrap: Query[SealedKey]
    rewrap_wallet_keys: Command
