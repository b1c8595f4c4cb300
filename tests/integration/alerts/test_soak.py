"""A soak: the record of the stand-ins and the database agree exactly; LOANWATCH_SOAK_SECONDS makes it longer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "alerts_soak.py"
SECONDS = float(os.environ.get("LOANWATCH_SOAK_SECONDS", "120"))
DRAIN_SECONDS = 180  # what the script allows for what is still owed


@pytest.mark.deep
@pytest.mark.timeout(SECONDS + DRAIN_SECONDS + 60)
def test_faults_kills_and_restarts_lose_nothing_and_double_nothing():
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--seconds", str(SECONDS)],
        capture_output=True,
        text=True,
        timeout=SECONDS + DRAIN_SECONDS + 30,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "agree exactly" in done.stdout
