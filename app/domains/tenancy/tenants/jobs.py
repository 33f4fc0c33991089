"""The jobs of tenants."""

from collections.abc import Sequence

from app.domains.tenancy.tenants.services.members import Members
from app.domains.tenancy.tenants.services.tenants import Tenants
from app.kit.jobs import Schedule


def tenant_schedules(tenants: Tenants, members: Members) -> Sequence[Schedule]:
    """Removing what has been deleted, and what has expired, for long enough."""
    return [
        Schedule("tenants", "23 * * * *", "Removes tenants that were deleted 30 days ago", tenants.remove_deleted),
        Schedule(
            "invitations", "37 3 * * *", "Removes invitations that expired 30 days ago", members.remove_invitations
        ),
    ]
