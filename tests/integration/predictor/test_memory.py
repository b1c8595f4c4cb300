"""No decision is lost and none is written twice, whatever dies."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from loanwatch.predictor.shipper import Shipper
from loanwatch.predictor.spool import Spool


class Cable:
    """Between the service and the database, with a plug."""

    def __init__(self, port):
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.is_plugged = True
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def pull(self):
        self.is_plugged = False
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def plug(self):
        self.is_plugged = True

    def close(self):
        self.pull()
        self._listener.close()
        for each in self._open:
            each.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if not self.is_plugged:
                    client.close()
                    continue
                server = socket.create_connection(self._target)
                self._open += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    @staticmethod
    def _pump(source, target):
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def cable(lender):
    parameters = psycopg.conninfo.conninfo_to_dict(lender.database.conninfo)
    with closing(Cable(int(parameters["port"]))) as cable:
        yield cable


def through(cable, lender):
    return make_conninfo(lender.database.conninfo, host="127.0.0.1", port=str(cable.port))


def written(lender):
    return [row[0] for row in lender.query("SELECT application_id FROM loanwatch.prediction ORDER BY id")]


def test_a_decision_is_remembered_with_all_that_led_to_it(lender, serve, until):
    lender.deploy(lender.versions[0])
    served = serve(lender)
    row = {"loan_id": " L1 ", "credit_score": 400, "purpose": "moon flight", "monthly_debt": "$1,000"}
    (answer,) = served.predict([row], params={"explain": "1"}, headers={"X-Request-ID": "r-1"}).json()
    until(lambda: written(lender))
    ((found),) = lender.query(
        "SELECT application_id, probability, prediction, model_id, model_name, model_version, source, contract, "
        "inputs, reasons, request_id, metadata, now() - decided_at < interval '1 minute', tableoid::regclass::text "
        "FROM loanwatch.prediction"
    )
    assert found[:8] == (
        "L1", answer["probability"], answer["prediction"], lender.versions[0].id, "loan_eligibility", 1, "online",
        "loan_eligibility",
    )  # fmt: skip
    assert found[8] == row
    assert found[9] == answer["reasons"]
    assert found[10:13] == ("r-1", {"unknown_categories": ["purpose"]}, True)
    assert found[13] != "loanwatch.prediction_default"


def test_while_the_database_is_away_scoring_goes_on_and_nothing_is_lost(lender, serve, cable, until):
    lender.deploy(lender.versions[0])
    served = serve(lender, conninfo=through(cable, lender))
    asked = [f"L{n}" for n in range(90)]

    def ask(ids):
        for one in ids:
            assert served.predict([{"loan_id": one}]).status_code == 200

    ask(asked[:30])
    cable.pull()
    ask(asked[30:60])
    until(lambda: "decisions are spooled" in served.log.read_text())
    ask(asked[60:])
    assert len(written(lender)) < 90
    assert httpx.get(f"{served.address}/health").json()["spool_bytes"] > 0
    cable.plug()
    until(lambda: len(written(lender)) == 90)
    assert written(lender) == asked
    assert served.stop() == 0
    assert lender.spooled() == []


def test_a_stop_while_the_database_is_away_keeps_the_decisions_for_the_next_start(lender, serve, cable, until):
    lender.deploy(lender.versions[0])
    served = serve(lender, conninfo=through(cable, lender))
    cable.pull()
    assert served.predict([{"loan_id": "a"}, {"loan_id": "b"}]).status_code == 200
    assert served.stop() == 0
    assert written(lender) == []
    assert len(lender.spooled()) == 1
    cable.plug()
    again = serve(lender)
    until(lambda: written(lender) == ["a", "b"])
    assert again.stop() == 0
    assert lender.spooled() == []


def kill_whole(process):
    """Kill parent and workers at once."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for pid in (*map(int, children), process.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def workers_of(process):
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_a_service_killed_while_the_database_is_away_decides_again_without_it(lender, serve, cable, until):
    """All processes die in the outage; the next service scores through it; nothing is lost, nothing is doubled."""
    lender.deploy(lender.versions[0])
    served = serve(lender, "--workers", "2", conninfo=through(cable, lender))
    assert served.predict([{"loan_id": "before"}]).status_code == 200
    until(lambda: written(lender) == ["before"])
    cable.pull()
    for number in range(20):
        assert served.predict([{"loan_id": f"first {number}"}]).status_code == 200
    kill_whole(served.process)
    again = serve(lender, "--workers", "2", conninfo=through(cable, lender))
    for number in range(20):
        answer = again.predict([{"loan_id": f"second {number}"}])
        assert answer.json()[0]["model_version"] == 1
    os.kill(workers_of(again.process)[0], signal.SIGKILL)
    until(lambda: "replaced" in again.log.read_text())
    for number in range(20):
        assert again.predict([{"loan_id": f"third {number}"}]).status_code == 200
    assert written(lender) == ["before"]
    cable.plug()
    until(lambda: len(written(lender)) >= 61)
    assert again.stop() == 0
    assert len(set(written(lender))) == len(written(lender)) == 61
    assert lender.spooled() == []


