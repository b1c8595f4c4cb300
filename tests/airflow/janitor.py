"""Waits for the end of a test run, however it comes, and leaves nothing of it behind: janitor.py FOLDER."""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

from loanwatch.database import EmbeddedServer

PATIENCE_SECONDS = 30


def processes_in(folder: Path, *, command: str = "") -> list[int]:
    """Return the processes of a home in the folder, or those of them with a word in their command."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                variables = (process / "environ").read_bytes().split(b"\0")
                words = (process / "cmdline").read_bytes().decode()
            except OSError:
                continue
            if command in words and any(v.startswith(f"LOANWATCH_HOME={folder}".encode()) for v in variables):
                found.append(int(process.name))
    return found


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    sys.stdin.read()
    for supervisor in processes_in(folder, command="loanwatch.orchestration.local"):
        os.kill(supervisor, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while processes_in(folder) and time.monotonic() < deadline:
        time.sleep(0.2)
    for process in processes_in(folder):
        os.kill(process, signal.SIGKILL)
    for data in folder.rglob("postmaster.pid"):
        EmbeddedServer(data.parents[1]).stop()
    shutil.rmtree(folder, ignore_errors=True)
