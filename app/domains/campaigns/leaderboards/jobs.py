"""What workers do for leaderboards."""

from typing import Final

from app.domains.campaigns.leaderboards.services import Leaderboards
from app.kit.tasks import repeat

ANNOUNCE_EVERY_S: Final = 1.0


async def announcing_leaderboards(leaderboards: Leaderboards) -> None:
    """Announces which leaderboards have changed, once a second, until cancelled. Of several workers each takes what
    another has not. Losing Postgres or Redis only delays.
    """
    await repeat(leaderboards.announce, every_s=ANNOUNCE_EVERY_S, name="leaderboards")