def test_a_first_start_without_a_database_says_so(lender, cable):
    cable.pull()
    done = subprocess.run(
        [sys.executable, "-m", "loanwatch", "--home", str(lender.home), "serve", "--port", "0"],
        capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "DATABASE_URL": through(cable, lender)},
    )  # fmt: skip
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_answered_before_a_kill_is_written_after_it(lender, serve, workers, until):
    """Killed in the midst of answering and of writing; every answer that a client has is one row in the end."""
    lender.deploy(lender.versions[0])
    answered = []
    for life in range(3):
        served = serve(lender, "--workers", str(workers))
        stop = threading.Event()

        def ask(name, served=served, stop=stop):
            number = 0
            with served.client as client, suppress(httpx.TransportError):
                while not stop.is_set():
                    ids = [f"{name}-{number}-{n}" for n in range(4)]
                    response = client.post("/predict", json=[{"loan_id": one} for one in ids])
                    if response.status_code == 200:
                        answered.extend(ids)
                    number += 1

        clients = [threading.Thread(target=ask, args=(f"{life}{who}",)) for who in "ab"]
        for client in clients:
            client.start()
        time.sleep(0.7 + 0.13 * life)
        kill_whole(served.process)
        stop.set()
        for client in clients:
            client.join()
    last = serve(lender)
    until(lambda: not [path for path in lender.spooled() if path.stat().st_size] or len(lender.spooled()) <= 1)
    assert last.stop() == 0
    rows = written(lender)
    assert len(rows) == len(set(rows))
    assert set(answered) <= set(rows)
    assert len(answered) > 100
    assert lender.spooled() == []


def line(number, *, probability="0.5"):
    return (
        f'{{"decision_id":"00000000-0000-4000-8000-{number:012d}","decided_at":"2015-03-0{number}T00:00:00+00:00",'
        f'"contract":"c","application_id":"L{number}","model_id":null,"model_name":"m","model_version":1,'
        f'"probability":{probability},"prediction":"loan given","source":"online","inputs":{{}},"request_id":"r"}}\n'
    ).encode()


def test_a_decision_that_is_written_again_stays_one(lender, tmp_path):
    for _ in range(2):
        spool = Spool(tmp_path / "spool")
        spool.append(line(1) + line(2))
        shipper = Shipper(spool, lender.database)
        shipper.ship()
        spool.close()
        shipper._disconnect()
    assert written(lender) == ["L1", "L2"]


def test_a_line_that_no_table_can_hold_does_not_hold_up_the_others(lender, tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.append(line(1) + b"garbage\n" + line(2) + line(3, probability="7") + line(4))
    counts = []
    shipper = Shipper(spool, lender.database, told=lambda *of: counts.append(of))
    shipper.ship()
    spool.close()
    shipper._disconnect()
    assert written(lender) == ["L1", "L2", "L4"]
    assert counts == [(3, 2)]
    assert (tmp_path / "spool" / "refused.jsonl").read_bytes() == b"garbage\n" + line(3, probability="7")


def test_labels_that_arrive_later_join_by_application(lender, tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.append(line(1) + line(2))
    shipper = Shipper(spool, lender.database)
    shipper.ship()
    spool.close()
    shipper._disconnect()
    with lender.database.connect() as connection:
        connection.execute("CREATE TABLE loan_details (loan_id text, loan_status text)")
        connection.execute("INSERT INTO loan_details VALUES ('L2', 'Loan Given')")
    joined = lender.query(
        "SELECT application_id, prediction, loan_status FROM loanwatch.prediction "
        "JOIN loan_details ON loan_id = application_id"
    )
    assert joined == [("L2", "loan given", "Loan Given")]
