"""One peer in a process of its own: python peer.py FOLDER transformers|transformer_lens forward|cache|gradient|load TOKENS CALLS

Prints the CPU time of each call in milliseconds, and at last the peak memory in MiB.
"""

import os
import resource
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from transformers import GPT2LMHeadModel

THREADS = 2


def main() -> None:
    folder, library, job, tokens, calls = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
    torch.set_num_threads(THREADS)
    model = load(folder)
    ids = torch.tensor([[(at * 7919) % model.config.vocab_size for at in range(tokens)]])
    call = (lambda: touch(load(folder))) if job == "load" else CALLS[library](folder, model, job, ids)
    for _ in range(calls):
        began = time.process_time()
        call()
        print(f"{(time.process_time() - began) * 1e3:.2f}")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


def load(folder):
    return GPT2LMHeadModel.from_pretrained(folder, attn_implementation="eager").eval()


def touch(model):
    """Reads one number of each page: a mapped file is not in memory before."""
    return sum(float(parameter.detach().flatten()[::1024].sum()) for parameter in model.parameters())


def transformers_calls(_folder, model, job, ids):
    def forward():
        with torch.no_grad():
            return model(ids, use_cache=False).logits

    def cache():
        with torch.no_grad():
            return model(ids, use_cache=False, output_hidden_states=True, output_attentions=True)

    def gradient():
        embeds = model.transformer.wte(ids).detach().requires_grad_(True)
        model(inputs_embeds=embeds, use_cache=False, logits_to_keep=1).logits[0, -1, 0].backward()
        return embeds.grad

    if job == "gradient":
        for parameter in model.parameters():
            parameter.requires_grad_(False)
    return {"forward": forward, "cache": cache, "gradient": gradient}[job]


def transformer_lens_calls(folder, model, job, ids):
    import transformer_lens.model_bridge.sources._hf_format as hf_format
    from tokenizers import Tokenizer, models
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import PreTrainedTokenizerFast

    hf_format.get_tokenizer_with_bos = lambda tokenizer: tokenizer  # it would look the tokenizer up on the hub
    words = Tokenizer(models.WordLevel({"<s>": 0}, unk_token="<s>"))  # tokens are given as ids
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", eos_token="<s>", pad_token="<s>")
    bridge = TransformerBridge.boot_transformers(folder, hf_model=model, tokenizer=tokenizer, device="cpu")

    def under_no_grad(call):
        def run():
            with torch.no_grad():
                return call(ids)
        return run

    return under_no_grad({"forward": bridge, "cache": bridge.run_with_cache}[job])


CALLS = {"transformers": transformers_calls, "transformer_lens": transformer_lens_calls}


if __name__ == "__main__":
    main()
