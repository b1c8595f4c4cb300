"""How fast the predictor is: client, service and database on the same machine.

    python benchmarks/serving.py [--seconds 20] [--rows 1000000] [--candidate random_forest]

Starts a service of its own on an embedded database in a temporary home, with a model trained on two simulated months
of applications, and prints one line for each bar. Decisions are logged throughout. The load comes from `wrk` where it
is installed, else from a small asyncio client, which takes more of the machine than wrk does.
"""

import argparse
import asyncio
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from importlib import resources
from pathlib import Path

import numpy as np
import polars as pl

from loanwatch.contract import default_contract
from loanwatch.features import clean

LOANWATCH = [sys.executable, "-m", "loanwatch"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def command(home, *arguments):
    return subprocess.run(
        [*LOANWATCH, "--home", home, *arguments], check=True, capture_output=True, text=True, env=ENVIRONMENT
    ).stdout


def train_only(candidate, folder):
    """Have everything that follows use the loan contract with one candidate."""
    source = resources.files("loanwatch.contract")
    text = source.joinpath("loan_eligibility.toml").read_text(encoding="utf-8")
    Path(folder, "contract.toml").write_text(re.sub(r"candidates = \[.*\]", f'candidates = ["{candidate}"]', text))
    Path(folder, "loan_eligibility.sql").write_text(source.joinpath("loan_eligibility.sql").read_text(encoding="utf-8"))
    ENVIRONMENT["LOANWATCH_CONTRACT_FILE"] = str(Path(folder, "contract.toml"))


def prepare(home):
    command(home, "simulate", "--start", "2015-01-01", "--end", "2015-03-01")
    command(home, "run", "--start", "2015-01-01", "--end", "2015-03-01")
    (snapshot,) = Path(home).glob("runs/1/window.parquet")
    return pl.read_parquet(snapshot)


def applications(frame, count):
    """Requests as clients send them: numbers as numbers, without applicant, time and label."""
    contract = default_contract()
    wanted = [contract.keys.application, *(c.name for c in contract.columns if c.predictor)]
    return clean(frame.head(count), contract).frame.select(wanted).to_dicts()


class Service:
    def __init__(self, home, *arguments):
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [*LOANWATCH, "--home", home, "serve", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        self.port = int(re.search(r":(\d+) ", self.process.stdout.readline())[1])
        while self.get("/health/ready") != 200:
            time.sleep(0.01)
        self.start_seconds = time.perf_counter() - began

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def get(self, path):
        connection = self.connection()
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status

    def times(self, bodies, path="/predict"):
        """Seconds of each request, one after the other on one connection."""
        connection, seconds = self.connection(), []
        for body in bodies:
            began = time.perf_counter()
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            response.read()
            seconds.append(time.perf_counter() - began)
            assert response.status == 200, response.status
        connection.close()
        return np.array(seconds)

    def memory_mb(self):
        """Resident memory of the service and its workers."""
        pids = [
            self.process.pid,
            *map(int, Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()),
        ]
        kilobytes = [int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) for pid in pids]
        return sum(kilobytes) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.process.stdout.close()


def sustained(service, body, seconds):
    """Requests a second, errors, and memory at a tenth of the time and at its end."""
    load = (wrk if shutil.which("wrk") else own_load)(service, body, seconds)
    next(load)
    time.sleep(seconds / 10)
    early = service.memory_mb()
    rate, errors = next(load)
    return rate, errors, early, service.memory_mb()


def wrk(service, body, seconds):
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method='POST'; wrk.headers['Content-Type']='application/json'; wrk.body={json.dumps(body)}")
        script.flush()
        address = f"http://127.0.0.1:{service.port}/predict"
        process = subprocess.Popen(
            ["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", script.name, address], stdout=subprocess.PIPE, text=True
        )
        yield None
        told, _ = process.communicate()
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    lost = re.search(r"Socket errors: (.*)", told)
    yield float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1]), (int(bad[1]) if bad else 0) + bool(lost)


