"""What an Airflow task needs beside the pipeline: its window, its settings, which way to go, whom to tell.

Importing this package is cheap and touches nothing: a DAG file is parsed every few seconds. The pipeline is imported
by the functions that work, in the task's own process.
"""

from loanwatch.orchestration.paths import after_comparison, after_data_quality, after_decision
from loanwatch.orchestration.stages import begin, candidates_of, fail, perform
from loanwatch.orchestration.telling import deliver, send_test_message, tell
from loanwatch.orchestration.window import Window, window_of

__all__ = [
    "Window",
    "after_comparison",
    "after_data_quality",
    "after_decision",
    "begin",
    "candidates_of",
    "deliver",
    "fail",
    "perform",
    "send_test_message",
    "tell",
    "window_of",
]
