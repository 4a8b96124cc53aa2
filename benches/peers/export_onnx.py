"""Exports a model directory to ONNX beside it: `export_onnx.py MODEL`.

One input, `input_ids` [1, token]; outputs the last hidden state and every layer's attention weights.
"""

import sys
import warnings
from pathlib import Path

import torch
from transformers import RobertaModel


class WithAttention(torch.nn.Module):
    def __init__(self, model: Path):
        super().__init__()
        self.encoder = RobertaModel.from_pretrained(model, dtype=torch.float32, attn_implementation="eager", add_pooling_layer=False).eval()

    def forward(self, input_ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
        output = self.encoder(input_ids, output_attentions=True)
        return (output.last_hidden_state, *output.attentions)


def main() -> None:
    model = Path(sys.argv[1])
    module = WithAttention(model)
    n_layers = module.encoder.config.num_hidden_layers
    partial = model / "model.onnx.partial"
    warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
    with torch.inference_mode():
        torch.onnx.export(
            module,
            (torch.randint(5, 50000, (1, 64)),),
            str(partial),
            input_names=["input_ids"],
            output_names=["last_hidden_state", *(f"attention_{i}" for i in range(n_layers))],
            dynamic_axes={"input_ids": {1: "token"}},
            dynamo=False,
        )
    partial.rename(model / "model.onnx")


if __name__ == "__main__":
    main()
