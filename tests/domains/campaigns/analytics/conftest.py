"""A project for each test, and where its archives are."""

from pathlib import Path

import pytest
import pytest_asyncio

from app.domains.campaigns.analytics.services.archive_files import ArchiveFolder
from app.domains.campaigns.analytics.services.archives import Archives
from tests.domains.campaigns.analytics.park import Park
from tests.domains.campaigns.fair import Fair


@pytest_asyncio.fixture
async def park(fair: Fair) -> Park:
    return Park(fair, await fair.project())


@pytest.fixture
def archives(park: Park, tmp_path: Path) -> Archives:
    """With small files and batches."""
    office = park.fair.office
    return Archives(office.database, office.clock, ArchiveFolder(tmp_path / "archives", file_events=4), batch=3)
