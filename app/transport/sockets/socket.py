"""One accepted socket."""

import asyncio
import contextlib
import itertools
import time
from typing import assert_never

import msgspec
from graphql import OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.domains.accounts.model import Viewer
from app.engine.execution import Prepared, Response
from app.kit.errors import Code
from app.transport.callers import Callers
from app.transport.refusals import Refused, error_body
from app.transport.runtime import AppRuntime, Caller
from app.transport.sessions import wait_for_end
from app.transport.sockets import protocol
from app.transport.sockets.outgoing import Outgoing
from app.transport.sockets.protocol import CloseCode, Closing, Complete, Init, Ping, Pong, Subscribe


class Socket:
    """A connection and its operations. Each operation is a task; when the socket ends, all of them have ended."""

    def __init__(self, websocket: WebSocket, runtime: AppRuntime, callers: Callers, caller: Caller) -> None:
        self._websocket = websocket
        self._runtime = runtime
        self._callers = callers
        # A frame sets no cookies.
        self._caller = msgspec.structs.replace(caller, from_browser=False)
        self._outgoing = Outgoing(websocket.send_text)
        self._tasks = asyncio.TaskGroup()
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._numbers = itertools.count(1)
        self._initialised = False
        self._acknowledged = False

    async def run(self) -> None:
        """Runs until somebody ends it: raises an exception group whose first exception says who and why."""
        async with self._tasks:
            self._tasks.create_task(self._outgoing.run())
            self._tasks.create_task(self._expect_init())
            while True:
                frame = await self._websocket.receive()
                if frame["type"] == "websocket.disconnect":
                    raise WebSocketDisconnect(frame.get("code", 1005))
                await self._handle(protocol.parse(dict(frame)))

    async def _handle(self, message: protocol.ClientMessage) -> None:
        match message:
            case Init():
                await self._init(message)
            case Ping():
                await self._outgoing.put(protocol.pong(message.payload))
            case Pong():
                pass
            case Subscribe():
                await self._subscribe(message)
            case Complete():
                # Not known: it has just completed by itself, and the two messages have crossed.
                if (operation := self._operations.pop(message.id, None)) is not None:
                    operation.cancel()
            case _:
                assert_never(message)

    async def _expect_init(self) -> None:
        await asyncio.sleep(self._runtime.settings.socket_init_timeout_s)
        if not self._initialised:
            raise Closing(CloseCode.INIT_TIMEOUT, "Connection initialisation timeout")

    async def _init(self, message: Init) -> None:
        if self._initialised:
            raise Closing(CloseCode.TOO_MANY_INITS, "Too many initialisation requests")
        self._initialised = True
        authorization = (message.payload or {}).get("authorization")
        viewer = await self._authenticate(authorization)
        if viewer is not None:
            watching = asyncio.Event()
            self._tasks.create_task(self._watch(viewer, watching))
            await watching.wait()
            # The session may have been ended before anybody watched it.
            if await self._authenticate(authorization) is None:
                raise _forbidden()
        self._caller = msgspec.structs.replace(self._caller, viewer=viewer)
        self._acknowledged = True
        await self._outgoing.put(protocol.ACK)

    async def _authenticate(self, authorization: object) -> Viewer | None:
        """The viewer by the token of the payload, else by the handshake's; None: nobody."""
        if authorization is None:
            if self._caller.viewer is None:
                return None
            try:
                return (await self._callers.identify(self._websocket, self._caller.request_id)).viewer
            except Refused as refused:
                raise _closing(refused) from refused
        scheme, _, token = authorization.partition(" ") if isinstance(authorization, str) else ("", "", "")
        if scheme.lower() != "bearer":
            raise _forbidden()
        try:
            viewer = await self._callers.authenticated(token.strip(), self._caller.client)
        except Refused as refused:
            raise _closing(refused) from refused
        if viewer is None:
            raise _forbidden()
        return viewer

    async def _watch(self, viewer: Viewer, watching: asyncio.Event) -> None:
        raise Closing(CloseCode.FORBIDDEN, await wait_for_end(self._runtime.hub, viewer, watching=watching))

    async def _subscribe(self, message: Subscribe) -> None:
        if not self._acknowledged:
            raise Closing(CloseCode.UNAUTHORIZED, "Unauthorized")
        if message.id in self._operations:
            raise Closing(CloseCode.SUBSCRIBER_EXISTS, f"Subscriber for {message.id} already exists")
        caller = msgspec.structs.replace(self._caller, request_id=f"{self._caller.request_id}.{next(self._numbers)}")
        limit = self._runtime.settings.socket_subscription_limit
        if len(self._operations) >= limit:
            self._runtime.metrics.refused()
            text = f"This socket has {limit} operations open already: complete one, or open another socket."
            errors = error_body(text, Code.RATE_LIMITED, caller.request_id)["errors"]
            await self._outgoing.put(protocol.error(message.id, errors))
            return
        prepared = self._prepare(message, caller)
        if isinstance(prepared, Response):
            self._runtime.metrics.refused()
            await self._outgoing.put(protocol.error(message.id, prepared.errors))
            return
        task = self._tasks.create_task(self._operate(message.id, prepared, caller))
        self._operations[message.id] = task
        task.add_done_callback(lambda done: self._forget(message.id, done))

    def _forget(self, operation_id: str, task: asyncio.Task[None]) -> None:
        # A client that completes an operation may use its id again at once.
        if self._operations.get(operation_id) is task:
            del self._operations[operation_id]

    def _prepare(self, message: Subscribe, caller: Caller) -> Prepared | Response:
        params = message.payload.params()
        allowed = caller.viewer is not None or self._runtime.settings.introspection_for_anonymous
        prepared = self._runtime.engine.prepare(
            params.query, params.operation_name, params.variables, introspection_allowed=allowed
        )
        return Response.refused(prepared, caller.request_id) if isinstance(prepared, list) else prepared

    async def _operate(self, operation_id: str, prepared: Prepared, caller: Caller) -> None:
        engine, metrics = self._runtime.engine, self._runtime.metrics
        context = self._runtime.new_context(caller)
        if prepared.kind is not OperationType.SUBSCRIPTION:
            began = time.perf_counter()
            response = await engine.execute(prepared, context)
            metrics.executed(prepared, response, time.perf_counter() - began)
            await self._outgoing.put(protocol.next_(operation_id, response.body()))
        else:
            with metrics.streams.track_inprogress():
                async with contextlib.aclosing(engine.subscribe(prepared, context)) as responses:
                    async for response in responses:
                        if not response.executed:
                            await self._outgoing.put(protocol.error(operation_id, response.errors))
                            return
                        await self._outgoing.put(protocol.next_(operation_id, response.body()))
        # From here on the id is free, also for a client that answers our `complete` before we have looked again.
        self._operations.pop(operation_id, None)
        await self._outgoing.put(protocol.complete(operation_id))


def _forbidden() -> Closing:
    return Closing(CloseCode.FORBIDDEN, "Forbidden")


def _closing(refused: Refused) -> Closing:
    code = CloseCode.TRY_AGAIN_LATER if refused.code is Code.MAINTENANCE else CloseCode.FORBIDDEN
    return Closing(code, refused.message)
