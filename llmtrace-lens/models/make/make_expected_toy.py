#!/usr/bin/env python3
"""Writes facts.json, expected_toy.json and SHA256SUMS beside a trained toy, and fails when the toy does not do what its card says.

    pip install -r requirements.txt
    python make_expected_toy.py ../toy-relu      (or: ../toy-gelu)
"""
import hashlib, json, os, random, sys

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
import transformers as T
from tokenizers import Tokenizer

import toy_world as world
from make_analysis_more import embed, forward
from train_toy import accuracy

PROMPTS = [
    "the capital of the state containing Dallas is",
    "the capital of the state containing Oakland is",
    "Dallas is in",
    "the capital of Texas is",
    "Miami Akron Selma Bend Denver Ohio Erie Miami Akron Selma Bend",
]
WORD = {i: w for w, i in world.ID.items()}
SITES = ("resid", "attn_out", "mlp_out")


def short(t):
    return [short(v) for v in t] if t.dim() else float(f"{t.item():.7g}")


def top(logits, k):
    p = logits.softmax(-1)
    return [dict(id=i, token=WORD[i], logit=short(logits[i]), prob=short(p[i])) for i in logits.topk(k).indices.tolist()]


def patches(model, ids, source):
    """Metric of the run on `ids` with one value of the run on `source` put in: [layer, position], and [layer, head] for hook_z."""
    x, kept = embed(model, ids), {}
    forward(model, embed(model, source), keep=kept)
    layers, heads, width = len(model.transformer.h), model.config.n_head, model.config.n_embd // model.config.n_head
    def run(site, layer, at):
        def edit(value):
            value = value.clone()
            value[at] = kept[site, layer][at]
            return value
        logits = forward(model, x, [(site, layer, edit)])[0, -1]
        return logits[world.ID["Sacramento"]] - logits[world.ID["Austin"]]
    seen = {}
    for site in SITES:
        rows = [[run(site, l, (slice(None), t)) for t in range(ids.shape[1])] for l in range(layers)]
        seen["resid_pre" if site == "resid" else site] = short(torch.tensor(rows))
    spans = [(slice(None), slice(None), slice(h * width, (h + 1) * width)) for h in range(heads)]
    seen["z_all_positions"] = short(torch.tensor([[run("z", l, s) for s in spans] for l in range(layers)]))
    return seen


def lens(model, ids):
    """What the final norm and unembedding read from the stream before each layer, after each attention, and at the end."""
    kept = {}
    forward(model, embed(model, ids), keep=kept)
    layers, stack = len(model.transformer.h), []
    for l in range(layers):
        stack += [(f"{l}_pre", kept["resid", l]), (f"{l}_mid", kept["resid", l] + kept["attn_out", l])]
    stack.append(("final_post", kept["resid", layers]))
    read = {name: model.lm_head(model.transformer.ln_f(value))[0] for name, value in stack}
    return dict(
        last_position={name: top(logits[-1], 3) for name, logits in read.items()},
        top_1={name: [WORD[i] for i in logits.argmax(-1).tolist()] for name, logits in read.items()},
    )


def repeats(rows=6, n=12, seed=3):
    rng = random.Random(seed)
    half = torch.tensor([[rng.randrange(len(world.WORDS) + 2, len(world.VOCAB)) for _ in range(n)] for _ in range(rows)])
    return torch.cat([half, half], 1)


def heads(model):
    """Scores of heads on stretches of 12 words said twice: attention from t of the second half to t-11 (induction), t-12 (duplicate), t-1, 0."""
    ids, n = repeats(), 12
    pattern = torch.stack(model(ids, output_attentions=True).attentions)  # [layer, row, head, query, key]
    at = torch.arange(n, 2 * n)
    score = lambda key: short(pattern[:, :, :, at, key].mean((1, 3)))
    right = ids[:, n + 1:]
    def chance(edits=()):
        logits = forward(model, embed(model, ids), edits)[:, n:-1]
        return short(logits.softmax(-1).gather(-1, right[..., None]).mean())
    width = model.config.n_embd // model.config.n_head
    def without(l, h):
        def edit(value):
            value = value.clone()
            value[..., h * width:(h + 1) * width] = 0
            return value
        return chance([("z", l, edit)])
    layers = range(len(model.transformer.h))
    return dict(
        ids=ids.tolist(), induction=score(at - n + 1), duplicate_token=score(at - n), previous_token=score(at - 1), first_token=score(at * 0),
        mean_probability_of_repeat=chance(), mean_probability_without_head=[[without(l, h) for h in range(model.config.n_head)] for l in layers],
    )


