import os
import subprocess
import sys

from loanwatch.orchestration.warm import LIBRARIES

LIST_THREADS = """
import importlib, sys
from pathlib import Path
for library in sys.argv[1:]:
    importlib.import_module(library)
own = {Path("/proc/self/comm").read_text().strip(), "jemalloc_bg_thd"}
print(*{thread.read_text().strip() for thread in Path("/proc/self/task").glob("*/comm")} - own)
"""


def test_nothing_that_is_imported_before_the_fork_starts_a_thread() -> None:
    """Save jemalloc's, which that library itself takes through a fork."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", LIST_THREADS]
    done = subprocess.run([*command, *LIBRARIES], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
    polars = subprocess.run([*command, "polars"], env=environment, capture_output=True, text=True, check=True)
    assert polars.stdout.split() != []
