"""The settings of one process: built once at the edge, passed down.

Order of precedence: arguments, `LOANWATCH_*` variables, `loanwatch.toml` in the working directory, defaults.
The database is named by `DATABASE_URL`, else by `creds_file`, else by libpq's variables; without any of them the
embedded server is used.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from loanwatch.channel_settings import AlertingSettings, Channel
from loanwatch.contract import Contract, default_contract, load_contract
from loanwatch.errors import SettingsError

__all__ = ["Settings", "load_settings"]

_LIBPQ_VARIABLES = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE")
_CREDS_KEYS = {"host", "database", "user", "password", "port"}


class Settings(BaseSettings):
    """Everything that differs from one installation to the next."""

    model_config = SettingsConfigDict(
        env_prefix="LOANWATCH_",
        env_nested_delimiter="__",
        toml_file="loanwatch.toml",
        extra="forbid",
        frozen=True,
        populate_by_name=True,
    )

    home: Path = Path(".loanwatch")
    """Folder of the embedded server, snapshots, models and reports."""
    database_url: str | None = Field(
        default=None, validation_alias=AliasChoices("database_url", "LOANWATCH_DATABASE_URL", "DATABASE_URL")
    )
    """`postgresql://user:password@host:port/database`."""
    creds_file: Path | None = None
    """A JSON file with host, database, user, password and port."""
    storage_url: str | None = None
    """`s3://bucket/prefix`: snapshots, models and reports lie there instead of in `home`."""
    contract_file: Path | None = None
    """The contract; by default the loan contract that ships with loanwatch."""
    leakage: Literal["halt", "exclude", "warn"] | None = None
    """Overrides `policy.leakage` of the contract."""
    retrain_on: Literal["evidence", "any_drift"] | None = None
    """Overrides `policy.retrain_on` of the contract."""
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    log_json: bool = False
    channels: dict[str, Channel] = {}
    """Where alerts are told, by name."""
    alerting: AlertingSettings = AlertingSettings()

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (the signature is pydantic's)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Name the sources, first wins."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def snapshot_folder(self) -> Path:
        """Where the runs keep their snapshots and results."""
        return self.home / "runs"

    @property
    def model_folder(self) -> Path:
        """Where the models' artifacts lie."""
        return self.home / "models"

    @property
    def report_folder(self) -> Path:
        """Where the reports lie."""
        return self.home / "reports"

    def external_database(self, environment: Mapping[str, str] | None = None) -> str | None:
        """Return the conninfo of the server that somebody named, or None for the embedded one.

        Raises
        ------
        SettingsError
            If `creds_file` is missing, is not JSON or lacks a key.
        """
        if self.database_url:
            return self.database_url
        if self.creds_file:
            return _read_creds(self.creds_file)
        environment = os.environ if environment is None else environment
        if any(environment.get(name) for name in _LIBPQ_VARIABLES):
            return "postgresql://"  # an empty URI: libpq takes every part from its variables
        return None

    def contract(self) -> Contract:
        """Return the contract in force, with the overrides of these settings.

        Raises
        ------
        ContractError
            If the contract file cannot be used.
        """
        contract = load_contract(self.contract_file) if self.contract_file else default_contract()
        overrides = {name: value for name in ("leakage", "retrain_on") if (value := getattr(self, name)) is not None}
        policy = replace(contract.policy, **overrides)
        return replace(contract, policy=policy)


def load_settings(**arguments: Any) -> Settings:  # noqa: ANN401  (each argument is checked by the model)
    """Build the settings from arguments, environment and `loanwatch.toml`.

    Raises
    ------
    SettingsError
        With the name of the setting, its source and what was expected.
    """
    try:
        return Settings(**{k: v for k, v in arguments.items() if v is not None})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        if name == "channels":  # the value may be a secret
            place = ".".join(str(part) for part in first["loc"])
            raise SettingsError(f"setting {place} (loanwatch.toml or LOANWATCH_CHANNELS__…): {first['msg']}") from None
        secret = first["type"] == "extra_forbidden" or "url" in name  # a name that was mistyped may hold a password
        got = "" if secret else f", got {str(first['input'])[:80]!r}"
        message = f"setting {name} ({_source_of(name, arguments)}): {first['msg']}{got}"
        raise SettingsError(message) from (None if secret else error)
    except ValueError as error:  # a loanwatch.toml that is not TOML
        raise SettingsError(f"loanwatch.toml cannot be read: {error}") from error


def _source_of(name: str, arguments: Mapping[str, Any]) -> str:
    if arguments.get(name) is not None:
        return "argument"
    for variable in (f"LOANWATCH_{name.upper()}", name.upper()):
        if variable in os.environ:
            return f"variable {variable}"
    return "loanwatch.toml"


def _read_creds(path: Path) -> str:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"setting creds_file: {path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise SettingsError(f"setting creds_file: {path} is not JSON: {error}") from error
    if not isinstance(values, dict) or not set(values) >= _CREDS_KEYS - {"port", "password"}:
        missing = sorted(_CREDS_KEYS - {"port", "password"} - set(values if isinstance(values, dict) else ()))
        raise SettingsError(f"setting creds_file: {path} lacks {', '.join(missing)}")
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415  (heavy, and seldom asked for)

    return make_conninfo(
        "",
        host=str(values["host"]),
        port=str(values.get("port") or 5432),
        dbname=str(values["database"]),
        user=str(values["user"]),
        password=str(values["password"]) if values.get("password") else None,
    )
