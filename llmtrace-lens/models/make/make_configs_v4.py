#!/usr/bin/env python3
"""Writes config.v4.json and config.hub.json beside the config.json of the tiny models, and checks that both say the same model.

    pip install -r requirements-v4.txt
    python make_configs_v4.py ../../tests/fixtures/models

config.v4.json is what transformers 4.57 saves; config.hub.json is what a repository of the model's time holds (no `layer_types`,
`torch_dtype`, Gemma's `sliding_window_pattern`). Each is loaded again from the file and its logits compared with expected.safetensors.
"""
import json, os, shutil, sys, tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
import transformers as T
from safetensors.torch import load_file

from fixture_specs import MODELS


def difference(folder, config):
    """Largest difference of the logits, over both recorded inputs, when `config` stands for config.json."""
    with tempfile.TemporaryDirectory() as d:
        shutil.copy(os.path.join(folder, "model.safetensors"), d)
        shutil.copy(os.path.join(folder, config), os.path.join(d, "config.json"))
        model = T.AutoModelForCausalLM.from_pretrained(d, attn_implementation="eager", dtype=torch.float32).eval()
    expected = load_file(os.path.join(folder, "expected.safetensors"))
    with torch.no_grad():
        return max((model(expected[f"{t}.input_ids"].long()).logits - expected[f"{t}.logits"]).abs().max().item() for t in ("prompt", "long"))


def write(folder, spec):
    cls = getattr(T, spec["config"])
    config = cls(**spec["both"], **spec["v4"], architectures=[spec["stem"] + "ForCausalLM"], dtype="float32")
    with tempfile.TemporaryDirectory() as d:
        config.save_pretrained(d)
        plain = json.load(open(os.path.join(d, "config.json")))
    json.dump(plain, open(os.path.join(folder, "config.v4.json"), "w"), indent=2, sort_keys=True)
    hub = {k: v for k, v in plain.items() if k not in spec["hub"].get("-", []) and k != "dtype"}
    hub |= {k: v for k, v in spec["hub"].items() if k != "-"} | {"torch_dtype": "float32", "transformers_version": "4.40.0"}
    json.dump(hub, open(os.path.join(folder, "config.hub.json"), "w"), indent=2, sort_keys=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    check_only = not T.__version__.startswith("4.")
    for name, spec in MODELS.items():
        folder = os.path.join(sys.argv[1], name)
        if not check_only:
            write(folder, spec)
        for config in ("config.json", "config.v4.json", "config.hub.json"):
            if config == "config.json" and not check_only:
                continue  # transformers 4 does not read rope_parameters
            print(T.__version__, name, config, difference(folder, config))
