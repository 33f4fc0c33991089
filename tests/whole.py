"""Whether what is wide rather than deep is tried as a whole, and not a part of it that is the same in each run."""

import os
from typing import Final

WHOLE: Final = os.environ.get("MONETA_TESTS_WHOLE") == "1"
