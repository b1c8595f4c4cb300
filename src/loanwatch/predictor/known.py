"""What was in use last, kept beside the spool for a worker that starts while database or new model cannot be had."""

import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from loanwatch.predictor.tokens import Token
from loanwatch.registry import ModelVersion

__all__ = ["LastKnown"]

_FILE = "last-known.json"


class LastKnown:
    """The version in use and the valid tokens, hashed, in a file that only its owner reads.

    Parameters
    ----------
    folder : Path
        Shared by all workers of a service and by the one after it.
    model : str
        Name of the model; what is kept of another is not used.
    """

    def __init__(self, folder: Path, *, model: str) -> None:
        self.path = folder / _FILE
        self._model = model
        self._kept = b""

    def keep(self, version: ModelVersion, tokens: Sequence[Token]) -> None:
        """Keep what is in force, if it is news; a disk that does not take it is no reason to stop serving."""
        content = to_json(
            {
                "version": asdict(version),
                "tokens": [{**asdict(token), "token_hash": token.token_hash.hex()} for token in tokens],
            }
        )
        if content == self._kept:
            return
        draft = self.path.with_name(f".{_FILE}.{os.getpid()}")
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft.touch(mode=0o600)
            draft.write_bytes(content)
            draft.replace(self.path)
            self._kept = content

    def forget(self) -> None:
        """Keep nothing: no model is deployed."""
        self._kept = b""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def recall(self) -> tuple[ModelVersion, list[Token]] | None:
        """Return the version and the tokens that were in force, or None where nothing that fits was kept."""
        try:
            kept: dict[str, Any] = json.loads(self.path.read_bytes())
            version = TypeAdapter(ModelVersion).validate_python(kept["version"])
            tokens = [{**token, "token_hash": bytes.fromhex(token["token_hash"])} for token in kept["tokens"]]
            found = TypeAdapter(list[Token]).validate_python(tokens)
        except (OSError, ValueError, KeyError, TypeError, ValidationError):
            return None
        return (version, found) if version.name == self._model else None
