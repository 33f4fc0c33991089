"""The files of what happened long ago: for each month a folder with a manifest, and the files that it names.

A file is written under another name, flushed to the disk, read back, and only then given its name, which has the
beginning of its digest. The manifest replaces the one before in one step. So whenever a process is killed, a manifest
names files that are whole, and what no manifest names is removed later.
"""

import gzip
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from app.domains.campaigns.analytics.model import (
    SCHEMA_VERSION,
    ArchivedEvent,
    ArchiveFile,
    ArchiveVerdict,
    Fingerprint,
    Manifest,
)

MANIFEST: Final = "manifest.json"
MAX_FILE_EVENTS: Final = 1_000_000
_PARTIAL: Final = ".partial"
_LEVEL: Final = 6
_CHUNK: Final = 1 << 20


class ArchiveDamaged(Exception):
    """A file is not what was written."""


class FileWriter:
    """A file that is being written."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder, self._number = folder, number
        self._path = folder / f"{number:04d}{_PARTIAL}"
        self._raw = self._path.open("wb")
        # Without a name and a time in it, the same events are the same file.
        self._file = gzip.GzipFile("", "wb", _LEVEL, self._raw, mtime=0)
        self._content = hashlib.sha256()
        self.events = 0

    def write(self, events: Iterable[ArchivedEvent]) -> None:
        """Adds events."""
        lines = [msgspec.json.encode(each) + b"\n" for each in events]
        text = b"".join(lines)
        self._content.update(text)
        self._file.write(text)
        self.events += len(lines)

    def finish(self) -> ArchiveFile:
        """Closes the file, reads it back and gives it its name. Raises ArchiveDamaged."""
        self._file.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()
        digest, content, events = _read(self._path)
        if (content, events) != (self._content.hexdigest(), self.events):
            raise ArchiveDamaged(f"{self._path} is not what was written")
        name = f"{self._number:04d}-{digest[:12]}.jsonl.gz"
        size = self._path.stat().st_size
        self._path.replace(self._folder / name)
        return ArchiveFile(name, events, size, digest)

    def abandon(self) -> None:
        """Closes the file, which nothing names."""
        self._file.close()
        self._raw.close()


@dataclass(frozen=True)
class ArchiveFolder:
    """Where archives lie."""

    root: Path
    file_events: int = MAX_FILE_EVENTS
    """How many events there are in a file."""

    def months(self) -> list[date]:
        """The months that have a manifest, in order."""
        return sorted(date.fromisoformat(f"{path.parent.name}-01") for path in self.root.glob(f"????-??/{MANIFEST}"))

    def manifest(self, month: date) -> Manifest | None:
        """What the archive of a month is; None: there is none. Raises ArchiveDamaged."""
        path = self._folder(month) / MANIFEST
        try:
            return msgspec.json.decode(path.read_bytes(), type=Manifest)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            raise ArchiveDamaged(f"{path} cannot be read: {error}") from error

    def begin(self, month: date, number: int) -> FileWriter:
        """A file of the month."""
        folder = self._folder(month)
        folder.mkdir(parents=True, exist_ok=True)
        return FileWriter(folder, number)

    def publish(self, month: date, files: Iterable[ArchiveFile], found: Fingerprint) -> Manifest:
        """Makes these files the archive of a month, in place of what was there."""
        named = tuple(files)
        manifest = Manifest(
            month=month,
            schema_version=SCHEMA_VERSION,
            events=sum(each.events for each in named),
            fingerprint=found.value,
            first_at=found.first_at,
            last_at=found.last_at,
            files=named,
        )
        folder = self._folder(month)
        folder.mkdir(parents=True, exist_ok=True)
        _sync(folder)
        partial = folder / f"{MANIFEST}{_PARTIAL}"
        with partial.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / MANIFEST)
        _sync(folder)
        _sync(self.root)
        self.clean(manifest)
        return manifest

    def clean(self, manifest: Manifest) -> None:
        """Removes what the manifest of a month does not name: what was replaced, or never finished."""
        kept = {MANIFEST, *(each.name for each in manifest.files)}
        for path in self._folder(manifest.month).iterdir():
            if path.name not in kept:
                path.unlink()

    def check(self, month: date) -> ArchiveVerdict:
        """Reads every file of a month, and compares it with the manifest."""
        name = f"{month:%Y-%m}"
        try:
            manifest = self.manifest(month)
            if manifest is None:
                return ArchiveVerdict(name, 0, "there is no manifest")
            for each in manifest.files:
                self._check_file(month, each)
            counted = sum(each.events for each in manifest.files)
            if counted != manifest.events:
                raise ArchiveDamaged(f"the manifest names {manifest.events} events, and its files have {counted}")
        except (ArchiveDamaged, OSError) as error:
            return ArchiveVerdict(name, 0, str(error))
        return ArchiveVerdict(name, manifest.events, None)

    def events(self, month: date) -> Iterator[ArchivedEvent]:
        """The events of a month, by their IDs. Raises ArchiveDamaged."""
        decoder = msgspec.json.Decoder(ArchivedEvent)
        return (decoder.decode(line) for line in self.lines(month))

    def lines(self, month: date) -> Iterator[bytes]:
        """The events of a month as JSON, each a line. Raises ArchiveDamaged, before the first line of a file."""
        manifest = self.manifest(month)
        if manifest is None:
            raise ArchiveDamaged(f"There is no archive of {month:%Y-%m} in {self.root}")
        for each in manifest.files:
            self._check_file(month, each)
            with gzip.open(self._folder(month) / each.name, "rb") as file:
                yield from file

    def _check_file(self, month: date, file: ArchiveFile) -> None:
        digest, _, events = _read(self._folder(month) / file.name)
        if (digest, events) != (file.sha256, file.events):
            raise ArchiveDamaged(f"{file.name} is not what the manifest says")

    def _folder(self, month: date) -> Path:
        return self.root / f"{month:%Y-%m}"


def _read(path: Path) -> tuple[str, str, int]:
    """The digest of a file, that of its content, and the number of its lines. Raises ArchiveDamaged."""
    digest, content, events = hashlib.sha256(), hashlib.sha256(), 0
    with path.open("rb") as raw:
        while chunk := raw.read(_CHUNK):
            digest.update(chunk)
    try:
        with gzip.open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                content.update(chunk)
                events += chunk.count(b"\n")
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        raise ArchiveDamaged(f"{path.name} cannot be read: {error}") from error
    return digest.hexdigest(), content.hexdigest(), events


def _sync(folder: Path) -> None:
    """What was renamed in it is so after a loss of power as well."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
