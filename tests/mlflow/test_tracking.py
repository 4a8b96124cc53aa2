"""Reads runs with MLflow's client: recorded values equal computed ones, and a failing server causes one warning."""

import json
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import ROOT
from session import Server

EXAMPLES = [ROOT / "examples" / name for name in ("fibonacci.py", "tokenizer.rs", "LruCache.java")]
STAGES = {"latency_ms", "latency_chunk_ms", "latency_tokenize_ms", "latency_forward_ms", "latency_attribute_ms"}


def only_run(client, experiment: str):
    found = client.get_experiment_by_name(experiment)
    [run] = client.search_runs([found.experiment_id])
    return run


def history(client, run, key: str) -> list[float]:
    points = client.get_metric_history(run.info.run_id, key)
    points.sort(key=lambda point: point.step)
    assert [point.step for point in points] == list(range(len(points)))
    return [point.value for point in points]


def analyze(codegaze, *arguments, **options) -> subprocess.CompletedProcess:
    return subprocess.run([codegaze, "analyze", *arguments], capture_output=True, text=True, timeout=60, **options)


def sink_share(chunks: list[dict]) -> float:
    """The mean over the chunks of a document, weighted by subwords."""
    return sum(chunk["sink_share"] * chunk["tokens"] for chunk in chunks) / sum(chunk["tokens"] for chunk in chunks)


def test_analyze_is_one_run(client, tracking_uri, codegaze):
    tracked = ["--mlflow-uri", tracking_uri, "--mlflow-experiment", "files"]
    done = analyze(codegaze, *EXAMPLES, "--format", "json", "--method", "norm", *tracked)
    assert (done.returncode, done.stderr) == (0, "")
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    run = only_run(client, "files")
    assert run.info.status == "FINISHED" and run.info.end_time >= run.info.start_time
    params = run.data.params
    assert (params["model"], params["method"], params["precision"]) == ("codegaze-mini", "norm", "f32")
    assert params["version"] == subprocess.run([codegaze, "--version"], capture_output=True, text=True).stdout.split()[1]
    assert run.data.tags["codegaze.command"] == "analyze"
    assert set(run.data.metrics) == STAGES | {"code_length", "subwords", "chunks", "sink_share"}
    assert history(client, run, "code_length") == [len(path.read_bytes()) for path in EXAMPLES]
    assert history(client, run, "chunks") == [len(document["chunks"]) for document in documents]
    assert history(client, run, "subwords") == [sum(chunk["tokens"] for chunk in document["chunks"]) for document in documents]
    assert history(client, run, "sink_share") == pytest.approx([sink_share(document["chunks"]) for document in documents], abs=1e-5)
    for key in STAGES:
        assert all(value >= 0 for value in history(client, run, key))
    assert all(value > 0 for value in history(client, run, "latency_forward_ms"))


def test_many_samples_come_in_batches(client, tracking_uri, codegaze, tmp_path):
    for i in range(300):
        (tmp_path / f"{i:03}.py").write_text(f"x = {'1' * (i + 1)}\n")
    done = analyze(codegaze, tmp_path, "--top", "1", "--mlflow-uri", tracking_uri, "--mlflow-experiment", "many")
    assert (done.returncode, done.stderr) == (0, "")
    lengths = history(client, only_run(client, "many"), "code_length")
    assert lengths == [float(i + 6) for i in range(300)]


def test_the_environment_names_the_server(client, tracking_uri, codegaze, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_uri + "/")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "by name & environment")
    assert analyze(codegaze, EXAMPLES[0]).returncode == 0
    assert history(client, only_run(client, "by name & environment"), "chunks") == [1]


def test_a_session_of_the_language_server_is_one_run(client, tracking_uri):
    text = EXAMPLES[0].read_text()
    with Server("--stdio", "--mlflow-uri", tracking_uri, "--mlflow-experiment", "editor") as server:
        server.initialize()
        document = server.open(text)
        document.tokens()
        for i in range(3):
            document.change(((0, 0), (0, 0), f"# {i}\n"))
            document.tokens()
        stats = server.command("codegaze.server.info", {})["model"]["cache"]
        server.command("codegaze.server.setView", {"method": "rollout"})
        document.tokens()
    run = only_run(client, "editor")
    assert run.info.status == "FINISHED"
    assert (run.data.params["method"], run.data.tags["codegaze.methods"]) == ("received", "received, rollout")
    assert run.data.tags["codegaze.command"] == "lsp"
    lengths = history(client, run, "code_length")
    assert lengths[:4] == [len(text.encode()) + 4 * i for i in range(4)]
    hits = history(client, run, "cache_hits")
    assert hits == sorted(hits) and hits[3] <= stats["hits"] <= hits[-1]


def test_a_language_server_without_shutdown_is_a_failed_run(client, tracking_uri):
    server = Server("--stdio", "--mlflow-uri", tracking_uri, "--mlflow-experiment", "no shutdown")
    server.initialize()
    server.open(EXAMPLES[0].read_text()).tokens()
    server.process.stdin.close()
    assert server.process.wait(30) == 1
    assert only_run(client, "no shutdown").info.status == "FAILED"


def await_run(client, experiment: str) -> None:
    """Waits until the server knows of a run."""
    end = time.monotonic() + 60
    while not ((found := client.get_experiment_by_name(experiment)) and client.search_runs([found.experiment_id])):
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_session_that_a_signal_ends_is_a_killed_run(client, tracking_uri, codegaze, tmp_path, number, code):
    tracked = ["--mlflow-uri", tracking_uri, "--mlflow-experiment"]
    editor = f"editor and signal {number}"
    server = Server("--stdio", *tracked, editor)
    server.initialize()
    server.open(EXAMPLES[0].read_text()).tokens()
    await_run(client, editor)
    server.process.send_signal(number)
    assert server.process.wait(30) == code
    assert only_run(client, editor).info.status == "KILLED"

    files = f"files and signal {number}"
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "b.py").write_text("".join(f"value_{i} = other_{i} + {i}\n" for i in range(50_000)))
    command = [codegaze, "analyze", tmp_path / "a.py", tmp_path / "b.py", "--format", "csv", *tracked, files]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        await_run(client, files)
        process.send_signal(number)
        assert process.wait(30) == code
    assert only_run(client, files).info.status == "KILLED"


