#!/usr/bin/env python3
"""Writes analysis_more.safetensors of the tiny gpt2: gradients, integrated gradients, rollout, attribution patching, causal tracing.

    pip install -r requirements.txt
    python make_analysis_more.py ../../tests/fixtures/models/gpt2

The README beside the models lists keys, shapes and definitions.
"""
import os, sys

os.environ["HF_HUB_OFFLINE"] = "1"
import numpy as np
import torch
import torch.nn.functional as F
import transformers as T
from safetensors.torch import load_file, save_file

CORRUPT = {4: 312}  # position: id put in the place of the prompt's
TARGET, OTHER, BASELINE = 216, 28, 0
SUBJECT, DRAWS, NOISE = [6, 7], 10, 3.0


def embed(model, ids):
    return model.transformer.wte(ids).detach()


def forward(model, embeds, edits=(), keep=None):
    """Logits of `embeds` [B,T,D] after `edits`, which are (site, layer, function); `keep` gathers every site's value."""
    handles = []
    def at(site, layer, value):
        for s, l, edit in edits:
            if (s, l) == (site, layer):
                value = edit(value)
        if keep is not None:
            keep[site, layer] = value
            if value.requires_grad:
                value.retain_grad()
        return value
    def resid(layer):
        return lambda _m, args, kwargs: ((at("resid", layer, args[0]), *args[1:]), kwargs)
    for l, block in enumerate(model.transformer.h):
        handles.append(block.register_forward_pre_hook(resid(l), with_kwargs=True))
        handles.append(block.attn.c_proj.register_forward_pre_hook(lambda _m, a, l=l: (at("z", l, a[0]),)))
        handles.append(block.attn.register_forward_hook(lambda _m, _a, out, l=l: (at("attn_out", l, out[0]), *out[1:])))
        handles.append(block.mlp.register_forward_hook(lambda _m, _a, out, l=l: at("mlp_out", l, out)))
    last = len(model.transformer.h)
    handles.append(model.transformer.ln_f.register_forward_pre_hook(lambda _m, a: (at("resid", last, a[0]),)))
    try:
        return model(inputs_embeds=embeds, use_cache=False).logits
    finally:
        for h in handles:
            h.remove()


def gradient(model, embeds, score):
    e = embeds.clone().requires_grad_(True)
    value = score(forward(model, e)[:, -1])
    (grad,) = torch.autograd.grad(value.sum(), e)
    return value.detach(), grad


def integrated(model, x, base, score, steps=50):
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    alphas, weights = torch.tensor((1 + nodes) / 2), torch.tensor(weights / 2)
    path = base + alphas.float()[:, None, None] * (x - base)
    _, grads = gradient(model, path, score)
    attributions = ((x - base)[0].double() * (weights[:, None, None] * grads.double()).sum(0)).float()
    with torch.no_grad():
        f1, f0 = (score(forward(model, v)[:, -1]) for v in (x, base))
    return dict(attributions=attributions, by_position=attributions.sum(-1), f_input=f1, f_baseline=f0, delta=attributions.sum() - (f1 - f0)), alphas, weights


def rollout(attentions):
    """Abnar & Zuidema 2020: heads averaged, half of the identity added for the residual stream, layers multiplied."""
    total, seen = torch.eye(attentions[0].shape[-1]), []
    for a in attentions:
        total = (0.5 * a[0].mean(0) + 0.5 * torch.eye(a.shape[-1])) @ total
        seen.append(total)
    return torch.stack(seen)


def metric(logits):
    return logits[:, TARGET] - logits[:, OTHER]


def attribution_patching(model, clean, corrupt):
    """Gradient of the metric on the corrupt run times (clean - corrupt), summed over the model dimension."""
    kept_clean, kept = {}, {}
    with torch.no_grad():
        forward(model, clean, keep=kept_clean)
    metric(forward(model, corrupt.clone().requires_grad_(True), keep=kept)[:, -1]).sum().backward()
    layers, heads, seen = len(model.transformer.h), model.config.n_head, {}
    score = lambda site, l: (kept[site, l].grad * (kept_clean[site, l] - kept[site, l].detach()))[0]
    for site in ("resid", "attn_out", "mlp_out"):
        name = "resid_pre" if site == "resid" else site
        seen[f"attribution_patch.{name}"] = torch.stack([score(site, l).sum(-1) for l in range(layers)])
    z = torch.stack([score("z", l).unflatten(-1, (heads, -1)).sum(-1) for l in range(layers)])
    return seen | {"attribution_patch.z_by_pos": z.transpose(1, 2), "attribution_patch.z": z.sum(1)}


