"""The jobs of API keys."""

from collections.abc import Sequence

from app.domains.tenancy.api_keys.services.keys import ApiKeys
from app.kit.jobs import Schedule


def api_key_schedules(keys: ApiKeys) -> Sequence[Schedule]:
    """Removing what has been over for long enough."""
    return [Schedule("api_keys", "41 3 * * *", "Removes keys that ended 90 days ago", keys.remove_old)]
