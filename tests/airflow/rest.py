"""Airflow's REST API, as a client outside uses it."""

import json
import time
import urllib.error
import urllib.request
from typing import Any


class Rest:
    """One signed-in user of an Airflow."""

    def __init__(self, address: str, *, password: str, user: str = "admin") -> None:
        self.address = address
        self._token = None
        _, answer = self.call("POST", "/auth/token", {"username": user, "password": password})
        self._token = answer["access_token"]

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, method=method, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def unpause(self, dag: str, *, within_seconds: float = 90) -> None:
        deadline = time.monotonic() + within_seconds
        while self.call("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False})[0] != 200:
            assert time.monotonic() < deadline, f"{dag} was not parsed in time"
            time.sleep(1)

    def trigger(self, dag: str, **conf: Any) -> str:
        status, answer = self.call("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None, "conf": conf})
        assert status == 200, answer
        return str(answer["dag_run_id"])

    def wait(self, dag: str, run: str, *, within_seconds: float = 600) -> str:
        deadline = time.monotonic() + within_seconds
        while True:
            state = self.call("GET", f"/api/v2/dags/{dag}/dagRuns/{run}")[1]["state"]
            if state in {"success", "failed"}:
                return str(state)
            assert time.monotonic() < deadline, (state, self.tasks(dag, run))
            time.sleep(0.3)

    def succeed(self, dag: str, run: str, *, within_seconds: float = 600) -> None:
        state = self.wait(dag, run, within_seconds=within_seconds)
        assert state == "success", self._why_failed(dag, run)

    def answer(self, dag: str, run: str, task: str, choice: str, *, within_seconds: float = 300) -> None:
        """Answer what a task asks a person, as the page Required actions does."""
        path = f"/api/v2/dags/{dag}/dagRuns/{run}"
        deadline = time.monotonic() + within_seconds
        while not self.call("GET", f"{path}/hitlDetails?response_received=false")[1]["total_entries"]:
            assert time.monotonic() < deadline, self.tasks(dag, run)
            time.sleep(0.5)
        time.sleep(4)  # Airflow 3.3 fails a task that is answered in the moment in which it is parked
        body = {"chosen_options": [choice], "params_input": {}}
        status, answer = self.call("PATCH", f"{path}/taskInstances/{task}/-1/hitlDetails", body)
        assert status == 200, answer

    def _why_failed(self, dag: str, run: str) -> str:
        """Return the states of the tasks, and what the failed ones logged in each of their tries."""
        tasks = self.tasks(dag, run)
        told = [str({task["task_id"]: (task["state"], task["try_number"]) for task in tasks})]
        for task in tasks:
            if task["state"] == "failed":
                path = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task['task_id']}/logs"
                told += [
                    f"{task['task_id']} {attempt}: {self.call('GET', f'{path}/{attempt}?full_content=true')[1]}"
                    for attempt in range(1, task["try_number"] + 1)
                ]
        return "\n".join(told)

    def tasks(self, dag: str, run: str) -> list[dict[str, Any]]:
        path = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances?limit=100"
        return list(self.call("GET", path)[1]["task_instances"])
