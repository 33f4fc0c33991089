"""Maps errors to the codes with which sockets are closed."""

import structlog

from app.kit.errors import Code, Problem
from app.transport.refusals import Refused
from app.transport.sockets.protocol import CloseCode, Closing

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
