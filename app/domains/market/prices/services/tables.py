"""Reading tables from CSV and Parquet files in batches."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from app.domains.market.prices.rules.imports import REQUIRED
from app.kit.errors import InvalidInput

Row: TypeAlias = tuple[int, dict[Any, Any]]
"""The line in a CSV file, or the number of the row in a Parquet file, from 1; and the values by column."""

Progress: TypeAlias = Callable[[int, int], None]
"""How much of the file was read, and its size."""

PARQUET = {".parquet", ".pq"}
_BATCH = 10_000


def rows_of(path: Path, progress: Progress) -> Iterator[Row]:
    """Yields every row. Raises InvalidInput if the file cannot be read, or is not such a table."""
    try:
        yield from (_parquet if path.suffix.lower() in PARQUET else _csv)(path, progress)
    except OSError as error:
        raise InvalidInput("file", f"{path} cannot be read: {error.strerror or error}") from error


def _csv(path: Path, progress: Progress) -> Iterator[Row]:
    size = path.stat().st_size
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
        reader = csv.DictReader(text, strict=True)
        try:
            _require(path, reader.fieldnames or ())
            for count, row in enumerate(reader):
                if not count % _BATCH:
                    progress(raw.tell(), size)
                yield reader.line_num, row
        except (csv.Error, UnicodeDecodeError) as error:
            raise InvalidInput("file", f"{path}, after line {reader.line_num}: {error}") from error
    progress(size, size)


def _parquet(path: Path, progress: Progress) -> Iterator[Row]:
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            columns = [name for name in file.schema_arrow.names if isinstance(name, str)]
            _require(path, columns)
            number, total = 0, file.metadata.num_rows
            for batch in file.iter_batches(_BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
                progress(number, total)
    except pyarrow.ArrowException as error:
        raise InvalidInput("file", f"{path}: {error}") from error


def _require(path: Path, columns: Any) -> None:
    if missing := [name for name in REQUIRED if name not in columns]:
        raise InvalidInput("file", f"{path} has no column {', '.join(missing)}.")