@contextmanager
def serving(codegaze, *arguments):
    """`codegaze serve`: a function that sends requests to it, and the process, which the caller ends."""
    command = [codegaze, "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            address = process.stderr.readline().split()[-1]

            def post(path: str, body: dict) -> dict:
                request = urllib.request.Request(address + path, json.dumps(body).encode(), {"content-type": "application/json"})
                end = time.monotonic() + 30
                while True:
                    try:
                        return json.load(urllib.request.urlopen(request, timeout=30))
                    except urllib.error.HTTPError as error:
                        # The model is still loading.
                        assert error.code == 503 and time.monotonic() < end, error.read()
                        time.sleep(0.05)

            yield post, process
        finally:
            process.kill()


def test_a_session_of_the_http_server_is_one_run(client, tracking_uri, codegaze):
    texts = [path.read_text() for path in EXAMPLES]
    with serving(codegaze, "--mlflow-uri", tracking_uri, "--mlflow-experiment", "service") as (post, process):
        for text in [*texts, texts[0]]:
            post("/analyze", {"code": text})
        post("/analyze", {"code": texts[1], "method": "norm"})
        process.terminate()
        assert process.wait(30) == 0
        assert (process.stdout.read(), process.stderr.read()) == ("", "")
    run = only_run(client, "service")
    assert run.info.status == "FINISHED"
    assert run.data.tags["codegaze.command"] == "serve"
    assert (run.data.params["model"], run.data.params["method"]) == ("codegaze-mini", "received")
    assert run.data.tags["codegaze.methods"] == "norm, received"
    lengths = [len(text.encode()) for text in texts]
    assert history(client, run, "code_length") == [*lengths, lengths[0], lengths[1]]
    hits = history(client, run, "cache_hits")
    assert hits[2] == 0 < hits[3] == history(client, run, "chunks")[0], hits


def test_an_http_server_that_fails_is_a_failed_run(client, tracking_uri, codegaze, monkeypatch):
    """Its second model does not exist, which it learns after the first one has worked."""
    is_analyzed = threading.Event()

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self):
            is_analyzed.wait(60)
            self.send_error(404)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as hub:
        threading.Thread(target=hub.serve_forever, daemon=True).start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{hub.server_port}")
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
        models = ["--model", "embedded", "--model", "acme/missing"]
        tracked = ["--mlflow-uri", tracking_uri, "--mlflow-experiment", "failed service"]
        with serving(codegaze, *models, *tracked) as (post, process):
            post("/analyze", {"code": "x = 1\n", "model": "embedded"})
            is_analyzed.set()
            assert process.wait(30) == 1
        hub.shutdown()
    assert only_run(client, "failed service").info.status == "FAILED"


def test_a_server_that_fails_keeps_no_request_waiting(codegaze):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        uri = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with serving(codegaze, "--mlflow-uri", uri) as (post, process):
            for i in range(20):
                assert post("/analyze", {"code": f"x = {i}\n"})["token_count"] > 0
            start = time.monotonic()
            process.terminate()
            assert process.wait(30) == 0 and time.monotonic() - start < 4


@pytest.mark.parametrize("how", ["refuses", "never answers", "answers 500", "is no MLflow"])
def test_a_server_that_fails_costs_one_warning(codegaze, how):
    expected = analyze(codegaze, *EXAMPLES, "--format", "csv")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        answer = {"answers 500": b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n", "is no MLflow": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"}
        is_over = threading.Event()

        def serve():
            kept = []
            while not is_over.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                kept.append(connection)
                if how in answer:
                    connection.recv(65536)
                    connection.sendall(answer[how])
                    connection.close()

        if how == "refuses":
            listener.close()
        else:
            threading.Thread(target=serve, daemon=True).start()
        done = analyze(codegaze, *EXAMPLES, "--format", "csv", "--mlflow-uri", f"http://127.0.0.1:{port}")
        is_over.set()
    assert (done.returncode, done.stdout) == (0, expected.stdout)
    warnings = done.stderr.splitlines()
    # The program does not wait for the response.
    assert len(warnings) == (0 if how == "never answers" else 1), warnings
    assert all("MLflow" in warning and "--mlflow-uri" in warning for warning in warnings)


def test_a_server_that_never_answers_keeps_no_editor_waiting():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        uri = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with Server("--stdio", "--mlflow-uri", uri) as server:
            server.initialize()
            document = server.open(EXAMPLES[0].read_text())
            for i in range(20):
                document.change(((0, 0), (0, 0), f"# {i}\n"))
                assert document.tokens()
            start = time.monotonic()
            server.close()
            assert time.monotonic() - start < 4


@pytest.mark.parametrize(("uri", "code"), [("localhost:5000", 2), ("file:///tmp/runs", 2), ("http://", 2)])
def test_what_is_no_address_is_refused(codegaze, uri, code):
    done = analyze(codegaze, EXAMPLES[0], "--mlflow-uri", uri)
    assert done.returncode == code and uri in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_file_store_in_the_environment_is_for_others(codegaze, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:///tmp/runs")
    done = analyze(codegaze, EXAMPLES[0])
    assert done.returncode == 0 and "codegaze records nothing" in done.stderr
