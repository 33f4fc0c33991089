"""The load client, which is not itself measured: `python -m bench.fanout.client`, orders on standard input.

A process of its own, so that it shares neither an interpreter nor, where there are two, a core with the server.
"""

import gc
import os
import select
import sys
import time
from collections.abc import Callable
from typing import Final

import msgspec

from bench.fanout.messages import Begin, Begun, Cut, Open, Opened, Order, Outcome, Prove, Proved, Settle
from bench.fanout.sockets import NEVER, Sockets

_POLL_S: Final = 0.01


class Client:
    """Carries out one order at a time, and receives all the while."""

    def __init__(self) -> None:
        self._sockets = Sockets()
        self._begin()

    def carry_out(self, order: Order) -> msgspec.Struct:
        """Does it, and says how it went."""
        match order:
            case Open():
                begun = time.monotonic()
                self._sockets.open(order)
                self._receive_until(self._complete, order.patience_s)
                return self._subscribed(begun)
            case Prove():
                self._receive_until(lambda: not self._missing(), order.patience_s)
                return Proved(self._missing(), time.monotonic())
            case Begin():
                self._begin()
                return Begun()
            case Settle():
                return self._settle(order)
            case Cut():
                begun, sockets = time.monotonic(), self._sockets
                self._receive_until(lambda: sockets.lost >= len(sockets.all) and self._complete(), order.patience_s)
                sockets.lost = 0
                return self._subscribed(begun)

    def receive_while_idle(self, orders: int) -> None:
        """Receives until an order waits on this descriptor."""
        self._sockets.poll.register(orders, select.EPOLLIN)
        while not self._sockets.receive(1.0, orders):
            pass
        self._sockets.poll.unregister(orders)

    def _begin(self) -> None:
        self._sockets.begin()
        self._cpu, self._begun = time.process_time(), time.monotonic()

    def _complete(self) -> bool:
        return self._sockets.opened == len(self._sockets.all)

    def _missing(self) -> int:
        return sum(peer.next == NEVER for peer in self._sockets.all)

    def _subscribed(self, begun: float) -> Opened:
        sockets = self._sockets
        failure = sockets.failure
        if not failure and not self._complete():
            failure = f"{len(sockets.all) - sockets.opened} sockets are not subscribed"
        return Opened(begun, sockets.opened_at, sockets.refused, failure)

    def _settle(self, order: Settle) -> Outcome:
        sockets, last = self._sockets, order.first + len(order.committed) - 1
        self._receive_until(lambda: all(peer.next > last for peer in sockets.all), order.patience_s)
        cpu = (time.process_time() - self._cpu) / (time.monotonic() - self._begun)
        latencies, reached = [], [0.0] * len(order.committed)
        for at, number in zip(sockets.at, sockets.timed, strict=True):
            if order.first <= number <= last:
                latencies.append(at - order.committed[number - order.first])
                reached[number - order.first] = at
        latencies.sort()
        count = len(latencies)
        return Outcome(
            deliveries=sum(order.first <= number <= last for number in sockets.numbers),
            reached=reached,
            p50_ms=1000 * latencies[count // 2] if count else 0.0,
            p99_ms=1000 * latencies[count * 99 // 100] if count else 0.0,
            worst_ms=1000 * latencies[-1] if count else 0.0,
            missing=sum(peer.next <= last for peer in sockets.all),
            faults=sockets.faults,
            first_fault=sockets.first_fault,
            frame_bytes=sockets.frame_bytes,
            client_cpu=cpu,
        )

    def _receive_until(self, done: Callable[[], bool], patience_s: float) -> None:
        deadline, look_at = time.monotonic() + patience_s, 0.0
        while (now := time.monotonic()) < deadline:
            if now >= look_at:
                if self._sockets.failure or done():
                    return
                look_at = now + _POLL_S
            self._sockets.receive(_POLL_S)


def main() -> None:
    """Orders in, answers out, one line each."""
    # Nothing here is cyclic, and a collection among 10,000 sockets would be a pause in the measurement.
    gc.disable()
    client, decode, encode = Client(), msgspec.json.Decoder(Order).decode, msgspec.json.encode
    orders = sys.stdin.fileno()
    buffered = b""
    while True:
        while b"\n" not in buffered:
            client.receive_while_idle(orders)
            received = os.read(orders, 1 << 20)
            if not received:
                return
            buffered += received
        line, _, buffered = buffered.partition(b"\n")
        sys.stdout.buffer.write(encode(client.carry_out(decode(line))) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
