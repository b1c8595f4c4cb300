"""Airflow's command line in a process that has imported what tasks need: `python -m loanwatch.orchestration.warm`.

Scheduler (LocalExecutor) and Celery worker fork a process for each task. What they have imported, a task need not
import: some seconds for each that trains.
"""

import importlib

__all__ = ["LIBRARIES", "main"]

LIBRARIES = (
    "jinja2",
    "numpy",
    "onnx",
    "psycopg",
    "pydantic_settings",
    "scipy.special",
    "scipy.stats",
    "sklearn.ensemble",
    "structlog",
)
"""Only those that start no thread when they are imported: threads do not come through a fork, and locks stay locked."""


def main() -> None:
    """Import, and go on as Airflow."""
    for library in LIBRARIES:
        importlib.import_module(library)
    from airflow.__main__ import main as airflow  # type: ignore[import-not-found]

    airflow()


if __name__ == "__main__":
    main()
