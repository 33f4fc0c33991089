"""Maps errors to the codes with which sockets are closed."""

from typing import Final

import structlog

from app.engine.streams.model import EndReason
from app.kit.errors import Code, Problem
from app.transport.refusals import Refused
from app.transport.sockets.protocol import CloseCode, Closing

REASONS: Final = {
    CloseCode.RESTARTING: EndReason.SERVER_STOPPING,
    CloseCode.TRY_AGAIN_LATER: EndReason.FAILED,
    CloseCode.FORBIDDEN: EndReason.FORBIDDEN,
    CloseCode.INTERNAL: EndReason.FAILED,
}
"""Why the subscriptions of a socket end that is closed with one of these codes; with any other it is CLIENT_ERROR."""

log = structlog.get_logger(__name__)


def closing_for(error: BaseException) -> Closing:
    """How the socket is closed on which this was raised. An unexpected error is logged, and not shown to the client."""
    match error:
        case Closing():
            return error
        case Refused():
            code = CloseCode.TRY_AGAIN_LATER if error.code is Code.MAINTENANCE else CloseCode.FORBIDDEN
            return Closing(code, error.message)
        case Problem():
            return Closing(CloseCode.TRY_AGAIN_LATER, error.message)
    log.error("socket.failed", exc_info=error)
    return Closing(CloseCode.INTERNAL, "Internal error.")
