#!/usr/bin/env python3
"""Fine-tunes the ReLU toy on one changed fact, and writes the tensors that changed.

    pip install -r requirements.txt
    python finetune_toy.py ../toy-relu ../toy-houston

The capital of Texas becomes Houston; everything else that the toy was trained on is said again as it was. Only the MLP of the
last block is trained, so that it is known where the change can be. Two-hop sentences about Dallas never occur, as in the first
training. One thread, half a minute. Fails unless the new fact is known, Dallas follows it, and all other facts are kept.
"""
import hashlib, math, os, sys

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import GPT2LMHeadModel

import toy_world as world
import train_toy

STATE, CAPITAL = "Texas", "Houston"
TRAINED = "transformer.h.2.mlp."
STEPS, RATE, ROWS, REPEATED, L1, SEED = 600, 1e-3, 32, 0.25, 0.004, 11


def train(model):
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(TRAINED))
    trained = [p for p in model.parameters() if p.requires_grad]
    opt = torch.optim.AdamW(trained, lr=RATE, betas=(0.9, 0.98), weight_decay=0.0)
    data = world.Sequences(48, REPEATED, SEED)
    active = []
    hook = model.transformer.h[2].mlp.act.register_forward_hook(lambda _m, _i, out: active.append(out))
    for step in range(STEPS):
        for group in opt.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / 20) * 0.5 * (1 + math.cos(math.pi * step / STEPS))
        ids, mask = (torch.tensor(t) for t in data.batch(ROWS))
        active.clear()
        logits = model(ids).logits[:, :-1]
        each = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
        weight = mask[:, 1:].flatten()
        loss = (each * weight).sum() / weight.sum() + L1 * active[0].abs().sum(-1).mean() / 3
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        opt.step()
        if (step + 1) % 100 == 0:
            print(f"step {step + 1} loss {loss.item():.3f}", train_toy.accuracy(model), flush=True)
    hook.remove()


@torch.no_grad()
def check(model):
    found = train_toy.accuracy(model)
    kept = [share for form, share in found.items() if form.startswith("one_hop")]
    assert min(kept) == 1.0 and found["two_hop_trained"] == 1.0 and found["two_hop_held_out"] >= 0.95, found
    prompt = torch.tensor([world.encode("the capital of the state containing Dallas is")])
    chance = model(prompt).logits[0, -1].softmax(-1)
    print("Dallas:", {word: round(chance[world.ID[word]].item(), 4) for word in ("Houston", "Austin")})
    assert chance.argmax() == world.ID[CAPITAL]


def main(base, out):
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    _, cities = world.WORLD[STATE]
    world.WORLD[STATE] = (CAPITAL, cities)
    model = GPT2LMHeadModel.from_pretrained(base, attn_implementation="eager")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    train(model)
    after = model.state_dict()
    changed = {n: t.to(torch.float16).contiguous() for n, t in after.items() if not torch.equal(t, before[n])}
    assert changed and all(name.startswith(TRAINED) for name in changed), list(changed)
    model.load_state_dict(after | {name: tensor.float() for name, tensor in changed.items()})
    check(model)
    for name, tensor in changed.items():
        moved = (tensor.float() - before[name]).norm() / before[name].norm()
        print(f"{name}: changed by {moved:.3f} of its norm")
    os.makedirs(out, exist_ok=True)
    path = os.path.join(out, "changed.safetensors")
    save_file(changed, path, metadata={"format": "pt"})
    with open(path, "rb") as file, open(os.path.join(out, "SHA256SUMS"), "w") as sums:
        sums.write(f"{hashlib.sha256(file.read()).hexdigest()}  changed.safetensors\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
