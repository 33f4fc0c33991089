"""The viewer: every house adds fields to it."""

from app.domains.accounts import model
from app.engine.declarations.nodes import record_type


@record_type(model.Viewer)
class Viewer:
    """The authenticated user, with the data that only this user can see."""
