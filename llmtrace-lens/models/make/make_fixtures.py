#!/usr/bin/env python3
"""Writes the tiny models of five architectures and what transformers computes with them.

    pip install -r requirements.txt
    python make_fixtures.py ../../tests/fixtures/models

Every parameter is drawn from a seeded normal distribution (norm gains around their neutral value, biases not zero), so that an
ignored bias, another norm or another order of heads changes the logits. float32, CPU, eager attention, no network.
"""
import json, os, sys

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
import torch.nn.functional as F
import transformers as T
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from fixture_specs import CORPUS, MODELS, PROMPT, VOCAB

WARPERS = {
    "temperature_0.7": lambda: T.TemperatureLogitsWarper(0.7),
    "top_k_10": lambda: T.TopKLogitsWarper(10),
    "top_p_0.9": lambda: T.TopPLogitsWarper(0.9),
    "min_p_0.1": lambda: T.MinPLogitsWarper(0.1),
    "repetition_penalty_1.3": lambda: T.RepetitionPenaltyLogitsProcessor(1.3),
}


def bytelevel():
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tok.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=VOCAB, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False))
    return tok


def metaspace():
    tok = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tok.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first")
    tok.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
    tok.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=VOCAB, special_tokens=special, show_progress=False))
    tok.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return tok


@torch.no_grad()
def seed_parameters(model, gemma, seed):
    g = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.named_parameters()):
        r = torch.randn(p.shape, generator=g)
        if "norm" in name:
            p.copy_((0.0 if gemma else 1.0) + 0.2 * r)
        elif name.endswith("bias"):
            p.copy_(0.1 * r)
        elif "embed" in name or "lm_head" in name:
            p.copy_((0.35 if gemma else 0.5) * r)
        else:
            p.copy_(r * (1.2 / p.shape[1] ** 0.5))


def internals(model, tag, ids):
    with torch.no_grad():
        out = model(ids, output_hidden_states=True, output_attentions=True, use_cache=False)
    seen = {f"{tag}.input_ids": ids.to(torch.int32), f"{tag}.logits": out.logits}
    seen |= {f"{tag}.hidden_states.{l}": h for l, h in enumerate(out.hidden_states)}  # the last one is after the final norm
    return seen | {f"{tag}.attentions.{l}": a for l, a in enumerate(out.attentions)}


def gradient(model, ids):
    """Gradient of the highest last logit with respect to what the embedding gives (Gemma's scale included)."""
    e = model.get_input_embeddings()(ids).detach().requires_grad_(True)
    logits = model(inputs_embeds=e, use_cache=False).logits[0, -1]
    logits[int(logits.argmax())].backward()
    return {"prompt.grad_top_logit_wrt_inputs_embeds": e.grad, "prompt.inputs_embeds": e.detach()}


def decoding(model, ids, logits):
    seen = {f"decode.probs_{name}": F.softmax(make()(ids, logits[None].clone()), -1) for name, make in WARPERS.items()}
    plain = dict(do_sample=False, pad_token_id=0, eos_token_id=None)
    seen["decode.greedy_ids"] = model.generate(ids, max_new_tokens=8, **plain).to(torch.int32)
    beam = model.generate(ids, max_new_tokens=5, num_beams=3, num_return_sequences=3, length_penalty=1.0, return_dict_in_generate=True, output_scores=True, **plain)
    return seen | {"decode.beam3_ids": beam.sequences.to(torch.int32), "decode.beam3_scores": beam.sequences_scores}


def write_tokens(tok, path):
    e, odd = tok.encode(PROMPT), "naïve café 北京 😀"
    seen = dict(text=PROMPT, ids=e.ids, tokens=e.tokens, offsets=e.offsets, decoded=tok.decode(e.ids), unicode=dict(text=odd, ids=tok.encode(odd).ids))
    json.dump(seen, open(path, "w"), indent=1, ensure_ascii=False)


def make(name, spec, folder, number):
    os.makedirs(folder, exist_ok=True)
    torch.manual_seed(1000 + number)
    config = getattr(T, spec["config"])(**spec["both"], **spec["v5"], attn_implementation="eager")
    model = getattr(T, spec["stem"] + "ForCausalLM")(config).eval().float()
    seed_parameters(model, name.startswith("gemma"), 5151 + number)
    tok = dict(bytelevel=bytelevel, metaspace=metaspace)[spec["tokenizer"]]()
    model.save_pretrained(folder)
    tok.save(os.path.join(folder, "tokenizer.json"))
    write_tokens(tok, os.path.join(folder, "tokens.json"))
    ids = torch.tensor([tok.encode(PROMPT).ids])
    long = (torch.arange(24) * 37 % (VOCAB - 3) + 3).unsqueeze(0)
    seen = internals(model, "prompt", ids) | internals(model, "long", long) | gradient(model, ids)
    logits = seen["prompt.logits"][0, -1]
    seen |= decoding(model, ids, logits)
    save_file({k: v.detach().contiguous().clone() for k, v in seen.items()}, os.path.join(folder, "expected.safetensors"))
    entropy = -(torch.softmax(logits, -1) * torch.log_softmax(logits, -1)).sum().item()
    print(name, sum(p.numel() for p in model.parameters()), "parameters, entropy", round(entropy, 3), "nats, top", int(logits.argmax()))


if __name__ == "__main__":
    torch.set_num_threads(1)
    for number, (name, spec) in enumerate(MODELS.items()):
        make(name, spec, os.path.join(sys.argv[1], name), number)
