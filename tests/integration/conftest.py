"""What tests of several parts need: an object store."""

import urllib.request
from collections.abc import Iterator

import pytest


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An object store of the test's own, for this process and those it starts; yields the address of its folder."""
    pytest.importorskip("obstore", reason="the extra object-store is not installed")
    moto_server = pytest.importorskip("moto.server", reason="moto is not installed")
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address, folder = f"http://{host}:{port}", "s3://lender/loans"
    for name, value in {
        "AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1", "LOANWATCH_STORAGE_URL": folder,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    urllib.request.urlopen(urllib.request.Request(f"{address}/lender", method="PUT")).close()
    yield folder
    server.stop()
