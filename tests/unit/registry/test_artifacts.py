"""A model's files are those that were registered, or they are not used."""

from pathlib import Path

import pytest

from loanwatch.errors import ArtifactError, StorageError
from loanwatch.registry import load_artifact, save_artifact
from loanwatch.storage import Storage

FILES = {"model.onnx": b"\x00graph", "card.json": b"{}"}


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    assert load_artifact(storage, "m", save_artifact(storage, "m", FILES)) == FILES


def test_the_same_files_have_the_same_digest_in_any_order(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    assert save_artifact(storage, "m", FILES) == save_artifact(storage, "m", dict(reversed(FILES.items())))


@pytest.mark.parametrize("damaged", ["model.onnx", "card.json", "manifest.json"])
def test_a_changed_or_missing_file_is_refused_by_name(tmp_path: Path, damaged: str) -> None:
    storage = Storage(tmp_path)
    digest = save_artifact(storage, "m", FILES)
    path = next(tmp_path.rglob(damaged))
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ArtifactError, match=damaged):
        load_artifact(storage, "m", digest)
    path.unlink()
    with pytest.raises(ArtifactError, match=damaged):
        load_artifact(storage, "m", digest)


def test_another_models_files_under_this_digest_are_refused(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    digest = save_artifact(storage, "m", FILES)
    other = save_artifact(storage, "m", {**FILES, "card.json": b"[]"})
    (tmp_path / "m" / digest[:16] / "manifest.json").write_bytes(
        (tmp_path / "m" / other[:16] / "manifest.json").read_bytes()
    )
    with pytest.raises(ArtifactError, match="registered digest"):
        load_artifact(storage, "m", digest)


def test_a_save_that_fails_half_way_leaves_nothing_that_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = Storage(tmp_path)
    digest = save_artifact(Storage(tmp_path / "elsewhere"), "m", FILES)
    written: list[str] = []

    def fail_on_the_second(self: Storage, key: str, content: bytes) -> Path:
        written.append(key)
        if len(written) == 2:
            raise StorageError
        return original(self, key, content)

    original = Storage.write
    monkeypatch.setattr(Storage, "write", fail_on_the_second)
    with pytest.raises(StorageError):
        save_artifact(storage, "m", FILES)
    with pytest.raises(ArtifactError, match="missing"):
        load_artifact(storage, "m", digest)
