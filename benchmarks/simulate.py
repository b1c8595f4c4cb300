"""How long simulating and writing a million applications takes, and how much memory.

Run: .venv/bin/python benchmarks/simulate.py [--rows 1000000]
"""

import argparse
import resource
import tempfile
import time
from datetime import date
from pathlib import Path

from loanwatch.database import Database, EmbeddedServer
from loanwatch.simulator import simulate_chunks, write

BAR_SECONDS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    period = {"start": date(2015, 1, 1), "end": date(2016, 1, 1), "seed": 1, "rows": rows}

    began = time.perf_counter()
    for _ in simulate_chunks(**period):
        pass
    simulated = time.perf_counter() - began

    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder) / "postgres")
        database = Database(server.start())
        try:
            began = time.perf_counter()
            written = write(database, simulate_chunks(**period))
            total = time.perf_counter() - began
        finally:
            server.stop()

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'applications':<36}{rows:>14,}")
    for table, count in written.items():
        print(f"{'rows in ' + table:<36}{count:>14,}")
    print(f"{'simulated only':<36}{simulated:>12.1f} s")
    print(f"{'simulated and written':<36}{total:>12.1f} s   (bar: {BAR_SECONDS} s a million)")
    print(f"{'peak memory of this process':<36}{peak:>10,.0f} MB")


if __name__ == "__main__":
    main()
