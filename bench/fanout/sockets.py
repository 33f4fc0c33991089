"""Thousands of WebSockets on one epoll.

Every frame is compared: its subscription id with the socket's, all the rest with what other sockets were sent for the
same event, and the event's number with the one that the socket must get next. What is equal is not parsed again.
"""

import re
import select
import socket
import time
from array import array
from collections.abc import Callable
from typing import Final
from uuid import uuid4

import msgspec

from bench.fanout import wire
from bench.fanout.messages import Open

RECEIVE_BYTES: Final = 32_768
NAP_S: Final = 0.001
RETRY_S: Final = 0.05
TIMED: Final = 10
"""Where all sockets get all events, one in this many is read all the time, and timed. The others are read every
UNTIMED_S, or they would take up the core that the event's way to the server needs as well."""
UNTIMED_S: Final = 0.05
NEVER: Final = -1
_SOCKETS_PER_ADDRESS: Final = 1_000
_ID_CHARS: Final = 36
_HASH: Final = re.compile(rb'"hash": ?"([0-9a-f]{64})"')
_CURSOR: Final = re.compile(rb'"cursor": ?"([^"]+)"')

_CONNECTING, _UPGRADING, _INITIALISING, _SUBSCRIBING, _SUBSCRIBED = range(5)


class _Control(msgspec.Struct):
    type: str
    id: str = ""
    payload: object = None


_decode: Final = msgspec.json.Decoder(_Control).decode


class Peer:
    """One socket and what it must receive next."""

    __slots__ = ("connection", "id", "index", "next", "place", "receive", "rest", "stage", "timed")

    connection: socket.socket
    receive: Callable[[int], bytes]

    def __init__(self, index: int, *, timed: bool) -> None:
        self.index = index
        self.timed = timed
        self.id = b""
        self.next = NEVER
        self.place = 0
        """Where the id begins in a frame's body; 0: no event was seen yet."""
        self.rest = b""
        self.stage = _CONNECTING