def own_load(service, body, seconds):
    async def client(counts, end):
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        length = len(body.encode())
        head = (
            f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
        while time.perf_counter() < end:
            writer.write(head.encode() + body.encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(re.search(rb"content-length: (\d+)", answer)[1]))
            counts[answer.startswith(b"HTTP/1.1 200")] += 1
        writer.close()

    async def all_clients(counts):
        end = time.perf_counter() + seconds
        await asyncio.gather(*(client(counts, end) for _ in range(16)))

    counts = [0, 0]
    thread = threading.Thread(target=lambda: asyncio.run(all_clients(counts)))
    thread.start()
    yield None
    thread.join()
    yield sum(counts) / seconds, counts[0]


def batch(home, frame, rows, folder):
    source, output = Path(folder) / "in.parquet", Path(folder) / "out.parquet"
    dice = np.random.default_rng(0)
    # no two alike: a file of few different rows would be read and scored from the processor's caches
    pl.concat([frame] * -(-rows // frame.height)).head(rows).with_columns(
        pl.format("{}-{}", "loan_id", pl.int_range(rows)).alias("loan_id"),
        pl.col("annual_income", "current_credit_balance") * pl.Series(dice.uniform(0.8, 1.25, rows)),
        pl.format("${}", pl.Series(dice.uniform(50, 4_000, rows)).round(2)).alias("monthly_debt"),
    ).write_parquet(source)
    began = time.perf_counter()
    process = subprocess.Popen(
        [*LOANWATCH, "--home", home, "predict", str(source), "-o", str(output)],
        stdout=subprocess.DEVNULL,
        env={k: v for k, v in ENVIRONMENT.items() if k != "OMP_NUM_THREADS"},
    )
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def show(what, figure, bar, *, ok):
    print(f"{what:<46} {figure:<42} {bar:<22} {'met' if ok else 'MISSED'}", flush=True)


def measure(home, frame, *, seconds, rows, workers):
    with_load = f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores"
    print(f"{'what':<46} {'measured (' + with_load + ')':<42} {'bar':<22}")
    service = Service(home, "--workers", str(workers))
    try:
        show("start", f"ready after {service.start_seconds:.2f} s", "4 s", ok=service.start_seconds <= 4)
        singles = [json.dumps([row]) for row in applications(frame, 3_000)]
        service.times(singles[:200])
        plain = 1_000 * service.times(singles)
        p50, p99 = np.percentile(plain, [50, 99])
        show(
            "one application, sequential",
            f"p50 {p50:.2f} ms, p99 {p99:.2f} ms",
            "2 ms, 10 ms",
            ok=p50 <= 2 and p99 <= 10,
        )
        explained = 1_000 * np.median(service.times(singles[:500], "/predict?explain=true"))
        show("explanation", f"{explained - p50:.2f} ms more", "10 ms more", ok=explained - p50 <= 10)
        thousand = json.dumps(applications(frame, 1_000))
        took = 1_000 * np.median(service.times([thousand] * 15))
        show("one request of 1,000 applications", f"median {took:.1f} ms", "60 ms", ok=took <= 60)
        rate, errors, early, late = sustained(service, singles[0], seconds)
        figure = f"{rate:,.0f}/s, {errors} errors, {early:.0f} → {late:.0f} MB"
        flat = late - early < 20
        show(
            f"sustained, {seconds} s, 16 connections",
            figure,
            "1,500/s, none, flat",
            ok=rate >= 1_500 and not errors and flat,
        )
    finally:
        service.stop()
    with tempfile.TemporaryDirectory() as folder:
        took, peak = batch(home, frame, rows, folder)
    show(
        f"batch, {rows:,} rows, Parquet to Parquet",
        f"{took:.1f} s, peak {peak:.0f} MB",
        "20 s, 1,000 MB",
        ok=took <= 20 and peak < 1_000,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=20, help="of sustained load")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the batch")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--candidate", choices=["random_forest", "gradient_boosting"], help="by default the better one")
    chosen = parser.parse_args()
    home = tempfile.mkdtemp(prefix="loanwatch-serving-")
    Path(home).chmod(0o755)  # the embedded server does not run as root
    if chosen.candidate:
        train_only(chosen.candidate, home)
    try:
        measure(home, prepare(home), seconds=chosen.seconds, rows=chosen.rows, workers=chosen.workers)
    finally:
        command(home, "db", "stop")
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
