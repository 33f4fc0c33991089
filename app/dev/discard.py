"""`python -m app.dev.discard <home>`: what `make clean` calls. It needs nothing but the standard library."""

from __future__ import annotations

import sys
from pathlib import Path

from app.dev.embedded import EmbeddedError, discard

if __name__ == "__main__":
    try:
        discard(Path(sys.argv[1]))
    except EmbeddedError as error:
        sys.exit(f"moneta: {error}")
