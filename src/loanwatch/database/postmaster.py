"""Which process, if any, serves a data folder. The pid file alone does not tell: it outlives a killed server."""

import os
import subprocess
from pathlib import Path

from loanwatch.records import record

__all__ = ["Postmaster", "disown", "running_postmaster"]

_NO_PROCESS = 2**31 - 1
"""Above every system's largest pid."""


@record
class Postmaster:
    """The server process of a data folder."""

    pid: int
    port: int


def running_postmaster(data: Path) -> Postmaster | None:
    """Return the living server of a data folder.

    A dead process, a zombie, and another program that was given the same pid count as none.
    """
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return None
    pid, port = (lines[0], lines[3]) if len(lines) > 3 else ("", "")
    if not (pid.isdigit() and port.isdigit() and str(data) in _command_line(int(pid))):
        return None
    return Postmaster(pid=int(pid), port=int(port))


def disown(data: Path) -> None:
    """Make the pid file of a dead server name no process, so that the next server does not take a stranger for it.

    The file is kept, because its other lines let PostgreSQL notice orphans that still write to the data.
    """
    path = data / "postmaster.pid"
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    if not lines or not lines[0].lstrip("-").isdigit():
        path.unlink()  # the machine went down while it was written; PostgreSQL refuses an empty one
        return
    with path.open("r+", encoding="utf-8") as file:  # in place: it belongs to the server's user
        file.write("\n".join([str(_NO_PROCESS), *lines[1:]]) + "\n")
        file.truncate()


def _command_line(pid: int) -> list[str]:
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return []
    command = ["ps", "-o", "command=", "-p", str(pid)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)  # noqa: S603
    return shown.stdout.split()
