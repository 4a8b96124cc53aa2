"""Creates a model of CodeBERT's shape with seeded random weights, as large and as slow as CodeBERT, without a download.

The vocabulary table has CodeBERT's 50,265 rows; the tokenizer is the embedded model's and uses the first 8,192 of them.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
TOKENIZER = ROOT / "crates" / "codegaze-mini" / "model"
MODEL = ROOT / "target" / "codebert-shape"

CONFIG = {
    "architectures": ["RobertaModel"],
    "model_type": "roberta",
    "vocab_size": 50265,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "bos_token_id": 0,
    "pad_token_id": 1,
    "eos_token_id": 2,
}


def shapes(config: dict) -> dict[str, tuple[int, ...]]:
    """Every tensor of the encoder, in the order of the file."""
    hidden, wide = config["hidden_size"], config["intermediate_size"]
    tensors = {
        f"embeddings.{table}_embeddings.weight": (config[size], hidden)
        for table, size in [
            ("word", "vocab_size"),
            ("position", "max_position_embeddings"),
            ("token_type", "type_vocab_size"),
        ]
    }

    def layer_norm(name: str) -> None:
        tensors[f"{name}.weight"] = tensors[f"{name}.bias"] = (hidden,)

    def linear(name: str, rows: int, columns: int) -> None:
        tensors[f"{name}.weight"] = (rows, columns)
        tensors[f"{name}.bias"] = (rows,)

    layer_norm("embeddings.LayerNorm")
    for i in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{i}"
        for part in ("query", "key", "value"):
            linear(f"{layer}.attention.self.{part}", hidden, hidden)
        linear(f"{layer}.attention.output.dense", hidden, hidden)
        layer_norm(f"{layer}.attention.output.LayerNorm")
        linear(f"{layer}.intermediate.dense", wide, hidden)
        linear(f"{layer}.output.dense", hidden, wide)
        layer_norm(f"{layer}.output.LayerNorm")
    return tensors


def values(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Queries and keys are wide enough that attention is far from uniform."""
    std = 0.05 if ".query." in name or ".key." in name else 0.02
    tensor = rng.standard_normal(shape, dtype=np.float32) * np.float32(std)
    return tensor + np.float32(1) if name.endswith("LayerNorm.weight") else tensor


def n_bytes(shape: tuple[int, ...]) -> int:
    return 4 * int(np.prod(shape))


def weight_bytes(config: dict = CONFIG) -> int:
    """The size of the weights in f32."""
    return sum(map(n_bytes, shapes(config).values()))


def make_model(directory: Path) -> Path:
    """Writes the directory if it does not exist. Tensors are computed and written one at a time."""
    done = directory / "config.json"
    if done.exists() and json.loads(done.read_text()) == CONFIG:
        return directory
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(TOKENIZER / name, directory)
    header, end = {}, 0
    tensors = shapes(CONFIG)
    for name, shape in tensors.items():
        start, end = end, end + n_bytes(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    rng = np.random.default_rng(0)
    with open(directory / "model.safetensors", "wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        for name, shape in tensors.items():
            file.write(values(name, shape, rng).astype("<f4").tobytes())
    # This file is written last, so the directory is complete if it exists.
    done.write_text(json.dumps(CONFIG, indent=2) + "\n")
    return directory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, nargs="?", default=MODEL)
    args = parser.parse_args()
    print(f"{make_model(args.directory)}: {weight_bytes() / 2**20:.0f} MiB in f32")


if __name__ == "__main__":
    main()