@torch.no_grad()
def direct_paths(model, clean, corrupt):
    """The metric of the corrupt run when one head's output of the clean run reaches the final norm only, at every position."""
    a, b = {}, {}
    forward(model, clean, keep=a)
    forward(model, corrupt, keep=b)
    layers, heads = len(model.transformer.h), model.config.n_head
    seen = torch.zeros(layers, heads)
    for l, block in enumerate(model.transformer.h):
        change = (a["z", l] - b["z", l]).unflatten(-1, (heads, -1))
        for h, w in enumerate(block.attn.c_proj.weight.unflatten(0, (heads, -1))):
            logits = model.lm_head(model.transformer.ln_f(b["resid", layers] + change[:, :, h] @ w))
            seen[l, h] = metric(logits[:, -1])
    return {"path_patch.head_to_final_resid": seen}


@torch.no_grad()
def causal_tracing(model, x):
    """Meng et al. 2022: noise on the subject's token embeddings, one clean value restored at a time, no window over layers."""
    kept = {}
    clean = F.softmax(forward(model, x, keep=kept)[0, -1], -1)[TARGET]
    std = NOISE * model.transformer.wte.weight.std()
    noise = std * torch.randn(DRAWS, len(SUBJECT), x.shape[-1], generator=torch.Generator().manual_seed(11))
    noisy = x.repeat(DRAWS, 1, 1)
    noisy[:, SUBJECT] += noise
    p = lambda logits: F.softmax(logits[:, -1], -1)[:, TARGET]
    seen = {"causal.noise": noise, "causal.noise_std": std, "causal.p_clean": clean, "causal.p_noisy": p(forward(model, noisy))}
    for site, name in (("resid", "restore_resid"), ("attn_out", "restore_attn_out"), ("mlp_out", "restore_mlp_out")):
        layers = len(model.transformer.h) + (site == "resid")
        seen[f"causal.{name}"] = table = torch.zeros(layers, x.shape[1], DRAWS)
        for l in range(layers):
            for t in range(x.shape[1]):
                def restore(value):
                    value = value.clone()
                    value[:, t] = kept[site, l][0, t]
                    return value
                table[l, t] = p(forward(model, noisy, [(site, l, restore)]))
    return seen


def main(folder):
    torch.set_num_threads(1)
    model = T.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval().requires_grad_(False)
    ids = load_file(os.path.join(folder, "expected.safetensors"))["prompt.input_ids"].long()
    corrupt = ids.clone()
    for t, i in CORRUPT.items():
        corrupt[0, t] = i
    x, y, base = embed(model, ids), embed(model, corrupt), embed(model, torch.full_like(ids, BASELINE))
    logit = lambda logits: logits[:, TARGET]
    log_prob = lambda logits: F.log_softmax(logits, -1)[:, TARGET]
    seen = dict(ids=ids.int(), corrupt_ids=corrupt.int(), target=torch.tensor([TARGET, OTHER], dtype=torch.int32))
    for name, score in (("logit", logit), ("log_prob", log_prob)):
        _, grad = gradient(model, x, score)
        seen |= {f"gradient.{name}": grad[0], f"gradient_x_input.{name}": (grad * x)[0].sum(-1), f"gradient_l2.{name}": grad[0].norm(dim=-1)}
        for start, at in (("token_0", base), ("zero", torch.zeros_like(x))):
            got, alphas, weights = integrated(model, x, at, score)
            seen |= {f"ig.{name}.{start}.{k}": v for k, v in got.items()}
    seen |= {"ig.alphas": alphas, "ig.weights": weights}
    with torch.no_grad():
        out = model(ids, output_attentions=True)
    seen["rollout"] = rollout(out.attentions)
    with torch.no_grad():
        seen["metric"] = torch.cat([metric(forward(model, v)[:, -1]) for v in (x, y)])
    seen |= attribution_patching(model, x, y) | direct_paths(model, x, y) | causal_tracing(model, x)
    seen = {k: torch.atleast_1d(v).detach().contiguous().clone() for k, v in seen.items()}
    save_file(seen, os.path.join(folder, "analysis_more.safetensors"))
    for k, v in sorted(seen.items()):
        print(k, str(v.dtype).split(".")[1], tuple(v.shape), v.item() if v.numel() == 1 else "")


if __name__ == "__main__":
    main(sys.argv[1])
