#!/usr/bin/env python3
"""Golden distributions of every mix of samplers, by transformers' own `generate` pipeline.

    python make.py > cases.json        (offline; needs torch and transformers; made with 2.15.0 and 5.23.0)

Logits are multiples of 1/8, so that many are equal: what a filter does to equal ones is part of what is tested.
Only where min_tokens_to_keep matters none are equal, as torch.topk leaves open which of them it takes.
"""
import itertools, json, os, random
os.environ["HF_HUB_OFFLINE"] = "1"
import torch, transformers
from transformers import GenerationConfig, GPT2Config, GPT2LMHeadModel
from transformers.generation.logits_process import (LogitsProcessorList, MinPLogitsWarper, RepetitionPenaltyLogitsProcessor,
                                                    TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)

VOCABULARY = 24
rng = random.Random(20)
model = GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, n_embd=4, n_head=1, n_layer=1, n_positions=32))

def settings():
    penalties, temperatures, ks, ps, min_ps = (None, 0.6, 1.3), (None, 0.7, 2.5), (None, 1, 5), (None, 0.0, 0.5, 0.9), (None, 0.05, 0.3)
    mixes = list(itertools.product(penalties, temperatures, ks, ps, min_ps))
    rng.shuffle(mixes)
    # Each filter alone, then a share of the mixes.
    alone = [mix for mix in mixes if sum(value is not None for value in mix) <= 1]
    return alone + [mix for mix in mixes if mix not in alone][:60]

def pipeline(mix, least):
    names = ("repetition_penalty", "temperature", "top_k", "top_p", "min_p")
    given = {name: value for name, value in zip(names, mix) if value is not None}
    if least > 1:   # `generate` asks for more than one only in beam search, so the list is made by hand in its order
        made = [RepetitionPenaltyLogitsProcessor(mix[0])] if mix[0] else []
        made += [TemperatureLogitsWarper(mix[1])] if mix[1] else []
        made += [TopKLogitsWarper(mix[2], min_tokens_to_keep=least)] if mix[2] else []
        made += [TopPLogitsWarper(mix[3], min_tokens_to_keep=least)] if mix[3] is not None else []
        made += [MinPLogitsWarper(mix[4], min_tokens_to_keep=least)] if mix[4] is not None else []
        return given, LogitsProcessorList(made)
    neutral = dict(top_k=0, top_p=1.0, temperature=1.0)
    config = GenerationConfig(do_sample=True, **{**neutral, **given})
    return given, model._get_logits_processor(config, input_ids_seq_length=4, device="cpu")

cases = []
for mix in settings():
    for least, has_equal in ((1, True), (3, False)):
        eighths = [rng.randrange(-40, 41) for _ in range(VOCABULARY)] if has_equal else rng.sample(range(-60, 61), VOCABULARY)
        occurred = [rng.randrange(VOCABULARY) for _ in range(6)]
        given, processors = pipeline(mix, least)
        scores = torch.tensor([[eighth / 8 for eighth in eighths]])
        probabilities = torch.softmax(processors(torch.tensor([occurred]), scores.clone()), -1)[0].tolist()
        cases.append(dict(settings=given, min_tokens_to_keep=least, eighths=eighths, occurred=occurred,
                          probabilities=[float(f"{p:.9g}") for p in probabilities]))
print('{"made_with":' + json.dumps(dict(transformers=transformers.__version__, torch=torch.__version__)) + ',"cases":[')
print(",\n".join(json.dumps(case, separators=(",", ":")) for case in cases))
print("]}")
