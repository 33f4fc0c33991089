"""A server that does nothing but send frames made beforehand: what the client alone can take.

`python -m bench.fanout.blaster` listens on PORT, expects BENCH_SOCKETS of them, and then repeats: reads a count of
events from standard input, sends each to every socket, and answers with the times at which it began each.
"""

import json
import os
import socket
import sys
import time

from bench.fanout import wire


def accept(listening: socket.socket) -> tuple[socket.socket, str]:
    """One socket, up to its subscription; returns that one's id."""
    connection, _ = listening.accept()
    received = _until(connection, b"", b"\r\n\r\n")
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    received = _until(connection, received.partition(b"\r\n\r\n")[2], b"connection_init")
    connection.sendall(wire.server_frame(b'{"type":"connection_ack"}'))
    received = _until(connection, b"", b'"ping"}')
    connection.sendall(wire.server_frame(b'{"type":"pong"}'))
    return connection, received.partition(b'"id": "')[2][:36].decode()


def _until(connection: socket.socket, received: bytes, mark: bytes) -> bytes:
    while mark not in received:
        received += connection.recv(65_536)
    return received


def main() -> None:
    """Accepts, then sends whatever is asked for."""
    marks: list[str] = json.loads(sys.stdin.readline())
    listening = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=2048)
    sys.stdout.write("{}\n")
    sys.stdout.flush()
    sockets = [accept(listening) for _ in range(int(os.environ["BENCH_SOCKETS"]))]
    number = 0
    for line in sys.stdin:
        begun = []
        for _ in range(int(line)):
            begun.append(time.monotonic())
            event = {"blocks": {"cursor": f"{number:048}", "block": {"height": number, "hash": marks[number]}}}
            rest = '","type":"next","payload":{"data":' + json.dumps(event, separators=(",", ":")) + "}}"
            for connection, id in sockets:
                connection.sendall(wire.server_frame(f'{{"id":"{id}{rest}'.encode()))
            number += 1
        sys.stdout.write(json.dumps(begun) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