class Sockets:
    """The sockets, and what they have received since `begin`."""

    def __init__(self) -> None:
        self.poll = select.epoll()
        self._untimed = select.epoll()
        self._untimed_at = 0.0
        self.all: list[Peer] = []
        self.opened = 0
        """Subscribed at this moment."""
        self.opened_at = 0.0
        """When the newest of them was."""
        self.refused = self.lost = self.faults = self.frame_bytes = 0
        self.first_fault = ""
        self.failure = ""
        """Why it makes no sense to go on."""
        self.numbers = array("q")
        """Which event each delivery was of."""
        self.at, self.timed = array("d"), array("q")
        """Of each delivery to a timed socket: when, and which event."""
        self._plan: Open | None = None
        self._peers: dict[int, Peer] = {}
        self._waiting: list[Peer] = []
        self._making = 0
        self._retry_at = 0.0
        self._marks: dict[bytes, int] = {}
        self._known: dict[bytes, int] = {}
        self._cursors: dict[int, str] = {}
        self._step = 1

    def begin(self) -> None:
        """Forgets the deliveries so far."""
        self.numbers, self.at, self.timed = array("q"), array("d"), array("q")

    def open(self, plan: Open) -> None:
        """Opens sockets while `receive` is called."""
        self._marks = {mark.encode(): number for number, mark in enumerate(plan.marks)}
        self._plan = plan
        self._step = plan.sockets if plan.own_streams else 1
        every = 1 if plan.own_streams else TIMED
        added = [
            Peer(number, timed=number % every == 0) for number in range(len(self.all), len(self.all) + plan.sockets)
        ]
        self.all += added
        self._waiting += reversed(added)

    def receive(self, timeout_s: float, orders: int = -1) -> bool:
        """One round of what there is to receive; true when an order waits."""
        if self._waiting:
            self._connect()
            timeout_s = min(timeout_s, RETRY_S)
        found = False
        monotonic, peers = time.monotonic, self._peers
        ready = self.poll.poll(0, 1024)
        if monotonic() >= self._untimed_at:
            ready += self._untimed.poll(0, len(self.all) + 1)
            self._untimed_at = monotonic() + UNTIMED_S
        if not ready:
            # Not in the poll: there, the first of a thousand frames would wake us, and the server would pay for it.
            time.sleep(min(timeout_s, NAP_S))
        for descriptor, mask in ready:
            if descriptor == orders:
                found = True
                continue
            peer = peers[descriptor]
            if peer.stage == _CONNECTING:
                self._connected(peer, mask)
                continue
            try:
                data = peer.receive(RECEIVE_BYTES)
            except OSError:
                data = b""
            if not data:
                self._ended(peer)
            elif peer.stage == _UPGRADING:
                self._upgraded(peer, data)
            else:
                self._read(peer, data, monotonic())
        return found

    def _read(self, peer: Peer, data: bytes, now: float) -> None:
        """Every whole frame of `data`; most hold an event that another socket has had as well."""
        if peer.rest:
            data = peer.rest + data
            peer.rest = b""
        start, end, known, place = 0, len(data), self._known, peer.place
        while start < end:
            if end - start > 4 and data[start] == wire.TEXT and data[start + 1] == 126:
                body = start + 4
                stop = body + (data[start + 2] << 8 | data[start + 3])
            else:
                body, stop = wire.bounds(data, start)
            if not body or stop > end:
                peer.rest = data[start:]
                return
            number = known.get(data[body + place + _ID_CHARS : stop], NEVER) if place else NEVER
            if number == NEVER or not data.startswith(peer.id, body + place):
                number = self._other(peer, data[start], data[body:stop])
                place = peer.place
            if number >= 0:
                if number != peer.next:
                    self._unexpected(peer, number)
                peer.next = number + self._step
                self.numbers.append(number)
                if peer.timed:
                    self.at.append(now)
                    self.timed.append(number)
                self.frame_bytes = stop - start
            start = stop

    def _unexpected(self, peer: Peer, number: int) -> None:
        if peer.next != NEVER:
            self._fault(f"socket {peer.index} got event {number} instead of {peer.next}")

    def _other(self, peer: Peer, kind: int, body: bytes) -> int:
        """An event that is new to all sockets: its number. Anything else: done, -1."""
        if kind == wire.PING:
            self._send(peer, wire.frame(wire.PONG, body))
        elif kind == wire.TEXT:
            message = _decode(body)
            if message.type == "next":
                return self._event(peer, body)
            self._control(peer, message)
        return NEVER

    def _event(self, peer: Peer, body: bytes) -> int:
        found = _HASH.search(body)
        mark = self._marks.get(found[1]) if found else None
        place = body.find(peer.id)
        if mark is None or place < 0:
            self._fault(f"socket {peer.index} got {body[:300].decode(errors='replace')}")
            return NEVER
        plan = self._plan
        assert plan is not None
        expected = plan.next_number if peer.next == NEVER else peer.next
        number = expected + (mark - expected) % len(self._marks)
        self._known[body[place + _ID_CHARS :]] = number
        if cursor := _CURSOR.search(body):
            self._cursors[number] = cursor[1].decode()
        peer.place = place
        return number

    def _control(self, peer: Peer, message: _Control) -> None:
        match message.type:
            case "connection_ack":
                self._subscribe(peer)
            case "pong":
                if peer.stage == _SUBSCRIBING:
                    peer.stage = _SUBSCRIBED
                    self.opened += 1
                    self._making -= 1
                    self.opened_at = time.monotonic()
                    if not peer.timed:
                        self.poll.unregister(peer.connection)
                        self._untimed.register(peer.connection, select.EPOLLIN)
            case "ping":
                self._send(peer, wire.message(type="pong"))
            case _:
                self.failure = self.failure or f"{message.type}: {message.payload}"
                self._fault(f"socket {peer.index}: {message.type}: {message.payload}")

    def _connect(self) -> None:
        plan = self._plan
        assert plan is not None
        if time.monotonic() < self._retry_at:
            return
        while self._waiting and self._making < plan.in_flight:
            peer = self._waiting.pop()
            connection = socket.socket()
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Several addresses: one has not ports enough for all that may wait in TIME_WAIT.
            connection.bind((f"127.0.0.{2 + peer.index // _SOCKETS_PER_ADDRESS}", 0))
            connection.connect_ex(("127.0.0.1", plan.port))
            peer.connection, peer.receive, peer.stage = connection, connection.recv, _CONNECTING
            peer.rest = b""
            self._making += 1
            self._peers[connection.fileno()] = peer
            self.poll.register(connection, select.EPOLLIN | select.EPOLLOUT)

    def _connected(self, peer: Peer, mask: int) -> None:
        if mask & (select.EPOLLERR | select.EPOLLHUP):
            self._ended(peer)
            return
        plan = self._plan
        assert plan is not None
        self.poll.modify(peer.connection, select.EPOLLIN)
        peer.stage = _UPGRADING
        self._send(peer, wire.handshake("127.0.0.1", plan.port))

    def _upgraded(self, peer: Peer, data: bytes) -> None:
        head, separator, rest = (peer.rest + data).partition(b"\r\n\r\n")
        if not separator:
            peer.rest = head
            return
        peer.rest = b""
        if b" 101 " not in head.partition(b"\r\n")[0]:
            self._ended(peer)
            return
        peer.stage = _INITIALISING
        plan = self._plan
        assert plan is not None
        payload = {"authorization": f"Bearer {plan.tokens[peer.index % len(plan.tokens)]}"} if plan.tokens else {}
        self._send(peer, wire.message(type="connection_init", payload=payload))
        if rest:
            self._read(peer, rest, time.monotonic())

    def _subscribe(self, peer: Peer) -> None:
        plan = self._plan
        assert plan is not None
        peer.id = str(uuid4()).encode()
        peer.stage = _SUBSCRIBING
        payload: dict[str, object] = {"query": plan.document}
        if peer.next != NEVER and plan.resume:
            payload["variables"] = {"after": self._cursors[peer.next - self._step]}
        subscribe = wire.message(id=peer.id.decode(), type="subscribe", payload=payload)
        # The server reads one message after the other: its pong says that it has read the one before.
        self._send(peer, subscribe + wire.message(type="ping"))

    def _send(self, peer: Peer, data: bytes) -> None:
        try:
            if peer.connection.send(data) != len(data):
                raise RuntimeError("the server does not read")
        except OSError:
            # It is gone; the poll says so as well.
            return

    def _ended(self, peer: Peer) -> None:
        descriptor = peer.connection.fileno()
        poll = self.poll if peer.timed or peer.stage != _SUBSCRIBED else self._untimed
        poll.unregister(descriptor)
        del self._peers[descriptor]
        peer.connection.close()
        if peer.stage == _SUBSCRIBED:
            self.opened -= 1
            self.lost += 1
            if self._plan is None or not self._plan.resume:
                self.failure = self.failure or f"socket {peer.index} was closed"
                self._fault(self.failure)
                return
        else:
            self._making -= 1
            self.refused += 1
            self._retry_at = time.monotonic() + RETRY_S
        self._waiting.append(peer)

    def _fault(self, text: str) -> None:
        self.faults += 1
        self.first_fault = self.first_fault or text
