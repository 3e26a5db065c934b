#!/usr/bin/env python3
"""Writes bf16, f16 and sharded folders of one tiny model and the logits each gives, and step1.json beside every model given.

    pip install -r requirements.txt
    python make_variants.py ../../tests/fixtures/models qwen2 gpt2 llama gemma2 gpt_neox llama3 mistral qwen2 qwen3 gemma3

The first name is the model that gets variants. Their `logits` are computed in f32 with the rounded weights; `native_logits` in the
stored type. step1.json holds the distribution of the first new token under each filter, the filters in the order of transformers'
`generate`: repetition penalty, temperature, top-k, top-p, min-p. `probs` lists [id, probability] of what is left, highest first.
"""
import json, os, shutil, sys

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
import torch.nn.functional as F
import transformers as T
from safetensors.torch import load_file, save_file

CASES = [
    dict(),
    dict(temperature=0.7),
    dict(temperature=1.5),
    dict(top_k=10),
    dict(top_k=1),
    dict(top_p=0.9),
    dict(top_p=0.3),
    dict(min_p=0.1),
    dict(repetition_penalty=1.3),
    dict(repetition_penalty=1.2, temperature=0.8, top_k=20, top_p=0.95, min_p=0.05),
]
FILTERS = dict(
    repetition_penalty=T.RepetitionPenaltyLogitsProcessor, temperature=T.TemperatureLogitsWarper,
    top_k=T.TopKLogitsWarper, top_p=T.TopPLogitsWarper, min_p=T.MinPLogitsWarper,
)


def step1(folder):
    seen = load_file(os.path.join(folder, "expected.safetensors"))
    ids, logits = seen["prompt.input_ids"].long(), seen["prompt.logits"][:, -1]
    cases = []
    for case in CASES:
        scores, removed = logits.clone(), {}
        for name, make in FILTERS.items():
            if name in case:
                before = torch.isfinite(scores).sum().item()
                scores = make(case[name])(ids, scores)
                removed[name] = before - torch.isfinite(scores).sum().item()
        probs = F.softmax(scores, -1)[0]
        left = [[i, float(f"{probs[i].item():.9g}")] for i in probs.argsort(descending=True).tolist() if torch.isfinite(scores[0, i])]
        cases.append(dict(settings=case, removed=removed, kept=len(left), probs=left))
    with open(os.path.join(folder, "step1.json"), "w") as f:
        f.write('{"ids": %s, "cases": [\n' % json.dumps(ids[0].tolist()))
        f.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]}\n")


def load(folder, dtype):
    return T.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=dtype).eval()


@torch.no_grad()
def write_expected(folder, source):
    recorded, seen = load_file(os.path.join(source, "expected.safetensors")), {}
    wide = load(folder, torch.float32)
    native = load(folder, "auto")
    for tag in ("prompt", "long"):
        ids = recorded[f"{tag}.input_ids"]
        seen |= {f"{tag}.input_ids": ids, f"{tag}.logits": wide(ids.long()).logits, f"{tag}.native_logits": native(ids.long()).logits.float()}
    save_file({k: v.contiguous().clone() for k, v in seen.items()}, os.path.join(folder, "expected.safetensors"))
    far = max((seen[f"{t}.logits"] - recorded[f"{t}.logits"]).abs().max().item() for t in ("prompt", "long"))
    print(folder, "differs from f32 by", far, "and in its own type by", (seen["long.native_logits"] - seen["long.logits"]).abs().max().item())


def variants(source):
    for name, dtype, size in (("bf16", torch.bfloat16, "1GB"), ("f16", torch.float16, "1GB"), ("sharded", torch.float32, "100KB")):
        folder = os.path.join(source, name)
        shutil.rmtree(folder, ignore_errors=True)
        load(source, torch.float32).to(dtype).save_pretrained(folder, max_shard_size=size)
        shutil.copy(os.path.join(source, "tokenizer.json"), folder)
        write_expected(folder, source)


if __name__ == "__main__":
    torch.set_num_threads(1)
    variants(os.path.join(sys.argv[1], sys.argv[2]))
    for model in sys.argv[3:]:
        step1(os.path.join(sys.argv[1], model))
