"""The attribution graph of a GPT-2 by autograd, in a process of its own: python peer.py MODEL TRANSCODERS TOKENS CALLS

The plain way that circuit-tracer goes, written for this bench: one forward pass over a batch of copies in which attention
patterns, the norms' divisors and the MLPs' outputs carry no gradient, then for each batch of features one backward pass that
begins at their encoders and is read at the MLPs' outputs. Prints what benches/circuit/main.rs prints.
"""

import resource
import sys
import time
from pathlib import Path

import torch
from safetensors import safe_open
from transformers import GPT2LMHeadModel

THREADS = 2
BATCH, UPDATE_INTERVAL, MAX_FEATURES, MAX_TARGETS, TARGET_SHARE = 256, 4, 7500, 10, 0.95


def main() -> None:
    folder, transcoders, tokens, calls = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(THREADS)
    model = GPT2LMHeadModel.from_pretrained(folder, attn_implementation="eager").eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    ids = torch.tensor([(at * 7919) % model.config.vocab_size for at in range(tokens)])
    for _ in range(calls):
        began = time.process_time()
        found = Graph(model, transcoders, ids).trace()
        print(f"{(time.process_time() - began) * 1e3:.2f}")
    print("{} {} {:.4f}".format(*found))
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


class Graph:
    def __init__(self, model, transcoders, ids):
        self.model, self.config, self.steps = model, model.config, len(ids)
        with torch.no_grad():
            embedded = model.transformer.wte(ids) + model.transformer.wpe(torch.arange(self.steps))
            inputs, outputs, _, _ = self.forward(embedded[None])
        self.token_vectors = model.transformer.wte(ids)
        self.features(transcoders, inputs, outputs)
        self.errors = [output[0] - made for output, made in zip(outputs, self.reconstructed)]
        self.embedded = embedded[None].repeat(BATCH, 1, 1).requires_grad_(True)
        self.inputs, self.outputs, self.final, self.logits = self.forward(self.embedded)

    def forward(self, stream):
        """What the features read, what the MLPs add, the normed stream and the logits at the last position."""
        inputs, outputs = [], []
        for block in self.model.transformer.h:
            stream = stream + self.attention(block.attn, norm(block.ln_1, stream))
            read = norm(block.ln_2, stream)
            with torch.no_grad():
                written = block.mlp(read)
            written = written.detach().requires_grad_(torch.is_grad_enabled())
            inputs.append(read)
            outputs.append(written)
            stream = stream + written
        final = norm(self.model.transformer.ln_f, stream)
        with torch.no_grad():
            logits = self.model.lm_head(final[:1, -1])[0]
        return inputs, outputs, final, logits

    def attention(self, attention, read):
        batch, steps, width = read.shape
        heads = self.config.n_head
        query, key, value = (
            part.view(batch, steps, heads, width // heads).transpose(1, 2)
            for part in attention.c_attn(read).split(width, dim=2)
        )
        with torch.no_grad():
            scores = query @ key.transpose(-1, -2) / (width // heads) ** 0.5
            future = torch.ones(steps, steps, dtype=torch.bool).triu(1)
            pattern = scores.masked_fill(future, float("-inf")).softmax(-1)
        mixed = (pattern @ value).transpose(1, 2).reshape(batch, steps, width)
        return attention.c_proj(mixed)

    def features(self, transcoders, inputs, outputs):
        """The active features, what reads them and what they write."""
        places, encoders, vectors, self.reconstructed = [], [], [], []
        for layer, read in enumerate(inputs):
            with safe_open(transcoders / f"layer_{layer}.safetensors", "pt") as file:
                encoder = file.get_tensor("W_enc").float()
                pre = read[0] @ encoder.T + file.get_tensor("b_enc").float()
                active = torch.where(pre > file.get_tensor("activation_function.threshold"), pre, 0.0)
                position, feature = active.nonzero(as_tuple=True)
                written = file.get_tensor("W_dec")[feature].float() * active[position, feature][:, None]
                bias = file.get_tensor("b_dec").float()
            made = bias.expand(self.steps, -1).clone().index_add_(0, position, written)
            self.reconstructed.append(made)
            places.append(torch.stack([torch.full_like(position, layer), position], dim=1))
            encoders.append(encoder[feature])
            vectors.append(written)
        self.places, self.encoders = torch.cat(places), torch.cat(encoders)
        self.vectors = vectors
        self.firsts = [0, *torch.tensor([len(part) for part in vectors]).cumsum(0).tolist()]
        self.active = len(self.places)
        self.sources = self.active + (len(inputs) + 1) * self.steps

    def rows(self, tensors, gradients, count):
        """What each source adds to the readings that the gradients begin at."""
        rows = torch.zeros(BATCH, self.sources)
        sources = [*self.outputs, self.embedded]
        *at_outputs, at_tokens = torch.autograd.grad(tensors, sources, gradients, retain_graph=True, allow_unused=True)
        for layer, gradient in enumerate(at_outputs):
            if gradient is None:
                continue
            first, last = self.firsts[layer], self.firsts[layer + 1]
            position = self.places[first:last, 1]
            rows[:, first:last] = torch.einsum("bnd,nd->bn", gradient[:, position], self.vectors[layer])
            error = self.active + layer * self.steps
            rows[:, error : error + self.steps] = torch.einsum("btd,td->bt", gradient, self.errors[layer])
        if at_tokens is not None:
            rows[:, -self.steps :] = torch.einsum("btd,td->bt", at_tokens, self.token_vectors)
        return rows[:count]

    def trace(self):
        probabilities, tokens = self.logits.softmax(-1).topk(MAX_TARGETS)
        wanted = int((probabilities.cumsum(0) < TARGET_SHARE).sum()) + 1
        probabilities, tokens = probabilities[:wanted], tokens[:wanted]
        unembed = self.model.lm_head.weight
        directions = unembed[tokens] - unembed.mean(0)
        gradient = torch.zeros_like(self.final)
        gradient[: len(tokens), -1] = directions
        count = min(self.active, MAX_FEATURES)
        edges = torch.zeros(len(tokens) + count, self.sources)
        edges[: len(tokens)] = self.rows([self.final], [gradient], len(tokens))
        owners = list(range(self.sources, self.sources + len(tokens)))
        seen = torch.zeros(self.active, dtype=torch.bool)
        done = 0
        while done < count:
            if count == self.active:
                pending = (~seen).nonzero()[:, 0]
            else:
                influence = partial_influence(edges[: len(owners)], probabilities, owners, self.sources)
                influence = influence[: self.active].masked_fill(seen, -1.0)
                pending = influence.argsort(descending=True)[: min(UPDATE_INTERVAL * BATCH, count - done)]
            for batch in pending.split(BATCH):
                rows = self.feature_rows(batch)
                edges[len(owners) : len(owners) + len(batch)] = rows
                owners.extend(batch.tolist())
                seen[batch] = True
                done += len(batch)
        kept = torch.cat([seen, torch.ones(self.sources - self.active, dtype=torch.bool)])
        order = torch.tensor(owners).argsort()
        edges = edges[order][:, kept]
        return self.active, count, float(edges[-len(tokens) :].abs().sum())

    def feature_rows(self, batch):
        layers = self.places[batch, 0]
        tensors, gradients = [], []
        for layer in layers.unique().tolist():
            here = (layers == layer).nonzero()[:, 0]
            gradient = torch.zeros_like(self.inputs[layer])
            gradient[here, self.places[batch[here], 1]] = self.encoders[batch[here]]
            tensors.append(self.inputs[layer])
            gradients.append(gradient)
        return self.rows(tensors, gradients, len(batch))


def norm(norm, x):
    centred = x - x.mean(-1, keepdim=True)
    with torch.no_grad():
        scale = (centred.pow(2).mean(-1, keepdim=True) + norm.eps).sqrt()
    return centred / scale * norm.weight + norm.bias


def partial_influence(edges, weights, owners, sources):
    """How much each source matters to the targets through the rows so far."""
    shares = edges.abs()
    shares = shares / shares.sum(1, keepdim=True).clamp(min=1e-8)
    at = torch.zeros(sources + len(weights))
    at[sources:] = weights
    influence = torch.zeros(sources)
    owners = torch.tensor(owners)
    while True:
        more = at[owners] @ shares
        if not more.any():
            return influence
        influence += more
        at = torch.cat([more, torch.zeros(len(weights))])


if __name__ == "__main__":
    main()
