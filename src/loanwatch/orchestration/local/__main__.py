"""`make airflow`: serve until Ctrl-C."""

import os
import sys
from pathlib import Path

from loanwatch.errors import LoanwatchError
from loanwatch.orchestration.local.options import Options
from loanwatch.orchestration.local.supervisor import Supervisor
from loanwatch.settings import load_settings


def main() -> int:
    """Return the exit code: 0 where somebody stopped it."""
    try:
        options = Options.from_environment(os.environ, dags_folder=Path.cwd() / "dags")
        Supervisor(load_settings(), options, tell=lambda line: print(line, flush=True)).run()  # noqa: T201
    except LoanwatchError as error:
        sys.stderr.write(f"loanwatch: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
