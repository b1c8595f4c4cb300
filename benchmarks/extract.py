"""Extract a window of applications: loanwatch against pandas.read_sql of the same query, each in its own process.

pandas runs twice: as a user would call it, and with the session settings that loanwatch gives to the server. Each side
ends with a Parquet file; wall time and peak memory include its imports.

Usage: python benchmarks/extract.py [LOANS]
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

from loanwatch.contract import default_contract
from loanwatch.database import Database, EmbeddedServer
from loanwatch.etl import extract_window
from loanwatch.etl.extract import session_settings
from loanwatch.etl.query import bind_window
from loanwatch.simulator import simulate_chunks, write

START, END = datetime(2015, 1, 1, tzinfo=UTC), datetime(2017, 1, 1, tzinfo=UTC)
LAST_DAY = date(2016, 12, 31)


def with_loanwatch(conninfo: str, folder: Path) -> int:
    extraction = extract_window(
        Database(conninfo), default_contract(), start=START, end=END, destination=folder / "loanwatch.parquet"
    )
    return extraction.rows


def with_pandas(conninfo: str, folder: Path, *, settings: tuple[str, ...] = ()) -> int:
    # Here, so that the other side does not pay for them.
    import pandas as pd  # noqa: PLC0415
    import psycopg  # noqa: PLC0415
    import sqlalchemy  # noqa: PLC0415

    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo))
    query = bind_window(default_contract().extract_query, start=START, end=END)
    with engine.connect() as connection:
        for setting in settings:
            connection.exec_driver_sql(setting)
        frame = pd.read_sql(sqlalchemy.text(query.replace(":", r"\:")), connection)
    frame.to_parquet(folder / "pandas.parquet")
    return len(frame)


def with_pandas_and_settings(conninfo: str, folder: Path) -> int:
    return with_pandas(conninfo, folder, settings=session_settings())


SIDES = {
    "loanwatch": with_loanwatch,
    "pandas.read_sql": with_pandas,
    "pandas, our settings": with_pandas_and_settings,
}


def measure(side: str, conninfo: str, folder: Path) -> dict[str, float]:
    """Run one side in a process of its own."""
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
            write(Database(conninfo), simulate_chunks(start=START.date(), end=LAST_DAY, seed=1, rows=loans))
            with Database(conninfo).connect(autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE")
            results = {side: measure(side, conninfo, folder) for side in SIDES}
        finally:
            server.stop()
    load, cores = os.getloadavg()[0], os.cpu_count()
    print(f"load {load:.1f} on {cores} cores; a load above 1 beside this benchmark slows the sides unevenly")
    print(f"{'':<22}{'rows':>12}{'seconds':>10}{'peak MB':>10}{'time':>8}{'memory':>8}")
    ours = results["loanwatch"]
    for side, found in results.items():
        print(f"{side:<22}{found['rows']:>12,}{found['seconds']:>10.1f}{found['megabytes']:>10.0f}", end="")
        print("".join(f"{found[figure] / ours[figure]:>7.1f}x" for figure in ("seconds", "megabytes")))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        rows = SIDES[sys.argv[2]](sys.argv[3], Path(sys.argv[4]))
        # Not ru_maxrss: it begins with the peak of the process that started this one.
        status = Path("/proc/self/status").read_text()
        peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
        print(json.dumps({"rows": rows, "megabytes": peak}))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)
