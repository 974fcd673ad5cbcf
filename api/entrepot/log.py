"""Logging: lines of key=value, or of JSON, on standard error, from this program and from the libraries below it alike.

Every line that belongs to a request carries the request's id. No line carries a secret (`redaction.py`).
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from entrepot.redaction import hide, hide_named, hide_password, redacted

if TYPE_CHECKING:
    from entrepot.settings import Settings

CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code != ord("\n")}  # the renderer escapes line ends itself
FIRST = ["timestamp", "level", "logger", "request_id", "event"]
UNKNOWN_SECRETS = ("tortoise", "aiosqlite", "asyncpg")
"""Libraries whose debug lines hold the values of every statement, digests of tokens among them."""


class LoggedRequest(Protocol):
    """What a line says of the request that it belongs to."""

    answered: bool
    user: str

    @property
    def id(self) -> str:
        """The request's id."""


current_request: ContextVar[LoggedRequest | None] = ContextVar("current_request", default=None)


def add_request(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The id of the request that is being answered."""
    request = current_request.get()
    if request is not None and not request.answered:
        event.setdefault("request_id", request.id)
        if request.user:
            event.setdefault("user", request.user)
    return event


def clean(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """No secrets, and no control characters: names come from strangers, and terminals obey what they print."""
    return {key: redacted(_text(value)).translate(CONTROL) if not isinstance(value, _plain) else value for key, value in event.items()}


_plain = (bool, int, float, type(None))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    add_request,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_logging(level: str, format: str = "logfmt") -> None:
    """Set up structlog and the standard library's logging, once per process; `level` is debug, info, warning or error, `format` logfmt or json."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                clean,
                renderer(format),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    quiet = logging.DEBUG if level == "debug" else logging.WARNING
    for library in ("uvicorn", "asyncio"):
        logging.getLogger(library).setLevel(quiet)
    for library in UNKNOWN_SECRETS:
        logging.getLogger(library).setLevel(logging.WARNING)


def renderer(format: str) -> Processor:
    """From the keys and values to a line."""
    if format == "json":
        return structlog.processors.JSONRenderer(serializer=lambda event, **_: orjson.dumps(ordered(event)).decode())
    return structlog.processors.LogfmtRenderer(key_order=FIRST, drop_missing=True, bool_as_flag=False)


def ordered(event: EventDict) -> EventDict:
    """The keys that every line has come first."""
    return {name: event[name] for name in (*(name for name in FIRST if name in event), *sorted(event.keys() - set(FIRST)))}


def log_as_set(settings: Settings, level: str = "") -> None:
    """Log as the settings say, or from another level on, and never what they hold of secrets."""
    hide(settings.metrics_token)
    hide_password(settings.database_url)
    hide_password(settings.storage_url)
    hide_named(settings.storage_options)
    hide_named(settings.plugin_settings)
    hide_named(os.environ)
    configure_logging(level or settings.log_level, settings.log_format)
    catch_the_rest()


def catch_the_rest() -> None:
    """What Python would print past the log: warnings, and errors that nobody is there to catch."""
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # else a line that cannot be written is printed with all that it was to hold
    log = logging.getLogger("entrepot")

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            log.error("A thread ended with an error.", exc_info=args.exc_value)

    def unraisable(args: sys.UnraisableHookArgs) -> None:
        log.error("An error that could not be raised. %s", args.err_msg or "", exc_info=args.exc_value)

    threading.excepthook = in_thread
    sys.unraisablehook = unraisable
