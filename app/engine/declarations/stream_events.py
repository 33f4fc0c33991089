"""Events of durable subscriptions: the engine says of each where and when it was appended."""

from dataclasses import field
from datetime import datetime

import msgspec
import strawberry

from app.engine.declarations.computed import from_parent
from app.engine.declarations.cursors import Cursor


class Appended(msgspec.Struct, frozen=True):
    """Where an event is in its stream, and when it was appended."""

    cursor: Cursor
    at: datetime


def _cursor(root: "StreamEvent") -> Cursor:
    return root.appended.cursor


def _at(root: "StreamEvent") -> datetime:
    return root.appended.at


@strawberry.interface
class StreamEvent:
    """An event of a durable subscription. It is delivered once, in order, and a subscription can continue after it."""

    appended: strawberry.Private[Appended] = field(init=False, repr=False)
    cursor: Cursor = from_parent(
        _cursor, description="The position of the event. Subscribe with it as `after` to continue after this event."
    )
    at: datetime = from_parent(_at, description="When the event was appended to the stream.")
