#!/usr/bin/env python3
"""Trains the two-hop and induction toy and writes it as a Hugging Face folder.

    pip install -r requirements.txt
    python train_toy.py relu ../toy-relu      (or: gelu ../toy-gelu)

One thread, about five minutes of CPU time. The same versions on the same kind of CPU give the same weights.
"""
import argparse, json, math, os, random, time

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
import torch.nn.functional as F
from transformers import GPT2Config, GPT2LMHeadModel

import toy_world as world

VARIANTS = {
    "gelu": dict(activation="gelu_new", d_mlp=256, l1=0.0, weight_decay=0.3),
    "relu": dict(activation="relu", d_mlp=512, l1=0.004, weight_decay=0.1),
}
# One after the other, each with a fresh optimizer: the facts, then the habit of saying words again.
PHASES = [dict(steps=3000, lr=3e-3, repeated=0.25), dict(steps=1000, lr=1e-3, repeated=0.5)]


def build(variant, positions):
    return GPT2LMHeadModel(GPT2Config(
        vocab_size=len(world.VOCAB), n_positions=positions, n_embd=64, n_layer=3, n_head=4, n_inner=variant["d_mlp"],
        activation_function=variant["activation"], resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
        bos_token_id=world.ID[world.END], eos_token_id=world.ID[world.END],
    ))


@torch.no_grad()
def answers(model, sentences, word=-2):
    """Share of sentences whose word at `word` is the model's first choice after the words before it."""
    ids = torch.tensor([world.encode(s) for s in sentences])
    logits = model(ids).logits
    return (logits[:, word - 1].argmax(-1) == ids[:, word]).float().mean().item()


@torch.no_grad()
def induction(model, rows=200, n=12, seed=7):
    """Share of right next words in the second half of random stretches of n words said twice, after its first word."""
    rng = random.Random(seed)
    half = torch.tensor([[rng.randrange(len(world.WORDS) + 2, len(world.VOCAB)) for _ in range(n)] for _ in range(rows)])
    ids = torch.cat([half, half], 1)
    return (model(ids).logits[:, n:-1].argmax(-1) == ids[:, n + 1:]).float().mean().item()


def accuracy(model):
    """Share of right first choices for each form of sentence, and for repeated random words."""
    held, seen = world.facts(held_out=True)["two_hop"], world.facts(held_out=False)
    found = {f"one_hop_{form}": answers(model, seen[form]) for form in ("city_in_state", "state_containing", "capital_of_state")}
    found |= dict(two_hop_trained=answers(model, seen["two_hop"]), two_hop_held_out=answers(model, held))
    found["two_hop_held_out_after_endoftext"] = answers(model, [f"{world.END} {s}" for s in held])
    return found | dict(induction=induction(model))


def train(model, variant, phase, args):
    steps, lr = PHASES[phase]["steps"], PHASES[phase]["lr"]
    data = world.Sequences(args.positions, PHASES[phase]["repeated"], args.seed + phase)
    decay = [p for p in model.parameters() if p.dim() > 1]
    rest = [p for p in model.parameters() if p.dim() <= 1]
    groups = [dict(params=decay, weight_decay=variant["weight_decay"]), dict(params=rest, weight_decay=0.0)]
    opt = torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.98))
    schedule = lambda i: min(1.0, (i + 1) / 100) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * i / steps)))
    active = []
    hooks = [block.mlp.act.register_forward_hook(lambda _m, _i, out: active.append(out)) for block in model.transformer.h]
    begun = time.process_time()
    for i in range(steps):
        ids, mask = (torch.tensor(t) for t in data.batch(args.rows))
        active.clear()
        logits = model(ids).logits[:, :-1]
        each = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
        weight = mask[:, 1:].flatten()
        loss = (each * weight).sum() / weight.sum()
        if variant["l1"]:
            loss = loss + variant["l1"] * sum(a.abs().sum(-1).mean() for a in active) / len(active)
        for group in opt.param_groups:
            group["lr"] = lr * schedule(i)
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        if (i + 1) % 250 == 0:
            on = [round((a > 0).float().sum(-1).mean().item(), 1) for a in active]
            short = " ".join(f"{k[:22]}={v:.3f}" for k, v in accuracy(model).items())
            print(f"phase {phase} step {i + 1} loss {loss.item():.3f} {short} active={on} cpu {time.process_time() - begun:.0f}s", flush=True)
    for hook in hooks:
        hook.remove()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("variant", choices=VARIANTS)
    p.add_argument("out")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--rows", type=int, default=32)
    p.add_argument("--positions", type=int, default=48)
    p.add_argument("--start", help="a folder that the first phase wrote: only the second is run")
    p.add_argument("--l1", type=float)
    p.add_argument("--weight-decay", type=float)
    args = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    variant = dict(VARIANTS[args.variant])
    if args.l1 is not None:
        variant["l1"] = args.l1
    if args.weight_decay is not None:
        variant["weight_decay"] = args.weight_decay
    model = build(variant, args.positions)
    if args.start:
        model.load_state_dict(GPT2LMHeadModel.from_pretrained(args.start).state_dict())
    for phase in range(1 if args.start else 0, len(PHASES)):
        train(model, variant, phase, args)
    model.eval()
    model.save_pretrained(args.out)
    world.tokenizer().save(os.path.join(args.out, "tokenizer.json"))
    named = dict(tokenizer_class="PreTrainedTokenizerFast", bos_token=world.END, eos_token=world.END, unk_token=world.UNKNOWN)
    with open(os.path.join(args.out, "tokenizer_config.json"), "w") as f:
        json.dump(named | dict(model_max_length=args.positions), f, indent=2)


if __name__ == "__main__":
    main()
