"""An object store by URL, against a local server that speaks S3."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from loanwatch.errors import SettingsError, StorageError
from loanwatch.settings import Settings
from loanwatch.storage import Storage, open_storage

pytest.importorskip("obstore", reason="the extra object-store is not installed")
moto_server = pytest.importorskip("moto.server", reason="moto is not installed")

BUCKET = "lender"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def settings(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    import urllib.request  # noqa: PLC0415

    for name, value in {
        "AWS_ENDPOINT_URL": s3, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    urllib.request.urlopen(urllib.request.Request(f"{s3}/moto-api/reset", method="POST")).close()
    urllib.request.urlopen(urllib.request.Request(f"{s3}/{BUCKET}", method="PUT")).close()
    return Settings(home=tmp_path / "one", storage_url=f"s3://{BUCKET}/loans")


def other_machine(settings: Settings, tmp_path: Path) -> Storage:
    return open_storage(settings.model_copy(update={"home": tmp_path / "two"}), "runs")


def test_what_one_machine_writes_another_reads(settings: Settings, tmp_path: Path) -> None:
    here, there = open_storage(settings, "runs"), other_machine(settings, tmp_path)
    assert not there.exists("7/a.bin")
    here.write("7/a.bin", b"abc")
    assert there.exists("7/a.bin")
    assert (there.read("7/a.bin"), there.path("7/a.bin").read_bytes()) == (b"abc", b"abc")


def test_a_frame_is_written_and_read_by_path(settings: Settings, tmp_path: Path) -> None:
    frame = pl.DataFrame({"x": range(1000)})
    with open_storage(settings, "runs").writing("7/window.parquet") as path:
        frame.write_parquet(path)
    assert pl.read_parquet(other_machine(settings, tmp_path).path("7/window.parquet")).equals(frame)


def test_a_copy_is_renewed_when_another_machine_wrote_since(settings: Settings, tmp_path: Path) -> None:
    here, there = open_storage(settings, "runs"), other_machine(settings, tmp_path)
    here.write("k", b"first")
    assert there.path("k").read_bytes() == b"first"
    here.write("k", b"other")
    assert there.path("k").read_bytes() == b"other"


def test_a_copy_that_is_current_is_not_fetched_again(settings: Settings, tmp_path: Path) -> None:
    here, there = open_storage(settings, "runs"), other_machine(settings, tmp_path)
    here.write("k", b"same")
    before = there.path("k").stat().st_mtime_ns
    assert there.path("k").stat().st_mtime_ns == before


def test_an_error_while_writing_leaves_what_was_there(settings: Settings, tmp_path: Path) -> None:
    here = open_storage(settings, "runs")
    here.write("k", b"old")
    with pytest.raises(ZeroDivisionError), here.writing("k") as path:
        path.write_bytes(b"half" * (1 // 0))
    assert other_machine(settings, tmp_path).read("k") == b"old"


def test_the_areas_are_apart_and_people_are_told_the_url(settings: Settings) -> None:
    open_storage(settings, "models").write("k", b"m")
    assert not open_storage(settings, "runs").exists("k")
    assert open_storage(settings, "models").location("k") == "s3://lender/loans/models/k"


def test_a_missing_object_is_named(settings: Settings) -> None:
    with pytest.raises(StorageError, match=r"s3://lender/loans/runs/none cannot be read: there is no such object"):
        open_storage(settings, "runs").read("none")


def test_a_key_cannot_lead_out(settings: Settings) -> None:
    with pytest.raises(StorageError, match="leads out"):
        open_storage(settings, "runs").read("../models/k")


def test_a_url_of_no_use_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="storage_url: nonsense"):
        open_storage(Settings(home=tmp_path, storage_url="nonsense"), "runs")


def test_without_a_url_files_lie_at_home(tmp_path: Path) -> None:
    storage = open_storage(Settings(home=tmp_path), "reports")
    assert storage.write("a.html", b"x") == tmp_path / "reports" / "a.html"
    assert storage.location("a.html") == str(tmp_path / "reports" / "a.html")
