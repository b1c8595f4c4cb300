"""Extract a window of applications: loanwatch against pandas.read_sql of the same query, each in its own process.

Usage: python benchmarks/extract.py [LOANS]
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from loanwatch.contract import default_contract
from loanwatch.database import Database, EmbeddedServer
from loanwatch.etl import extract_window
from loanwatch.etl.extract import session_settings
from loanwatch.etl.query import bind_window

START, END = datetime(2015, 1, 1, tzinfo=UTC), datetime(2017, 1, 1, tzinfo=UTC)
TABLES = Path(__file__).with_name("extract_tables.sql")


def with_loanwatch(conninfo: str, folder: Path) -> int:
    extraction = extract_window(
        Database(conninfo), default_contract(), start=START, end=END, destination=folder / "loanwatch.parquet"
    )
    return extraction.rows


def with_pandas(conninfo: str, folder: Path) -> int:
    # Here, so that the other side does not pay for them.
    import pandas as pd  # noqa: PLC0415
    import psycopg  # noqa: PLC0415
    import sqlalchemy  # noqa: PLC0415

    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo))
    query = bind_window(default_contract().extract_query, start=START, end=END)
    with engine.connect() as connection:
        for setting in session_settings():  # the same plan for both sides
            connection.exec_driver_sql(setting)
        frame = pd.read_sql(sqlalchemy.text(query.replace(":", r"\:")), connection)
    frame.to_parquet(folder / "pandas.parquet")
    return len(frame)


SIDES = {"loanwatch": with_loanwatch, "pandas.read_sql": with_pandas}


def measure(side: str, conninfo: str, folder: Path) -> dict[str, float]:
    """Run one side in a process of its own; wall time and peak memory include its imports."""
    began = time.perf_counter()
    command = [sys.executable, __file__, "--side", side, conninfo, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {"seconds": time.perf_counter() - began, **json.loads(done.stdout)}


def main(loans: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = EmbeddedServer(folder / "postgres")
        conninfo = server.start()
        try:
            with Database(conninfo).connect(autocommit=True) as connection:
                connection.execute(TABLES.read_text().replace("1000000", str(loans)).encode())
                connection.execute("VACUUM ANALYZE")
            results = {side: measure(side, conninfo, folder) for side in SIDES}
        finally:
            server.stop()
    print(f"{'':<18}{'rows':>12}{'seconds':>10}{'peak MB':>10}")
    for side, figures in results.items():
        print(f"{side:<18}{figures['rows']:>12,}{figures['seconds']:>10.1f}{figures['megabytes']:>10.0f}")
    ours, theirs = results.values()
    print(f"loanwatch takes 1/{theirs['seconds'] / ours['seconds']:.1f} of the time", end="")
    print(f" and 1/{theirs['megabytes'] / ours['megabytes']:.1f} of the memory")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        rows = SIDES[sys.argv[2]](sys.argv[3], Path(sys.argv[4]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"rows": rows, "megabytes": peak}))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)
