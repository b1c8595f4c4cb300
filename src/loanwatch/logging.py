"""Structured logs on standard error, so that standard output stays for results.

structlog is imported by the first logger: most commands log nothing.
"""

import logging
import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

__all__ = ["configure_logging", "get_logger"]

_wanted = {"level": "warning", "as_json": False}


def configure_logging(*, level: str = "warning", as_json: bool = False) -> None:
    """Send log lines of `level` and above to standard error, as text or as one JSON object a line."""
    _wanted.update(level=level, as_json=as_json)
    _configured.cache_clear()
    if "structlog" in sys.modules:  # loggers that exist already must follow
        _configured()


def get_logger(name: str) -> "FilteringBoundLogger":
    """Return a logger whose lines carry `module=name`."""
    import structlog  # noqa: PLC0415

    _configured()
    logger: FilteringBoundLogger = structlog.get_logger(module=name)
    return logger


@cache
def _configured() -> None:
    import structlog  # noqa: PLC0415

    # A plain traceback: one with local variables would put applicants' data and passwords into the log.
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    as_json, level = _wanted["as_json"], str(_wanted["level"])
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if as_json else []),
            structlog.processors.JSONRenderer() if as_json else console,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        # standard error as it is when a line is written: somebody may have replaced and closed the one of now
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
