"""Credentials that the documentation publishes for demos. They must not give access in production."""

from typing import Final

PASSWORD: Final = "correct-horse-battery"  # noqa: S105  # published, for demo accounts only
ACCESS_CODES: Final = ("BITCOIN2025", *(f"MONETA-DEMO-{number:02}" for number in range(1, 11)))
EMAILS: Final = ("alice@example.com", "bob@example.com", "admin@example.com")
