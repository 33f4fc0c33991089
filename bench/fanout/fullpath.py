"""Every socket sees every event: the whole path of Moneta, beside stock Strawberry and graphql-ws on Node."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from rich.progress import Progress

from app.dev.processes import free_port
from bench.fanout.children import child, publisher
from bench.fanout.messages import Begin, Begun, Open, Opened, Outcome, Settle
from bench.fanout.runs import DOCUMENT, PEER_DOCUMENT, Audience, Run, audience, highest
from bench.fanout.stage import CHANNEL, Size, Stage
from bench.machine import SERVER_CORE
from bench.servers import Server, Target, moneta_server, serving

MONETA: Final = "Moneta"
NODE: Final = "graphql-ws on Node"
STOCK: Final = "stock Strawberry"
NODE_FOLDER: Final = Path(__file__).parents[1] / "node"
# Deliveries a second to begin the search with: what DESIGN section 9 has.
FIRST_GUESS: Final = {MONETA: 80_000, NODE: 30_000, STOCK: 5_000}


class FullPath(msgspec.Struct, frozen=True):
    """The runs of each server at the highest rate that it sustains, those of Moneta at the target, and the client's."""

    highest: dict[str, list[Run]]
    at_target: list[Run]
    alike: dict[str, list[Run]]
    """The runs of each server at one rate, for the servers that sustain it: the latencies side by side."""
    client_alone_per_s: float
    client_alone_cpu: float
    absent: list[str]
    """Servers that this machine cannot run, and why."""


def measure(stage: Stage, size: Size, progress: Progress) -> FullPath:
    """The servers take turns, so that other load on the machine affects all of them."""
    alone, alone_cpu = client_alone(stage.blocks.marks, size)
    found: dict[str, list[Run]] = {}
    at_target: list[Run] = []
    alike: dict[str, list[Run]] = {}
    absent = install_node()
    with ExitStack() as stack:
        moneta = stack.enter_context(serving(moneta_server(stage.database_url, stage.redis_url, stage.environment)))
        peers = [stack.enter_context(stock(stage.redis_url))]
        if not absent:
            peers.append(stack.enter_context(node(stage.redis_url)))
        publish = stack.enter_context(publisher(stage.blocks))
        task = progress.add_task(f"Full path, {size.sockets:,} sockets", total=size.rounds * (len(peers) + 1))
        for _ in range(size.rounds):
            with audience(moneta, publish, stage.blocks) as listeners:
                listeners.open(size.sockets, stage.tokens)
                frame_bytes = _highest(found, listeners, size).frame_bytes
                at_target.append(listeners.run(size.full_events_per_s, size.seconds))
                alike.setdefault(MONETA, []).append(listeners.run(size.alike_events_per_s, size.seconds))
            progress.advance(task)
            script = stage.ready_events(frame_bytes)
            for peer in peers:
                with publisher(script) as publish_ready, audience(peer, publish_ready, script) as listeners:
                    listeners.open(size.sockets, [], document=PEER_DOCUMENT)
                    sustained = _highest(found, listeners, size).events_per_s
                    if sustained >= size.alike_events_per_s:
                        alike.setdefault(peer.name, []).append(listeners.run(size.alike_events_per_s, size.seconds))
                progress.advance(task)
    return FullPath(found, at_target, alike, alone, alone_cpu, absent)


def _highest(found: dict[str, list[Run]], listeners: Audience, size: Size) -> Run:
    runs = found.setdefault(listeners.target.name, [])
    if runs:
        rate = runs[-1].events_per_s
    elif size.search_s:
        guess = FIRST_GUESS[listeners.target.name] / listeners.sockets
        rate = highest(partial(listeners.run, seconds=size.search_s, quiet=False), guess)
    else:
        rate = size.full_events_per_s
    run = listeners.run(rate, size.seconds)
    while size.search_s and not run.sustained and not run.void:
        rate *= 0.93
        run = listeners.run(rate, size.seconds)
    runs.append(run)
    return run


@contextmanager
def stock(redis_url: str) -> Iterator[Target]:
    """Stock Strawberry (bench/fanout/stock.py)."""
    environment = {"BENCH_REDIS_URL": redis_url, "BENCH_CHANNEL": CHANNEL}
    command = [sys.executable, "-m", "bench.fanout.stock"]
    with serving(Server(STOCK, command, environment, "/graphql?query=%7Bsubscribers%7D")) as target:
        yield target


@contextmanager
def node(redis_url: str) -> Iterator[Target]:
    """graphql-ws on Node (bench/node/fanout.mjs)."""
    environment = {"BENCH_REDIS_URL": redis_url, "BENCH_CHANNEL": CHANNEL, "NODE_ENV": "production"}
    with serving(Server(NODE, ["node", NODE_FOLDER / "fanout.mjs"], environment, "/")) as target:
        yield target


def install_node() -> list[str]:
    """Installs the packages of bench/node where they are missing; returns why that failed."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return [f"{NODE} was left out: there is no Node here."]
    installed, lock = NODE_FOLDER / "node_modules/.package-lock.json", NODE_FOLDER / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        done = subprocess.run(["npm", "ci", "--loglevel=error"], cwd=NODE_FOLDER, capture_output=True, check=False)
        if done.returncode:
            return [f"{NODE} was left out: its packages cannot be installed here."]
    return []


def client_alone(marks: list[str], size: Size) -> tuple[float, float]:
    """Deliveries a second that the client takes from a server that only sends, and the client's share of its core."""
    port = free_port()
    environment = {"PORT": str(port), "BENCH_SOCKETS": str(size.sockets)}
    with (
        child("bench.fanout.blaster", core=SERVER_CORE, **environment) as blaster,
        child("bench.fanout.client") as client,
    ):
        blaster.ask(marks, dict)
        plan = Open(port=port, sockets=size.sockets, in_flight=1, document=DOCUMENT, marks=marks, next_number=0)
        opened = client.ask(plan, Opened)
        if opened.failure:
            raise RuntimeError(opened.failure)
        client.ask(Begin(), Begun)
        begun = blaster.ask(round(100_000 * size.seconds / size.sockets), list[float])
        outcome = client.ask(Settle(0, begun, 30.0), Outcome)
    if outcome.faults or outcome.missing:
        raise RuntimeError(f"the client alone: {outcome.first_fault or f'{outcome.missing} sockets lack events'}")
    return outcome.deliveries / (max(outcome.reached) - begun[0]), outcome.client_cpu
