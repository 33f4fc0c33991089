"""The schedules of files."""

from collections.abc import Sequence

from app.domains.campaigns.files.services import Files
from app.kit.jobs import Schedule


def file_schedules(files: Files) -> Sequence[Schedule]:
    """Files are kept for a day."""
    return [
        Schedule(
            "campaign-files", "23 * * * *", "Deletes files of imports and exports after a day", files.delete_expired
        )
    ]