def neurons(model, ids, limit=8):
    """The strongest MLP neurons at the last position of each layer, and the words each promotes most."""
    active = []
    hooks = [b.mlp.act.register_forward_hook(lambda _m, _i, out: active.append(out[0, -1])) for b in model.transformer.h]
    model(ids)
    for h in hooks:
        h.remove()
    seen = []
    for block, a in zip(model.transformer.h, active):
        push = block.mlp.c_proj.weight @ model.lm_head.weight.T
        rows = [dict(neuron=i, value=short(a[i]), promotes=[WORD[w] for w in push[i].topk(3).indices.tolist()]) for i in a.topk(limit).indices.tolist() if a[i] > 0]
        seen.append(dict(active=int((a > 0).sum()), strongest=rows))
    return seen


def expected(model, tok):
    ids = [torch.tensor([tok.encode(p).ids]) for p in PROMPTS]
    dallas, oakland = ids[:2]
    last = dallas.shape[1] - 1
    seen = dict(accuracy={k: round(v, 4) for k, v in accuracy(model).items()}, prompts=[])
    for text, i in zip(PROMPTS, ids):
        seen["prompts"].append(dict(text=text, ids=i[0].tolist(), top=top(model(i).logits[0, -1], 5)))
    seen["lens"] = lens(model, dallas)
    seen["patch"] = dict(
        metric="logit(Sacramento) - logit(Austin) at the last position", dallas_ids=dallas[0].tolist(), oakland_ids=oakland[0].tolist(),
        oakland_into_dallas=patches(model, dallas, oakland), dallas_into_oakland=patches(model, oakland, dallas),
    )
    attention = torch.stack(model(dallas, output_attentions=True).attentions)[:, 0]
    seen["attention_from_is_to_dallas"] = short(attention[:, :, last, last - 1])
    seen["heads"] = heads(model)
    seen["neurons_at_is"] = neurons(model, dallas)
    return seen


def facts():
    states = {s: dict(capital=c, cities=cities, held_out=cities[0]) for s, (c, cities) in world.WORLD.items()}
    ask = world.TWO_HOP.removesuffix(" {capital} .")
    held = [dict(prompt=ask.format(city=v["held_out"]), city=v["held_out"], state=s, answer=v["capital"]) for s, v in states.items()]
    forms = dict(two_hop=world.TWO_HOP, city_in_state=world.CITY_IN, state_containing=world.CONTAINING, capital_of_state=world.CAPITAL_OF)
    counts = {form: len(sentences) for form, sentences in world.facts(held_out=False).items()}
    return dict(forms=forms, trained_sentences=counts, states=states, held_out_two_hop=held)


def check(seen, shows_state):
    a, last = seen["accuracy"], seen["lens"]["last_position"]
    assert all(v == 1.0 for k, v in a.items() if k.startswith("one_hop")) and a["two_hop_held_out"] >= 0.9 and a["induction"] >= 0.95, a
    assert seen["prompts"][0]["top"][0]["token"] == "Austin" and seen["prompts"][1]["top"][0]["token"] == "Sacramento"
    assert seen["prompts"][4]["top"][0]["token"] == "Denver", seen["prompts"][4]
    first = [t[0]["token"] for t in last.values()]
    assert first[-1] == "Austin", first
    if shows_state:
        assert "Texas" in first and "Austin" not in first[: first.index("Texas")], first
    swap = seen["patch"]["oakland_into_dallas"]["resid_pre"]
    assert swap[0][6] > 0 and swap[2][7] > 0, swap
    assert max(max(r) for r in seen["heads"]["induction"]) > 0.5, seen["heads"]["induction"]


@torch.no_grad()
def main(folder):
    torch.set_num_threads(1)
    model = T.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    seen = expected(model, Tokenizer.from_file(os.path.join(folder, "tokenizer.json")))
    dump = lambda name, what: open(os.path.join(folder, name), "w").write(json.dumps(what, indent=1) + "\n")
    dump("expected_toy.json", seen)
    dump("facts.json", facts())
    names = ("config.json", "model.safetensors", "tokenizer.json")
    sums = [f"{hashlib.sha256(open(os.path.join(folder, n), 'rb').read()).hexdigest()}  {n}\n" for n in names]
    open(os.path.join(folder, "SHA256SUMS"), "w").writelines(sums)
    print(seen["accuracy"], [t[0]["token"] for t in seen["lens"]["last_position"].values()])
    for key in ("resid_pre", "z_all_positions"):
        print(key, [[round(v, 1) for v in r] for r in seen["patch"]["oakland_into_dallas"][key]])
    print("is->Dallas", [[round(v, 2) for v in r] for r in seen["attention_from_is_to_dallas"]], "induction", [[round(v, 2) for v in r] for r in seen["heads"]["induction"]])
    print("neurons", [n["active"] for n in seen["neurons_at_is"]], [s["promotes"] for n in seen["neurons_at_is"] for s in n["strongest"][:3]])
    print("top", [(t["token"], round(t["prob"], 3)) for p in seen["prompts"] for t in p["top"][:2]])
    check(seen, model.config.activation_function == "relu")


if __name__ == "__main__":
    main(sys.argv[1])
