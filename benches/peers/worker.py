"""A peer in a process of its own: `worker.py pytorch|onnxruntime MODEL THREADS`.

Answers the requests of compare.py as `benches/worker.rs` does: {"tokens": 512, "passes": 3, "hidden": true} with the milliseconds of each
pass, the peak memory of the process, and a few weights of every layer. All layers' attention and the last hidden state are computed.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SAMPLES = 16
VOCAB_SIZE = 50265

# From ids [1, token] to attentions, each [1, head, query, key].
Pass = Callable[[np.ndarray], list[np.ndarray]]


def input_ids(n_tokens: int) -> np.ndarray:
    ids = [5 + i * 7919 % (VOCAB_SIZE - 5) for i in range(n_tokens)]
    ids[0], ids[-1] = 0, 2
    return np.array([ids], dtype=np.int64)


def pytorch(model: Path, n_threads: int) -> Pass:
    import torch
    from transformers import RobertaModel

    torch.set_num_threads(n_threads)
    encoder = RobertaModel.from_pretrained(model, dtype=torch.float32, attn_implementation="eager", add_pooling_layer=False).eval()

    def run(ids: np.ndarray) -> list[np.ndarray]:
        with torch.inference_mode():
            output = encoder(torch.from_numpy(ids), output_attentions=True)
        return [attention.numpy() for attention in output.attentions]

    return run


def onnxruntime(model: Path, n_threads: int) -> Pass:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    # Threads spin while a pass runs, and sleep as soon as it is over: an idle peer must not take the cores of the one measured.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(str(model / "model.onnx"), options, providers=["CPUExecutionProvider"])

    def run(ids: np.ndarray) -> list[np.ndarray]:
        _hidden, *attentions = session.run(None, {"input_ids": ids})
        return attentions

    return run


def samples(attentions: list[np.ndarray]) -> list[list[float]]:
    """[layer][sample], as worker.rs takes them."""
    flat = [attention.reshape(-1) for attention in attentions]
    return [[float(weights[i * (len(weights) // SAMPLES)]) for i in range(SAMPLES)] for weights in flat]


def peak_kib() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def main() -> None:
    name, model, n_threads = sys.argv[1:]
    run = {"pytorch": pytorch, "onnxruntime": onnxruntime}[name](Path(model), int(n_threads))
    for line in sys.stdin:
        request = json.loads(line)
        ids = input_ids(request["tokens"])
        ms, attentions = [], []
        for _ in range(request["passes"]):
            # The last pass's results are let go first, as the next ones take their place.
            attentions = []
            start = time.perf_counter()
            attentions = run(ids)
            ms.append((time.perf_counter() - start) * 1e3)
        print(json.dumps({"ms": ms, "peak_kib": peak_kib(), "samples": samples(attentions)}), flush=True)


if __name__ == "__main__":
    main()
