"""Who is answered during maintenance."""

from app.domains.accounts.model import Role, Viewer
from app.engine.execution.operations import Prepared
from app.kit.maintenance import MaintenanceSwitch
from app.transport.refusals import Refused
from app.transport.runtime import Caller


def is_exempt(viewer: Viewer | None) -> bool:
    """Whether the viewer, an admin, is answered as always."""
    return viewer is not None and viewer.role is Role.ADMIN


def check_maintenance(switch: MaintenanceSwitch, caller: Caller, prepared: Prepared) -> None:
    """Raises Refused, 503, during maintenance: for all but admins, and what callers need to log in."""
    notice = switch.notice
    if notice is not None and not prepared.stays_open and not is_exempt(caller.viewer):
        raise Refused.because(notice)
