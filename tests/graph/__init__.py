"""The public API as transcripts: see `transcripts.py` for how one is written."""

import pytest

pytest.register_assert_rewrite("tests.graph.stage")
