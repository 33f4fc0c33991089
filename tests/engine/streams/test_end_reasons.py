"""The reason that a failure gives for the end of a subscription."""

import pytest

from app.engine.streams.group import end_of
from app.engine.streams.model import EndReason
from app.kit.errors import Code, Forbidden, NotFound, ResyncRequired, Unauthenticated, Unavailable


@pytest.mark.parametrize(
    ("failure", "reason", "code"),
    [
        (ResyncRequired(), EndReason.RESYNC_REQUIRED, Code.RESYNC_REQUIRED),
        (Forbidden(), EndReason.FORBIDDEN, Code.FORBIDDEN),
        (Unauthenticated(), EndReason.FORBIDDEN, Code.UNAUTHENTICATED),
        (NotFound(EndReason), EndReason.FORBIDDEN, Code.NOT_FOUND),
        (Unavailable(), EndReason.FAILED, Code.MAINTENANCE),
        (LookupError("a secret"), EndReason.FAILED, Code.INTERNAL),
    ],
)
def test_a_failure_has_a_reason_and_a_code(failure: Exception, reason: EndReason, code: Code) -> None:
    found, errors = end_of(failure)
    assert (found, [error["extensions"]["code"] for error in errors]) == (reason, [code])
    assert "secret" not in str(errors)
