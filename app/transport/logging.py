"""Logs: one structured line for each event, for people or for machines, of ours and of every library.

Logging never fails a request: errors of a line, or of where it is written, are not raised to the caller.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from app.kit.log_writer import LogWriter
from app.settings import Settings

_TALKATIVE = ("uvicorn", "uvicorn.error", "uvicorn.access", "pgqueuer", "alembic", "asyncio", "httpx")


def configure_logging(settings: Settings) -> None:
    """Sends everything to standard error in one form. Call once, before the first line is logged."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    writer = LogWriter(sys.stderr, _lost)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderers = _renderers(settings)
    structlog.configure(
        processors=[*shared, *renderers],
        wrapper_class=_unfailing(structlog.make_filtering_bound_logger(level), writer),
        logger_factory=structlog.WriteLoggerFactory(writer),  # type: ignore[arg-type]  # as much of a file as it needs
        cache_logger_on_first_use=True,
    )
    handler = _Handler(writer)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(capture=True)
    for name in _TALKATIVE:
        # They log every start and every job, which is not needed here.
        logging.getLogger(name).setLevel(max(level, logging.WARNING) if level > logging.DEBUG else level)


def _unfailing(logger: type[Any], writer: LogWriter) -> type[Any]:
    """The same logger, but one that raises nothing."""

    class Unfailing(logger):  # type: ignore[misc]  # made at run time
        def _proxy_to_logger(self, method_name: str, event: str | None = None, *args: Any, **fields: Any) -> Any:
            try:
                return super()._proxy_to_logger(method_name, event, *args, **fields)
            except Exception as error:
                writer.write(_line("log.unwritable", "error", about=_about(event), error=type(error).__name__))

    return Unfailing


class _Handler(logging.Handler):
    """What the standard library logs."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._writer.write(self.format(record) + "\n")
        except Exception as error:
            about = _about(record.msg)
            self._writer.write(_line("log.unwritable", "error", about=about, error=type(error).__name__))


def _about(message: object) -> str:
    return repr(message)[:200] if isinstance(message, str) else type(message).__name__


def _lost(count: int) -> str:
    return _line("log.lost", "warning", lines=count)


def _line(event: str, level: str, **fields: object) -> str:
    """A line that is formatted without anything that can fail."""
    now = datetime.now(UTC).isoformat()
    return _to_json({"event": event, "level": level, "timestamp": now, **fields}) + "\n"


def _renderers(settings: Settings) -> list[Processor]:
    if settings.log_format == "console":
        # Plain tracebacks: the pretty ones print local variables, and those hold passwords.
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_to_json)]


def _to_json(event: EventDict, **_: Any) -> str:
    try:
        return msgspec.json.encode(event, enc_hook=str).decode()
    except ValueError:
        # Half of a surrogate pair, as clients send them. It is escaped here.
        return json.dumps(event, default=str)


def _logger_name(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event["logger"] = record.name
    return event
