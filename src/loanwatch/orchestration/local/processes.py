"""Processes that are started together and leave nothing behind."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from loanwatch.records import record

__all__ = ["Process", "adopt_orphans", "start", "stop"]

_STOP_SECONDS = 20
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


@record
class Process:
    """A child with a process group of its own."""

    name: str
    child: subprocess.Popen[bytes]
    log: Path

    @property
    def ended(self) -> int | None:
        """Its exit code, or None while it runs."""
        return self.child.poll()


def adopt_orphans() -> None:
    """Make this process the parent of what its children leave behind, so that `stop` finds it; Linux only."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def start(name: str, command: Sequence[str], *, environment: Mapping[str, str], logs: Path) -> Process:
    """Start a program that writes to `<logs>/<name>.log` and is stopped when this process dies."""
    log = logs / f"{name}.log"
    with log.open("ab") as file:
        child = subprocess.Popen(  # noqa: S603  (the command is ours)
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  (this process has one thread)
        )
    return Process(name=name, child=child, log=log)


def stop(processes: Sequence[Process]) -> list[str]:
    """Stop them and all that they started; return the names of those that had to be killed."""
    for process in processes:
        _signal_group(process.child.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline and any(process.ended is None for process in processes):
        time.sleep(0.1)
    killed = [process.name for process in processes if process.ended is None]
    for process in processes:
        _signal_group(process.child.pid, signal.SIGKILL)
        process.child.wait()
    _kill_orphans()
    return killed


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _kill_orphans() -> None:
    """End what left its process group, such as a task in a session of its own, and reap it."""
    for _ in range(50):
        left = list(_children())
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children() -> Iterator[int]:
    if not sys.platform.startswith("linux"):
        return
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with contextlib.suppress(OSError):
                if (folder / "stat").read_text().rpartition(")")[2].split()[1] == str(os.getpid()):
                    yield int(folder.name)


def _die_with_parent() -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _prctl(option: int, value: int) -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
