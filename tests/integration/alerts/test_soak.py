"""A short soak: the record of the stand-in and the database agree exactly."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "alerts_soak.py"


@pytest.mark.deep
def test_faults_kills_and_restarts_lose_nothing_and_double_nothing():
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--seconds", "30"], capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "agree exactly" in done.stdout
