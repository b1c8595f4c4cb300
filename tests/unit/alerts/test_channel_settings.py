"""Channels come from loanwatch.toml and variables; their secrets are never shown."""

from pathlib import Path

import pytest

from loanwatch.errors import SettingsError
from loanwatch.settings import load_settings

SLACK = '[channels.ops]\ntype = "slack"\nchannel = "C1"\n'
MAIL = '[channels.m]\ntype = "email"\nhost = "h"\nsender = "a@b"\nrecipients = ["c@d"]\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_secret_may_come_from_a_variable_and_is_not_shown(folder, monkeypatch):
    (folder / "loanwatch.toml").write_text(SLACK)
    monkeypatch.setenv("LOANWATCH_CHANNELS__OPS__TOKEN", "xoxb-secret")
    settings = load_settings()
    assert settings.channels["ops"].secrets == ("xoxb-secret",)
    assert "xoxb-secret" not in repr(settings)


@pytest.mark.parametrize(("text", "message"), [
    (SLACK, "channels.ops.slack.token"),
    (SLACK + 'token = ["xoxb-secret"]', "channels.ops.slack.token"),
    ('[channels.ops]\ntype = "pager"\ntoken = "xoxb-secret"', "channels.ops"),
    ('[channels.ops]\ntoken = "xoxb-secret"', "channels.ops"),
    (SLACK + 'token = "xoxb-secret"\ncolour = "red"', "channels.ops.slack.colour"),
    (MAIL + 'quiet_hours = "late"', "two times such as 22:00-07:00"),
    (MAIL + 'quiet_hours = "07:00-07:00"', "same time"),
    (MAIL + 'timezone = "Mars/Base"', "time zone"),
    (MAIL + 'security = "none"\nuser = "u"\npassword = "xoxb-secret"', "only sent with security"),
    (MAIL.replace('["c@d"]', "[]"), "channels.m.email.recipients"),
    ("[alerting]\nescalate_after_minutes = {huge = 1}", "alerting"),
])  # fmt: skip
def test_a_bad_channel_is_named_without_its_secrets(folder, text, message):
    (folder / "loanwatch.toml").write_text(text)
    with pytest.raises(SettingsError, match=message) as caught:
        load_settings()
    assert "xoxb-secret" not in str(caught.value)
