"""Settings come from arguments, variables and loanwatch.toml, and a bad one is named with its source."""

import json
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from loanwatch.errors import SettingsError
from loanwatch.settings import load_settings


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (
        "DATABASE_URL",
        "PGHOST",
        "PGDATABASE",
        "PGUSER",
        "PGPORT",
        "PGSERVICE",
        "PGHOSTADDR",
        "LOANWATCH_HOME",
    ):
        monkeypatch.delenv(name, raising=False)


def test_without_anything_the_embedded_server_is_used(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.external_database() is None
    assert settings.home == tmp_path / ".loanwatch"


def test_arguments_come_before_variables_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loanwatch.toml").write_text('home = "from_file"\nleakage = "warn"\nretrain_on = "any_drift"\n')
    monkeypatch.setenv("LOANWATCH_LEAKAGE", "exclude")
    settings = load_settings(home=tmp_path / "from_argument")
    assert settings.home.name == "from_argument"
    assert settings.contract().policy.leakage == "exclude"
    assert settings.contract().policy.retrain_on == "any_drift"


@pytest.mark.parametrize(
    ("variable", "value"), [("DATABASE_URL", "postgresql://a@b/c"), ("LOANWATCH_DATABASE_URL", "postgresql://a@b/c")]
)
def test_a_database_url_names_the_server(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    assert load_settings().external_database() == value


@pytest.mark.parametrize("variable", ["PGHOST", "PGSERVICE", "PGDATABASE"])
def test_libpqs_variables_name_the_server(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "x")
    assert load_settings().external_database() == "postgresql://"


@pytest.mark.parametrize("host", ["h", "/var/run/postgresql", "::1"])
def test_a_creds_file_names_the_server_and_keeps_odd_characters(tmp_path: Path, host: str) -> None:
    creds = {"host": host, "database": "d b", "user": "u@x", "password": "p/:@% '", "port": 5433}
    (tmp_path / "Creds.json").write_text(json.dumps(creds))
    named = load_settings(creds_file=tmp_path / "Creds.json").external_database()
    assert named is not None
    assert conninfo_to_dict(named) == {
        "host": host,
        "dbname": "d b",
        "user": "u@x",
        "password": "p/:@% '",
        "port": "5433",
    }


def test_a_mistyped_setting_does_not_show_its_value_which_may_hold_a_password(tmp_path: Path) -> None:
    (tmp_path / "loanwatch.toml").write_text('databse_url = "postgresql://u:s3cret@db/loans"\n')
    with pytest.raises(SettingsError, match="setting databse_url") as caught:
        load_settings()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"), [("{}", "lacks database, host, user"), ("[", "is not JSON"), (None, "cannot be read")]
)
def test_a_bad_creds_file_is_named(tmp_path: Path, text: str | None, complaint: str) -> None:
    path = tmp_path / "Creds.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError, match=complaint):
        load_settings(creds_file=path).external_database()


def test_a_bad_value_is_named_with_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOANWATCH_LEAKAGE", "ignore")
    with pytest.raises(SettingsError, match=r"setting leakage \(variable LOANWATCH_LEAKAGE\).*'ignore'"):
        load_settings()
    monkeypatch.delenv("LOANWATCH_LEAKAGE")
    (tmp_path / "loanwatch.toml").write_text('log_level = "loud"\n')
    with pytest.raises(SettingsError, match=r"setting log_level \(loanwatch\.toml\)"):
        load_settings()
    (tmp_path / "loanwatch.toml").write_text('hom = "x"\n')
    with pytest.raises(SettingsError, match="setting hom"):
        load_settings()
    (tmp_path / "loanwatch.toml").write_text("home = ")
    with pytest.raises(SettingsError, match=r"loanwatch\.toml"):
        load_settings()
