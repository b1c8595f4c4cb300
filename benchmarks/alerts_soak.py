"""Soak: alerts through channels that fail at random, dispatchers that are killed, a database that restarts.

    .venv/bin/python benchmarks/alerts_soak.py [--seconds 600] [--per-minute 200] [--seed 0]

At the end the record of the stand-in and the database must agree exactly; the exit code says whether they do.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
from alerts_mailbox import MailStandIn
from alerts_standins import HttpStandIn

from loanwatch.alerts import Event, acknowledge, open_alert, resolve
from loanwatch.database import Database, EmbeddedServer, migrate
from loanwatch.errors import LoanwatchError
from loanwatch.monitoring import Severity

FAULTS = ("429:1", "500", "500_after", "503_after", "drop", "drop_after", "slow_after:1.5", "408")
MAIL_FAULTS = ("451", "451_after", "drop", "drop_after", "slow_after:1.5")
SLACK_FAULTS = (*FAULTS, "garbage", "error:internal_error", "error:ratelimited")
FAULT_SHARE = 0.2
DISPATCHERS = 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--per-minute", type=float, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="loanwatch-soak-"))
    folder.chmod(0o755)
    server = EmbeddedServer(folder / "postgres")
    try:
        return Soak(folder, server, seed=options.seed).run(seconds=options.seconds, per_minute=options.per_minute)
    finally:
        server.stop()
        shutil.rmtree(folder)


class Soak:
    """One soak: its server, stand-in and dispatchers."""

    def __init__(self, folder: Path, server: EmbeddedServer, *, seed: int) -> None:
        self.folder, self.server = folder, server
        self.random = random.Random(seed)
        self.database = Database(server.start())
        migrate(self.database)
        self.standin = HttpStandIn()
        self.faults: Counter[str] = Counter()
        self.mailbox = MailStandIn()
        self.standin.fault = self.mailbox.fault = self.choose_fault
        self.failing = True
        self.ending = threading.Event()
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        self.stopping = False
        self.restarts = self.kills = self.refused = 0
        self.write_settings()
        with self.database.connect() as connection:
            connection.execute("INSERT INTO loanwatch.ml_model (name) VALUES ('m')")
            connection.execute(
                "INSERT INTO loanwatch.alert_rule (metric, condition, threshold, close_after) "
                "SELECT 'metric_' || n, '<', 0.5, 2 FROM generate_series(1, 50) n"
            )

    def write_settings(self) -> None:
        lines = ["[alerting]", "lease_seconds = 5", "retry_seconds = 0.3", "sweep_seconds = 1"]
        url, common = self.standin.url, ["timeout_seconds = 1"]
        channels = {
            "bot": ['type = "slack"', 'channel = "C1"', f'api_url = "{url}/api/"', f'token = "{self.standin.token}"'],
            "incoming": ['type = "slack_webhook"', f'url = "{url}/services/x"'],
            "hook": ['type = "webhook"', f'url = "{url}/hook"', 'secret = "k"'],
            "mail": [
                'type = "email"', 'host = "127.0.0.1"', f"port = {self.mailbox.port}", 'security = "none"',
                'sender = "watch@lender.example"', 'recipients = ["risk@lender.example"]',
            ],
        }  # fmt: skip
        for name, values in channels.items():
            lines += [f"[channels.{name}]", *values, *common]
        (self.folder / "loanwatch.toml").write_text("\n".join(lines))

    def choose_fault(self, path: str) -> str:
        if not self.failing or self.random.random() > FAULT_SHARE:
            return "ok"
        known = MAIL_FAULTS if path == "/mail" else SLACK_FAULTS if path.startswith("/api/") else FAULTS
        fault = self.random.choice(known)
        with self.standin.record.lock:
            self.faults[fault] += 1
        return fault

    def run(self, *, seconds: float, per_minute: float) -> int:
        print(f"load average {os.getloadavg()[0]:.1f}; {seconds:.0f} s, {per_minute:.0f} changes a minute", flush=True)
        threads = [threading.Thread(target=self.keep_dispatching, args=(number,)) for number in range(DISPATCHERS)] + [
            threading.Thread(target=self.restart_database)
        ]
        for thread in threads:
            thread.start()
        opened = self.write_alerts(seconds=seconds, per_minute=per_minute)
        self.ending.set()  # from here on nothing fails any more, and what is owed must arrive
        self.failing = False
        threads[-1].join()
        drained = self.wait_until_drained(seconds=180)
        self.stopping = True
        for process in self.processes.values():
            process.terminate()
        for thread in threads[:-1]:
            thread.join()
        return self.report(opened, drained)

    def keep_dispatching(self, number: int) -> None:
        """Run a dispatcher and kill it every few seconds."""
        environment = {**os.environ, "LOANWATCH_DATABASE_URL": self.database.conninfo, "OMP_NUM_THREADS": "1"}
        randomness = random.Random(number)
        while not self.stopping:
            process = subprocess.Popen(
                [sys.executable, "-m", "loanwatch", "dispatch"], cwd=self.folder, env=environment,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            self.processes[number] = process
            lifetime = randomness.uniform(4, 20)
            deadline = time.monotonic() + lifetime
            while process.poll() is None and not self.stopping:
                if not self.ending.is_set() and time.monotonic() > deadline:
                    process.send_signal(signal.SIGKILL)
                    self.kills += 1
                time.sleep(0.05)
            process.wait()

    def restart_database(self) -> None:
        while not self.ending.wait(self.random.uniform(15, 45)):
            self.server.stop()
            time.sleep(self.random.uniform(0, 1))
            self.server.start()
            self.restarts += 1

    def write_alerts(self, *, seconds: float, per_minute: float) -> int:
        """Break rules, report events, acknowledge and resolve; what a lost connection refused is not owed."""
        deadline, number = time.monotonic() + seconds, 0
        while time.monotonic() < deadline:
            number += 1
            try:
                with self.database.connect() as connection:
                    self.one_change(connection, number)
            except (psycopg.Error, LoanwatchError):
                self.refused += 1
            time.sleep(self.random.expovariate(per_minute / 60))
        return number

    def one_change(self, connection: psycopg.Connection[Any], number: int) -> None:
        kind = self.random.random()
        if kind < 0.5:
            value = self.random.choice((0.1, 0.9, 0.9))
            connection.execute(
                "INSERT INTO loanwatch.model_metric (model_id, name, value) SELECT id, %s, %s FROM loanwatch.ml_model",
                [f"metric_{self.random.randint(1, 50)}", value],
            )
        elif kind < 0.8:
            open_alert(connection, event=Event.HALTED, severity=Severity.HIGH, message=f"<event> {number}")
        else:
            row = connection.execute(
                "SELECT id FROM loanwatch.alert WHERE status = 'open' ORDER BY random() LIMIT 1"
            ).fetchone()
            if row and kind < 0.9:
                acknowledge(connection, row[0], actor="ada", note=f"note {number}")
            elif row:
                resolve(connection, row[0], actor="ada", reason=f"reason {number}")

    def wait_until_drained(self, *, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            owed = self.query(
                "SELECT (SELECT count(*) FROM loanwatch.alert_change WHERE notify AND routed_at IS NULL) + "
                "(SELECT count(*) FROM loanwatch.outbox WHERE status IN ('pending', 'sending', 'held'))"
            )[0][0]
            if owed == 0:
                return True
            time.sleep(0.5)
        return False

    def query(self, statement: str) -> list[Any]:
        with self.database.connect() as connection:
            return connection.execute(statement).fetchall()

    def report(self, written: int, drained: bool) -> int:
        record = self.standin.record
        rows = self.query(
            "SELECT channel, status, idempotency_key::text, possible_repeat, receipt ->> 'ts', payload "
            "FROM loanwatch.outbox"
        )
        (alerts,), (changes,) = self.query("SELECT count(*) FROM loanwatch.alert UNION ALL "
                                           "SELECT count(*) FROM loanwatch.alert_change WHERE notify")  # fmt: skip
        loud = self.query(
            "SELECT count(*) FROM loanwatch.alert_change WHERE notify "
            "AND kind IN ('opened', 'reopened', 'raised', 'escalated', 'unmuted', 'resolved')"
        )[0][0]
        failures = [] if drained else ["the outbox was not empty in time"]
        owed = {channel: [row for row in rows if row[0] == channel] for channel in ("bot", "incoming", "hook", "mail")}
        expect(failures, "deliveries owed to the bot", len(owed["bot"]), changes)
        expect(failures, "deliveries owed to the webhook", len(owed["hook"]), changes)
        expect(failures, "deliveries owed to the incoming webhook", len(owed["incoming"]), loud)
        expect(failures, "deliveries owed by mail", len(owed["mail"]), loud)
        expect(failures, "deliveries not delivered", [row[:3] for row in rows if row[1] != "delivered"], [])
        posted = {post["metadata"]["event_payload"]["delivery"]: post["ts"] for post in record.posts}
        doubled = len(record.posts) - len(posted)
        expect(failures, "messages of the bot that came twice", doubled, 0)
        expect(failures, "the bot's messages and their names", posted, {row[2]: row[4] for row in owed["bot"]})
        taken = {request["key"]: request["raw"] for request in record.webhooks}
        expect(failures, "keys that the webhook took", set(taken), {row[2] for row in owed["hook"]})
        expect(
            failures, "bodies under one key",
            len({(request["key"], request["raw"]) for request in record.webhooks}), len(taken),
        )  # fmt: skip
        mails = {mail.message_id: mail.text for mail in self.mailbox.mails}
        wanted_ids = {f"<{row[2]}@lender.example>" for row in owed["mail"]}
        expect(failures, "mails by their Message-ID", set(mails), wanted_ids)
        expect(
            failures,
            "texts under one Message-ID",
            len({(m.message_id, m.text) for m in self.mailbox.mails}),
            len(mails),
        )
        hooks = Counter(text_of(post["blocks"]) for post in record.hooks)
        wanted = Counter(text_of_payload(row[5]) for row in owed["incoming"])
        doubtful = {text_of_payload(row[5]) for row in owed["incoming"] if row[3]}
        expect(failures, "incoming messages lost", [text for text in wanted if hooks[text] < wanted[text]], [])
        expect(
            failures, "incoming messages doubled without a mark",
            [text for text in hooks if hooks[text] > wanted[text] and text not in doubtful], [],
        )  # fmt: skip
        print(
            f"{written} changes tried ({self.refused} refused by the restarting database), {alerts} alerts, {changes} "
            f"changes told; {len(rows)} deliveries owed\n"
            f"{self.kills} dispatchers killed, {self.restarts} restarts of the database, "
            f"{sum(self.faults.values())} faults: {dict(self.faults.most_common())}\n"
            f"Slack bot: {len(posted)} messages, {doubled} doubled; webhook: {len(taken)} keys in "
            f"{len(record.webhooks)} requests; mail: {len(mails)} Message-IDs in {len(self.mailbox.mails)} mails; "
            f"incoming webhook: {sum(hooks.values())} messages for {sum(wanted.values())} deliveries, "
            f"{len(doubtful)} marked as possible repeats"
        )
        print("\n".join(f"FAILED: {failure}" for failure in failures) or "the record and the database agree exactly")
        return 1 if failures else 0


def expect(failures: list[str], what: str, got: object, wanted: object) -> None:
    if got != wanted:
        failures.append(f"{what}: got {str(got)[:300]}, expected {str(wanted)[:300]}")


def text_of(blocks: list[dict[str, Any]]) -> str:
    """Return what tells one message of the incoming webhook from another: its texts without the mark."""
    texts = [block["text"]["text"] for block in blocks if "text" in block]
    alert = (
        json.dumps([block for block in blocks if block["type"] == "context"]).partition("alert ")[2].partition(" ")[0]
    )
    return f"{alert} {texts[0][2:]}"


def text_of_payload(payload: dict[str, Any]) -> str:
    return f"{payload['alert_id']} {payload['title']}"


if __name__ == "__main__":
    sys.exit(main())
