"""Lines reach their descriptor whole and in order, and their writer never fails and never waits."""

import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.kit.log_writer import LogWriter

PATIENCE_S = 30.0
ROOT = Path(__file__).resolve().parents[2]


def lost(count: int) -> str:
    return f"lost {count}\n"


class Pipe:
    """A pipe whose reader a test plays."""

    def __init__(self) -> None:
        self.reader, writer = os.pipe()
        self.stream = os.fdopen(writer, "w")

    def read(self, count: int) -> bytes:
        """So many bytes, however long they take to come."""
        data = b""
        while len(data) < count:
            data += os.read(self.reader, count - len(data))
        return data

    def fill(self) -> int:
        """Leaves no room; returns how much was written."""
        number, written = self.stream.fileno(), 0
        os.set_blocking(number, False)
        try:
            while True:
                written += os.write(number, bytes(4096))
        except BlockingIOError:
            os.set_blocking(number, True)
        return written

    def close(self) -> None:
        self.stream.close()
        os.close(self.reader)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


def test_lines_arrive_whole_and_in_order(pipe: Pipe) -> None:
    writer = LogWriter(pipe.stream, lost)
    writers = [
        threading.Thread(target=lambda name=name: [writer.write(f"{name} {n} é\n") for n in range(200)])
        for name in "ab"
    ]
    for thread in writers:
        thread.start()
    expected = {name: [f"{name} {n} é" for n in range(200)] for name in "ab"}
    count = sum(len(f"{line}\n".encode()) for lines in expected.values() for line in lines)
    lines = pipe.read(count).decode().splitlines()
    assert {name: [line for line in lines if line.startswith(name)] for name in "ab"} == expected
    assert writer.drain(PATIENCE_S)


def test_half_of_a_pair_is_escaped(pipe: Pipe) -> None:
    writer = LogWriter(pipe.stream, lost)
    writer.write("a\ud800\n")
    assert pipe.read(8) == b"a\\ud800\n"


def test_a_reader_that_has_stopped_holds_nobody_up_and_is_told_what_it_missed(pipe: Pipe) -> None:
    filled = pipe.fill()
    writer = LogWriter(pipe.stream, lost, limit_bytes=100)
    writer.write("first\n")
    line = "x" * 9 + "\n"
    for _ in range(1000):
        writer.write(line)
    assert not writer.drain(0.0)
    pipe.read(filled)
    assert writer.drain(PATIENCE_S)
    writer.write("last\n")
    assert writer.drain(PATIENCE_S)
    output = b""
    while not output.endswith(b"last\n"):
        output += os.read(pipe.reader, 65536)
    lines = output.decode().splitlines()
    assert (lines[0], lines[-1]) == ("first", "last")
    heard = lines.count(line.strip())
    # As many as there is room for, once or twice: the thread may have taken some of them before the rest came.
    assert 9 <= heard <= 20
    assert sum(int(each.split()[1]) for each in lines if each.startswith("lost")) == 1000 - heard


def test_a_full_disk_is_borne_and_what_it_cost_is_told_when_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w") as stream, Path("/dev/full").open("w") as full:
        writer = LogWriter(full, lost)
        for _ in range(3):
            writer.write("into the void\n")
        assert writer.drain(PATIENCE_S)
        assert writer._descriptor is not None
        os.dup2(stream.fileno(), writer._descriptor)
        writer.write("heard\n")
        assert writer.drain(PATIENCE_S)
        assert path.read_text() == "lost 3\nheard\n"


def test_a_line_that_was_cut_off_does_not_swallow_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, written = tmp_path / "log", 0
    write = os.write

    def nearly_full(number: int, data: bytes) -> int:
        nonlocal written
        if written >= 4:
            raise OSError(28, "No space left on device")
        written += write(number, data[: 4 - written])
        return 4

    with path.open("w") as stream:
        writer = LogWriter(stream, lost)
        monkeypatch.setattr(os, "write", nearly_full)
        writer.write("cut off\n")
        assert writer.drain(PATIENCE_S)
        monkeypatch.setattr(os, "write", write)
        writer.write("whole\n")
        assert writer.drain(PATIENCE_S)
        assert path.read_text() == "cut \nlost 1\nwhole\n"


def test_a_dead_reader_is_borne(pipe: Pipe) -> None:
    os.close(pipe.reader)
    pipe.reader = os.open(os.devnull, os.O_RDONLY)
    writer = LogWriter(pipe.stream, lost)
    for _ in range(100):
        assert writer.write("to nobody\n") == len("to nobody\n")
    assert writer.drain(PATIENCE_S)


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_without_a_descriptor_lines_go_nowhere(stream: io.StringIO | None) -> None:
    writer = LogWriter(stream, lost)
    assert writer.write("x\n") == 2
    writer.flush()
    assert writer.drain(0.0)


def test_the_descriptor_of_a_closed_stream_is_not_written_to(tmp_path: Path) -> None:
    stream = (tmp_path / "log").open("w")
    writer, number = LogWriter(stream, lost), stream.fileno()
    stream.close()
    with (tmp_path / "precious").open("w") as precious:
        assert precious.fileno() == number
        writer.write("a line\n")
        assert writer.drain(PATIENCE_S)
    assert (tmp_path / "precious").read_text() == ""
    assert (tmp_path / "log").read_text() == "a line\n"


@pytest.mark.parametrize("where", ["/dev/full", None])
def test_a_verb_says_what_it_can_and_ends_as_it_would(where: str | None) -> None:
    """`where` its standard error is; null: a pipe that nobody reads any more."""
    if where is None:
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open(where, os.O_WRONLY)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "app", "export-schema"], cwd=ROOT, stdout=subprocess.PIPE, stderr=writer, check=False
        )
        assert ended.returncode == 0
        assert ended.stdout == (ROOT / "schema.graphql").read_bytes()
        wrong = {**os.environ, "MONETA_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
        ended = subprocess.run(
            [sys.executable, "-m", "app", "migrate"], cwd=ROOT, env=wrong, stderr=writer, check=False
        )
        assert ended.returncode == 1
    finally:
        os.close(writer)


def test_a_schema_that_cannot_be_written_fails() -> None:
    """What a verb is for must arrive: only what is said beside it may be lost."""
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run([sys.executable, "-m", "app", "export-schema"], cwd=ROOT, stdout=full, check=False)
    assert ended.returncode != 0
