"""Access control of /metrics, which is not public."""

import ipaddress
import secrets
from http import HTTPStatus
from typing import Final

from starlette.requests import Request

from app.kit.errors import Code
from app.settings import Settings
from app.transport.refusals import Refused

_CHALLENGE: Final = {"www-authenticate": 'Bearer realm="metrics"', "cache-control": "no-store"}


class MetricsAccess:
    """Admits requests with `MONETA_METRICS_TOKEN`; where none is set, in development, those from this machine."""

    def __init__(self, settings: Settings) -> None:
        self._token = settings.metrics_token
        self._open_here = not settings.production

    def check(self, request: Request) -> None:
        """Raises Refused."""
        if not self._token:
            if self._open_here and _on_this_machine(request):
                return
            raise _refused("Metrics are read with a bearer token: set MONETA_METRICS_TOKEN.")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        # Bytes: compare_digest takes no text that is not ASCII. A header's text is Latin-1.
        if scheme.lower() != "bearer" or not secrets.compare_digest(
            token.strip().encode("latin-1", "replace"), self._token.get_secret_value().encode()
        ):
            raise _refused("Metrics are read with the bearer token of MONETA_METRICS_TOKEN.")


def _refused(message: str) -> Refused:
    return Refused(message, status=HTTPStatus.UNAUTHORIZED, code=Code.UNAUTHENTICATED, headers=_CHALLENGE)


def _on_this_machine(request: Request) -> bool:
    # Behind a proxy that is not trusted, every request seems to come from its machine.
    if request.client is None or "forwarded" in request.headers or "x-forwarded-for" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
