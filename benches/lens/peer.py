"""One peer in a process of its own: python peer.py FOLDER transformers|transformer_lens forward|cache|gradient TOKENS CALLS

Prints the CPU time of each call in milliseconds, and at last the peak memory in MiB.
"""

import resource
import sys
import time

import torch
from transformers import GPT2LMHeadModel

THREADS = 2


def main() -> None:
    folder, library, job, tokens, calls = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    torch.set_num_threads(THREADS)
    model = GPT2LMHeadModel.from_pretrained(folder, attn_implementation="eager").eval()
    ids = torch.tensor([[(at * 7919) % model.config.vocab_size for at in range(tokens)]])
    call = {"transformers": transformers_call, "transformer_lens": transformer_lens_call}[library](model, job, ids)
    for _ in range(calls):
        began = time.process_time()
        call()
        print(f"{(time.process_time() - began) * 1e3:.2f}")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


def transformers_call(model, job, ids):
    def forward():
        with torch.no_grad():
            return model(ids, use_cache=False).logits

    def cache():
        with torch.no_grad():
            return model(ids, use_cache=False, output_hidden_states=True, output_attentions=True)

    def gradient():
        embeds = model.transformer.wte(ids).detach().requires_grad_(True)
        model(inputs_embeds=embeds, use_cache=False).logits[0, -1, 0].backward()
        return embeds.grad

    if job == "gradient":
        for parameter in model.parameters():
            parameter.requires_grad_(False)
    return {"forward": forward, "cache": cache, "gradient": gradient}[job]


def transformer_lens_call(model, job, ids):
    from transformer_lens.model_bridge import TransformerBridge
    from transformer_lens.model_bridge.sources import transformers as source
    bridge = TransformerBridge.boot_transformers(model_name="gpt2", hf_model=model, tokenizer=None, device="cpu")
    with torch.no_grad():
        return {"forward": lambda: bridge(ids), "cache": lambda: bridge.run_with_cache(ids)}[job]


if __name__ == "__main__":
    main()
