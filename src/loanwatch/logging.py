"""Structured logs on standard error, so that standard output stays for results."""

import logging
import sys

import structlog

__all__ = ["configure_logging", "get_logger"]


def configure_logging(*, level: str = "warning", as_json: bool = False) -> None:
    """Send log lines of `level` and above to standard error, as text or as one JSON object a line."""
    # A plain traceback: one with local variables would put applicants' data and passwords into the log.
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    renderer = structlog.processors.JSONRenderer() if as_json else console
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if as_json else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        # standard error as it is when a line is written: somebody may have replaced and closed the one of now
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return a logger whose lines carry `module=name`."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(module=name)
    return logger
