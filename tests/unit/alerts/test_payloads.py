"""What is shown is escaped and cut; what is said answers three questions."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loanwatch.alerts.email.payload import mail_of
from loanwatch.alerts.events import Event, guidance_of
from loanwatch.alerts.messages import Message, compose, digest
from loanwatch.alerts.slack.payload import blocks, escaped, fallback_text
from loanwatch.alerts.transport import Delivery, failure_of_status
from loanwatch.alerts.webhook.payload import body_of


def row(**changes: Any) -> dict[str, Any]:
    return {
        "id": 1, "kind": "opened", "actor": "ada", "reason": "", "severity": "high", "alert_id": 7, "event": "halted",
        "message": "m", "details": {}, "run_id": 3, "triggered_at": datetime(2015, 1, 1, tzinfo=UTC), "occurrences": 1,
        "metric": None, "model": "loans", "version": 2, **changes,
    }  # fmt: skip


def delivery(message: Message, **changes: Any) -> Delivery:
    moment = datetime(2015, 1, 1, tzinfo=UTC)
    return Delivery(
        id=1, channel="c", alert_id=7, idempotency_key=UUID(int=1), attempts=1, outcome_unknown=False,
        possible_repeat=False, created_at=moment, first_attempt_at=moment, payload=message.to_dict(), **changes,
    )  # fmt: skip


@pytest.mark.parametrize("event", [*Event, None])
def test_every_event_says_what_happened_whether_it_matters_and_what_to_do(event):
    message = compose(row(event=event, metric="auc"), public_url="https://x/")
    assert message.title
    assert message.what
    assert message.matters
    assert message.action
    assert (message.link, message.manage) == ("https://x/reports/run-3.html", "https://x/alerts/7")
    assert guidance_of(event)


def test_without_a_public_address_the_message_names_commands():
    message = compose(row(), public_url=None)
    assert (message.link, message.manage) == ("loanwatch report 3", "loanwatch alerts ack 7")
    assert not any(block["type"] == "actions" for block in blocks(message))
    assert "`loanwatch alerts ack 7`" in json.dumps(blocks(message))


@given(st.text(max_size=300), st.integers(min_value=1, max_value=100))
def test_escaping_keeps_within_the_limit_and_never_tears_an_entity(text, limit):
    found = escaped(text, limit)
    assert len(found) <= max(limit, 1)
    assert "<" not in found
    assert ">" not in found
    assert found.count("&") == sum(found.count(entity) for entity in ("&amp;", "&lt;", "&gt;"))


@given(st.text(), st.text(), st.sampled_from(["opened", "resolved", "escalated", "muted"]))
def test_any_text_makes_blocks_that_slack_takes_and_mail_without_injected_headers(message, reason, kind):
    composed = compose(row(message=message * 50, reason=reason, kind=kind), public_url="https://x")
    found = blocks(composed, possible_repeat=True)
    assert len(found) <= 10
    for block in found:
        text = block.get("text", {}).get("text", "")
        assert len(text) <= (150 if block["type"] == "header" else 3000)
        assert block["type"] not in ("header", "section") or text
    assert 0 < len(fallback_text(composed)) <= 3000
    json.loads(body_of(delivery(composed)))
    mail = mail_of(delivery(composed), sender="a@b.example", recipients=("c@d.example",))
    assert set(mail.keys()) == {
        "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding",
        "MIME-Version",
    }  # fmt: skip
    assert mail.as_bytes()


def test_a_message_survives_the_way_through_json():
    message = digest(["a", "b"], total=2, severity="high")
    assert Message.from_dict(json.loads(json.dumps(message.to_dict()))) == message


def test_a_long_digest_says_how_much_it_leaves_out():
    message = digest([f"line {n}" for n in range(100)], total=100, severity="low")
    assert len(message.lines) == 40
    assert "100 messages were collected. The first 40 of them:" in message.what


@pytest.mark.parametrize(("status", "permanent", "may_have_arrived"), [
    (400, True, False), (401, True, False), (404, True, False), (410, True, False), (301, True, False),
    (408, False, False), (429, False, False), (500, False, True), (502, False, True), (504, False, True),
])  # fmt: skip
def test_a_status_says_whether_to_try_again_and_whether_it_may_have_arrived(status, permanent, may_have_arrived):
    failure = failure_of_status(status, "", retry_after_seconds=None)
    assert (failure.permanent, failure.may_have_arrived) == (permanent, may_have_arrived)
