"""Models for tests: one that loads slowly, and one that cannot be loaded."""

import json
import os
import shutil
import struct
from pathlib import Path

from session import ROOT

MINI = ROOT / "crates" / "codegaze-mini" / "model"


def missing(directory: Path) -> Path:
    return directory / "no-such-model"


def slow(directory: Path, n_layers: int = 12) -> Path:
    """A model of CodeBERT's shape whose weights are all zero: a sparse file that needs no space on the disk and loads slowly."""
    model = directory / "slow"
    model.mkdir()
    config = json.loads((MINI / "config.json").read_text())
    config |= {"vocab_size": 50265, "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": n_layers, "num_attention_heads": 12}
    (model / "config.json").write_text(json.dumps(config))
    shutil.copy(MINI / "tokenizer.json", model)
    header, offset = {}, 0
    for name, shape in _shapes(config):
        size = 4
        for side in shape:
            size *= side
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(model / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        os.truncate(file.fileno(), 8 + len(text) + offset)
    return model


def _shapes(config: dict):
    hidden, wide = config["hidden_size"], config["intermediate_size"]
    yield "embeddings.word_embeddings.weight", [config["vocab_size"], hidden]
    yield "embeddings.position_embeddings.weight", [config["max_position_embeddings"], hidden]
    yield "embeddings.token_type_embeddings.weight", [config["type_vocab_size"], hidden]
    norms = ["embeddings.LayerNorm"]
    for i in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{i}"
        linears = {f"attention.self.{part}": (hidden, hidden) for part in ("query", "key", "value")}
        linears |= {"attention.output.dense": (hidden, hidden), "intermediate.dense": (wide, hidden), "output.dense": (hidden, wide)}
        for name, (rows, columns) in linears.items():
            yield f"{layer}.{name}.weight", [rows, columns]
            yield f"{layer}.{name}.bias", [rows]
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
    for norm in norms:
        yield f"{norm}.weight", [hidden]
        yield f"{norm}.bias", [hidden]
