"""What the documentation publishes for trying Moneta out. In production none of it may give access."""

from typing import Final

PASSWORD: Final = "correct-horse-battery"  # noqa: S105  # published: it opens demo accounts only
ACCESS_CODES: Final = ("BITCOIN2025", *(f"MONETA-DEMO-{number:02}" for number in range(1, 11)))
EMAILS: Final = ("alice@example.com", "bob@example.com", "admin@example.com")
