"""Access tokens, from the command that makes them to the request they admit."""

import os
import subprocess
import sys
import time

import httpx
import pytest

from loanwatch.errors import LoanwatchError
from loanwatch.predictor import issue_token, list_tokens, revoke_token


def command(lender, *arguments):
    environment = {**os.environ, "DATABASE_URL": lender.database.conninfo}
    return subprocess.run(
        [sys.executable, "-m", "loanwatch", "--home", str(lender.home), "tokens", *arguments],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip


def ask(served, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.post(f"{served.address}/predict", json=[{"loan_id": "a"}], headers=headers, timeout=20)


def test_a_service_beyond_this_machine_asks_for_tokens_that_can_be_revoked(lender, serve):
    lender.deploy(lender.versions[0])
    made = command(lender, "create", "broker one", "--requests-per-minute", "6")
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    served = serve(lender, "--host", "0.0.0.0")
    assert ask(served).status_code == 401
    assert ask(served).headers["www-authenticate"].startswith("Bearer")
    assert ask(served, token[:-1] + ("A" if token[-1] != "A" else "B")).status_code == 401
    assert ask(served, token).status_code == 200
    refused = ask(served, token)
    assert (refused.status_code, refused.json()["error"]) == (429, "too_many_requests")
    assert int(refused.headers["retry-after"]) >= 1
    assert httpx.get(f"{served.address}/ping").status_code == 200
    assert httpx.get(f"{served.address}/metrics").status_code == 401
    assert command(lender, "revoke", "broker one").returncode == 0
    end = time.monotonic() + 30
    while ask(served, token).status_code != 401:
        assert time.monotonic() < end
        time.sleep(0.1)
    served.stop()
    assert token not in served.log.read_text()
    assert '"token": "broker one"' in served.log.read_text()


def test_only_the_hash_is_kept(lender):
    with lender.database.connect() as connection:
        token = issue_token(connection, name="a", created_by="x")
    secret = token.split("_", 2)[2]
    ((row,),) = lender.query("SELECT api_token::text FROM loanwatch.api_token AS api_token")
    assert secret not in row


def test_a_name_is_free_again_when_its_token_is_revoked(lender):
    with lender.database.connect() as connection:
        issue_token(connection, name="a", created_by="x")
        with pytest.raises(LoanwatchError, match="already"):
            issue_token(connection, name="a", created_by="x")
        revoke_token(connection, name="a")
        issue_token(connection, name="a", created_by="x")
        with pytest.raises(LoanwatchError, match="no valid token"):
            revoke_token(connection, name="b")
        assert [t.revoked_at is None for t in list_tokens(connection, valid_only=False)] == [False, True]


@pytest.mark.parametrize("name", ["", " a", "x" * 64, "a\nb", "-a"])
def test_a_name_that_could_mislead_is_refused(lender, name):
    with lender.database.connect() as connection, pytest.raises(LoanwatchError, match="no name"):
        issue_token(connection, name=name, created_by="x")


def test_the_list_shows_names_and_no_hashes(lender):
    command(lender, "create", "broker")
    listed = command(lender, "list", "--json")
    assert '"broker"' in listed.stdout
    assert "hash" not in listed.stdout
