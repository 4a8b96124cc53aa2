"""A real MLflow tracking server on loopback, and the program under test."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lsp"))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="session")
def tracking_uri(tmp_path_factory):
    store = tmp_path_factory.mktemp("mlflow")
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{store}/runs.db", "--artifacts-destination", str(store / "artifacts")]
    with open(store / "log", "w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=store, start_new_session=True)
    try:
        end = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"{uri}/health", timeout=5).read()
                break
            except OSError:
                assert server.poll() is None and time.monotonic() < end, (store / "log").read_text()
                time.sleep(0.2)
        yield uri
    finally:
        os.killpg(server.pid, 15)
        server.wait(30)


@pytest.fixture
def client(tracking_uri):
    """The client of MLflow."""
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri)


@pytest.fixture(autouse=True)
def no_tracking_from_outside(monkeypatch):
    for name in list(os.environ):
        if name.startswith("MLFLOW_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def codegaze() -> Path:
    path = Path(os.environ.get("CODEGAZE") or ROOT / "target" / "release" / "codegaze").resolve()
    assert path.exists(), f"{path} does not exist: run `cargo build --release`, or set CODEGAZE"
    return path
