"""Writes random per-layer transcoders for a model of GPT-2 small's shape: python random_transcoders.py FOLDER

24,576 features a layer in bfloat16 (about 900 MB). The threshold is so high that about 40 of them are active at a position.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

LAYERS, WIDTH, FEATURES = 12, 768, 24_576
THRESHOLD = 2.94  # of a standard normal number, exceeded by 40 in 24,576


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for layer in range(LAYERS):
        torch.manual_seed(layer)
        tensors = {
            "W_enc": (torch.randn(FEATURES, WIDTH) / WIDTH**0.5).bfloat16(),
            "W_dec": (torch.randn(FEATURES, WIDTH) / WIDTH).bfloat16(),
            "b_enc": torch.zeros(FEATURES).bfloat16(),
            "b_dec": torch.zeros(WIDTH).bfloat16(),
            "activation_function.threshold": torch.tensor([THRESHOLD]),
        }
        save_file(tensors, folder / f"layer_{layer}.safetensors")
    text = "model_kind: transcoder_set\nfeature_input_hook: mlp.hook_in\nfeature_output_hook: hook_mlp_out\n"
    (folder / "config.yaml").write_text(text)


if __name__ == "__main__":
    main()
