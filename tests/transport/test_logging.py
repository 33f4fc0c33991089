import json
import subprocess
import sys

import pytest

SCRIPT = """
import logging, structlog
from app.settings import Settings
from app.transport.logging import configure_logging
configure_logging(Settings(log_format={log_format!r}))
structlog.contextvars.bind_contextvars(request_id="r-1")
log = structlog.get_logger()
log.debug("unheard")
def fail(password):
    raise ValueError("what went wrong")
try:
    fail("hunter2")
except ValueError:
    log.exception("failed", value=object)
logging.getLogger("uvicorn.error").info("unheard")
logging.getLogger("some.library").warning("heard %s", "too")
"""


def _lines(log_format: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(log_format=log_format)], capture_output=True, text=True, check=True
    )
    assert ran.stdout == ""
    return ran.stderr.splitlines()


def test_each_event_is_one_line_of_json() -> None:
    ours, theirs = map(json.loads, _lines("json"))
    assert (ours["event"], ours["level"], ours["request_id"]) == ("failed", "error", "r-1")
    assert "ValueError: what went wrong" in ours["exception"]
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("heard too", "warning", "some.library")
    assert theirs["request_id"] == "r-1"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_tracebacks_show_no_local_variables(log_format: str) -> None:
    text = "\n".join(_lines(log_format))
    assert "ValueError: what went wrong" in text
    assert "password=" not in text
    assert text.count("hunter2") <= 1
    assert "unheard" not in text


HARD = """
import logging, structlog
from app.settings import Settings
from app.transport.logging import configure_logging
configure_logging(Settings(log_format={log_format!r}))

class Hostile:
    def __str__(self):
        raise LookupError("no text")
    __repr__ = __str__

log = structlog.get_logger()
log.warning("surrogates", path="/\\ud800", **{{"\\udfff": 1}})
log.warning("hostile", value=Hostile())
log.warning(Hostile())
logging.getLogger("some.library").warning("hostile %s", Hostile())
logging.getLogger("some.library").warning("too few %s %s", 1)
logging.getLogger("some.library").warning(Hostile())
log.warning("last")
"""


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_line_that_cannot_be_formatted_fails_nothing_and_is_reported(log_format: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", HARD.format(log_format=log_format)], capture_output=True, text=True, check=True
    )
    lines = ran.stderr.splitlines()
    assert len(lines) == 7, ran.stderr
    assert "surrogates" in lines[0]
    assert "last" in lines[-1]
    unwritable = [json.loads(line) for line in lines if "log.unwritable" in line]
    assert {line["level"] for line in unwritable} == {"error"}
    assert len(unwritable) >= 4
    assert "Traceback" not in ran.stderr
