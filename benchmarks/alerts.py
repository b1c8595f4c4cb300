"""Speed of the alerts: figures a second through the rules, and seconds from a figure to its message.

    .venv/bin/python benchmarks/alerts.py [--rules 100] [--figures 20000] [--minutes 1]

Runs on an embedded server of its own, with the safety of the data switched on as in production.
"""

import argparse
import os
import random
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path

from alerts_standins import HttpStandIn

from loanwatch.alerts.dispatcher import Dispatcher
from loanwatch.database import Database, EmbeddedServer, migrate
from loanwatch.logging import configure_logging
from loanwatch.settings import Settings

INSERT = "INSERT INTO loanwatch.model_metric (model_id, name, value) VALUES (%s, %s, %s)"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rules", type=int, default=100)
    arguments.add_argument("--figures", type=int, default=10_000)
    arguments.add_argument("--minutes", type=float, default=1)
    arguments.add_argument("--per-minute", type=int, default=100)
    options = arguments.parse_args()
    configure_logging()
    folder = Path(tempfile.mkdtemp(prefix="loanwatch-benchmark-"))
    folder.chmod(0o755)
    server = EmbeddedServer(folder / "postgres")
    try:
        database = Database(server.start())
        migrate(database)
        print(f"load average before: {os.getloadavg()[0]:.1f}")
        measure_inserts(database, rules=options.rules, figures=options.figures)
        measure_latency(database, folder, minutes=options.minutes, per_minute=options.per_minute)
        print(f"load average after: {os.getloadavg()[0]:.1f}")
    finally:
        server.stop()
        shutil.rmtree(folder)


RULES = {
    "one rule for each figure": "INSERT INTO loanwatch.alert_rule (metric, condition, threshold, model_name) "
    "SELECT 'metric_' || n %% 20, '<', 0.1, 'm' || 1 + n / 20 %% 5 FROM generate_series(0, %s - 1) n",
    "five rules for each figure": "INSERT INTO loanwatch.alert_rule (metric, condition, threshold) "
    "SELECT 'metric_' || n %% 20, '<', 0.1 + n / 10000.0 FROM generate_series(0, %s - 1) n",
}
SHARES = {0.0: "all well", 0.01: "1 % break rules", 0.1: "10 % break rules", 1.0: "all break rules"}


def measure_inserts(database: Database, *, rules: int, figures: int) -> None:
    """Insert figures of 5 models with 20 names in several ways, well ones and ones that break rules."""
    ways = {
        "COPY": copy,
        "INSERT of 1,000 rows": insert_many,
        "executemany, one transaction": insert_each,
        "executemany, commit every 100": insert_and_commit,
        "execute one by one, one transaction": insert_one_by_one,
    }
    with database.connect() as connection:
        connection.execute("INSERT INTO loanwatch.ml_model (name) SELECT 'm' || n FROM generate_series(1, 5) n")
    for layout, statement in RULES.items():
        with database.connect() as connection:
            connection.execute(statement, [rules])
        print(f"{rules} rules in force, {layout}; figures a second:")
        print(f"  {'':36}" + "".join(f"{words:>18}" for words in SHARES.values()))
        for way, function in ways.items():
            rates = [rate(database, function, share=share, figures=figures) for share in SHARES]
            print(f"  {way:36}" + "".join(f"{figure:18,.0f}" for figure in rates), flush=True)
        with database.connect() as connection:
            connection.execute("DELETE FROM loanwatch.alert_rule")
    with database.connect() as connection:
        connection.execute("ALTER TABLE loanwatch.model_metric DISABLE TRIGGER model_metric_alerts")
    without = [rate(database, ways[way], share=0, figures=figures) for way in list(ways)[2:]]
    print("  without the trigger, the last three ways: " + ", ".join(f"{figure:,.0f}" for figure in without))
    with database.connect() as connection:
        connection.execute("ALTER TABLE loanwatch.model_metric ENABLE TRIGGER model_metric_alerts")
        connection.execute("UPDATE loanwatch.alert_change SET routed_at = now()")


def rate(database: Database, insert, *, share: float, figures: int) -> float:
    """Return figures a second; every series has its share of bad ones, spread evenly."""
    rows = [(1 + n % 5, f"metric_{n // 5 % 20}", 0.05 if n // 100 % 100 < share * 100 else 0.9) for n in range(figures)]
    random.Random(0).shuffle(rows)
    with database.connect() as connection:
        connection.execute("UPDATE loanwatch.alert SET status = 'resolved' WHERE status <> 'resolved'")
        connection.commit()
        started = time.perf_counter()
        insert(connection, rows)
        connection.commit()
        return figures / (time.perf_counter() - started)


def copy(connection, rows) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY loanwatch.model_metric (model_id, name, value) FROM STDIN") as out,
    ):
        for row in rows:
            out.write_row(row)


def insert_many(connection, rows) -> None:
    for start in range(0, len(rows), 1_000):
        models, names, values = zip(*rows[start : start + 1_000], strict=True)
        connection.execute(
            "INSERT INTO loanwatch.model_metric (model_id, name, value) "
            "SELECT * FROM unnest(%s::bigint[], %s::text[], %s::float8[])",
            [list(models), list(names), list(values)],
        )


def insert_each(connection, rows) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(INSERT, rows)


def insert_and_commit(connection, rows) -> None:
    for start in range(0, len(rows), 100):
        insert_each(connection, rows[start : start + 100])
        connection.commit()


def insert_one_by_one(connection, rows) -> None:
    with connection.cursor() as cursor:
        for row in rows:
            cursor.execute(INSERT, row)


def measure_latency(database: Database, folder: Path, *, minutes: float, per_minute: int) -> None:
    """Open alerts by figures at a steady rate and see when Slack's stand-in has their messages."""
    standin = HttpStandIn()
    arrivals: dict[str, float] = {}

    def note(path: str) -> str:
        if path.endswith("chat.postMessage"):
            arrivals[f"{len(arrivals)}"] = time.perf_counter()
        return "ok"

    standin.fault = note
    channel = {"type": "slack", "token": standin.token, "channel": "C1", "api_url": standin.url + "/api/"}
    dispatcher = Dispatcher(Settings(home=folder, channels={"ops": channel}), database)
    thread = threading.Thread(target=dispatcher.run)
    thread.start()
    time.sleep(1)
    total = max(1, round(minutes * per_minute))
    inserted = []
    with database.connect(autocommit=True) as connection:
        connection.execute(
            "INSERT INTO loanwatch.alert_rule (metric, condition, threshold) "
            "SELECT 'latency_' || n, '<', 0.5 FROM generate_series(1, %s) n",
            [total],
        )
        for number in range(1, total + 1):
            started = time.perf_counter()
            connection.execute(INSERT, [1, f"latency_{number}", 0.1])
            inserted.append(started)
            time.sleep(max(0.0, 60 / per_minute - (time.perf_counter() - started)))
    deadline = time.monotonic() + 30
    while len(standin.record.posts) < total and time.monotonic() < deadline:
        time.sleep(0.05)
    dispatcher.stop()
    thread.join()
    standin.close()
    waits = sorted(b - a for a, b in zip(inserted, sorted(arrivals.values()), strict=False))
    print(
        f"{total} alerts at {per_minute} a minute: {len(standin.record.posts)} messages; insert to Slack "
        f"median {statistics.median(waits) * 1000:.0f} ms, p95 {waits[int(len(waits) * 0.95) - 1] * 1000:.0f} ms, "
        f"worst {waits[-1] * 1000:.0f} ms"
    )


if __name__ == "__main__":
    main()
