"""Keys and the password of the local Airflow: made once, readable by the owner only."""

import base64
import json
import secrets
from dataclasses import asdict
from pathlib import Path

from loanwatch.records import record

__all__ = ["Secrets", "load_secrets"]


@record
class Secrets:
    """What Airflow signs and encrypts with, and the password of its user `admin`."""

    fernet_key: str
    jwt_secret: str
    secret_key: str
    password: str


def load_secrets(folder: Path) -> Secrets:
    """Return the secrets of a folder; the first call makes them, with the file that Airflow reads passwords from."""
    path = folder / "secrets.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = Secrets(
            fernet_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            jwt_secret=secrets.token_urlsafe(48),
            secret_key=secrets.token_urlsafe(32),
            password=secrets.token_urlsafe(12),
        )
        _write(path, asdict(made))
    found = Secrets(**json.loads(path.read_text(encoding="utf-8")))
    _write(passwords_file(folder), {"admin": found.password})
    return found


def passwords_file(folder: Path) -> Path:
    """Return where Airflow's simple auth manager finds the password."""
    return folder / "passwords.json"


def _write(path: Path, values: dict[str, str]) -> None:
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(values), encoding="utf-8")
    draft.replace(path)
