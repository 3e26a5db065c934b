#!/usr/bin/env python3
"""Writes tl_cache.safetensors beside each tiny model: what TransformerLens caches for the recorded prompt, under its classic names.

    pip install -r requirements.txt
    python make_tl_cache.py ../../tests/fixtures/models llama3 mistral qwen2 qwen3 gemma3
"""
import os, re, sys

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
import transformers as T
from safetensors.torch import load_file, save_file

import transformer_lens.model_bridge.sources._hf_format as hf_format
from transformer_lens.model_bridge import TransformerBridge

hf_format.get_tokenizer_with_bos = lambda tokenizer: tokenizer  # it would look the tokenizer up on the hub

CLASSIC = re.compile(r"""^(hook_embed|hook_pos_embed|hook_unembed|ln_final\.hook_(scale|normalized|out)
    |blocks\.\d+\.(hook_(resid_pre|resid_mid|resid_post|attn_out|mlp_out)
        |(ln1|ln2|ln1_post|ln2_post)\.hook_(scale|normalized|out)
        |attn\.hook_(q|k|v|z|rot_q|rot_k|q_normed|k_normed|attn_scores|pattern)
        |mlp\.hook_(pre|pre_linear|post)))$""", re.X)


def cache(folder):
    model = T.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    tok = T.PreTrainedTokenizerFast(tokenizer_file=os.path.join(folder, "tokenizer.json"), bos_token="<s>", eos_token="</s>", pad_token="</s>")
    bridge = TransformerBridge.boot_transformers(folder, hf_model=model, tokenizer=tok, device="cpu")
    expected = load_file(os.path.join(folder, "expected.safetensors"))
    with torch.no_grad():
        logits, seen = bridge.run_with_cache(expected["prompt.input_ids"].long())
    assert (logits - expected["prompt.logits"]).abs().max() < 1e-5
    return dict(seen)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[2:]:
        folder = os.path.join(sys.argv[1], name)
        seen = cache(folder)
        kept = {k: v.detach().contiguous().clone() for k, v in seen.items() if CLASSIC.match(k) and torch.is_tensor(v)}
        save_file(kept, os.path.join(folder, "tl_cache.safetensors"), metadata={"transformer_lens": "4.3.0", "mode": "TransformerBridge raw"})
        print(name, len(seen), "cached", len(kept), "kept", os.path.getsize(os.path.join(folder, "tl_cache.safetensors")), "bytes")
