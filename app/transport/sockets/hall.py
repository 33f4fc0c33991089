"""What all sockets of a server share."""

import asyncio

import msgspec

from app.transport.callers import Callers
from app.transport.runtime import AppRuntime
from app.transport.sockets.admission import Admission


class Hall(msgspec.Struct, frozen=True, eq=False):
    """One for all."""

    runtime: AppRuntime
    callers: Callers
    admission: Admission
    tasks: set["asyncio.Task[None]"]
    """What any socket has under way."""
