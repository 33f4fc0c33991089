"""The SQL of ids and hashes of generated rows, in the order of time: unique indexes are then filled at their end."""

from typing import Final

USER: Final = "lpad(({})::text, 32, '0')::uuid"
ID: Final = "lpad(to_hex({}), 32, '0')::uuid"
HASH: Final = "lpad(to_hex({}), 64, '0')"
