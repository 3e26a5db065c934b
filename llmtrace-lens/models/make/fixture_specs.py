"""The tiny models of the fixtures: one entry per architecture, in both spellings of its configuration."""

PROMPT = "the capital of the state containing Dallas is"
VOCAB = 384
CORPUS = [
    "Fact: the capital of the state containing Dallas is Austin.",
    "the capital of the state containing Oakland is Sacramento.",
    "The Eiffel Tower is in the city of Paris. When Mary and John went to the store, John gave a drink to Mary.",
    "def add(a, b):\n    return a + b\n",
    "naïve café 北京 😀 1234567890",
] * 3

BYTE_IDS = dict(bos_token_id=0, eos_token_id=0)
PIECE_IDS = dict(bos_token_id=1, eos_token_id=2)


def sizes(layers, kv, mlp=80, **more):
    return dict(vocab_size=VOCAB, hidden_size=32, intermediate_size=mlp, num_hidden_layers=layers, num_attention_heads=4, num_key_value_heads=kv, **more)


LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)

# name: class stem, tokenizer, what both spellings share, the rotary part as transformers 5 and as transformers 4 names it,
# and what a configuration on the hub of that time leaves out (`-`) or says otherwise.
MODELS = {
    "llama3": dict(
        stem="Llama", config="LlamaConfig", tokenizer="metaspace",
        both=sizes(2, 2, head_dim=16, max_position_embeddings=256, rms_norm_eps=1e-5, tie_word_embeddings=True, **PIECE_IDS),
        v5=dict(rope_parameters=dict(LLAMA3, rope_theta=500000.0)),
        v4=dict(rope_theta=500000.0, rope_scaling=LLAMA3),
        hub=dict(),
    ),
    "mistral": dict(
        stem="Mistral", config="MistralConfig", tokenizer="metaspace",
        both=sizes(3, 2, sliding_window=8, max_position_embeddings=128, rms_norm_eps=1e-5, tie_word_embeddings=False, **PIECE_IDS),
        v5=dict(rope_parameters=dict(rope_type="default", rope_theta=10000.0)),
        v4=dict(rope_theta=10000.0),
        hub={"-": ["head_dim"]},
    ),
    "qwen2": dict(
        stem="Qwen2", config="Qwen2Config", tokenizer="bytelevel",
        both=sizes(3, 2, max_position_embeddings=128, tie_word_embeddings=True, **BYTE_IDS),
        v5=dict(rope_parameters=dict(rope_type="default", rope_theta=1000000.0)),
        v4=dict(rope_theta=1000000.0),
        hub={"-": ["layer_types", "rope_scaling"], "sliding_window": 8, "max_window_layers": 2},
    ),
    "qwen3": dict(
        stem="Qwen3", config="Qwen3Config", tokenizer="bytelevel",
        both=sizes(3, 2, head_dim=16, max_position_embeddings=128, tie_word_embeddings=False, **BYTE_IDS),
        v5=dict(rope_parameters=dict(rope_type="default", rope_theta=1000000.0)),
        v4=dict(rope_theta=1000000.0),
        hub={"-": ["layer_types"], "max_window_layers": 3},
    ),
    "gemma3": dict(
        stem="Gemma3", config="Gemma3TextConfig", tokenizer="metaspace",
        both=sizes(4, 1, mlp=64, head_dim=16, query_pre_attn_scalar=24, sliding_window=8, sliding_window_pattern=3,
                   max_position_embeddings=128, tie_word_embeddings=True, pad_token_id=0, **PIECE_IDS),
        v5=dict(rope_parameters=dict(
            full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1000000.0),
            sliding_attention=dict(rope_type="default", rope_theta=10000.0),
        )),
        v4=dict(rope_theta=1000000.0, rope_local_base_freq=10000.0, rope_scaling=dict(rope_type="linear", factor=8.0)),
        hub={"-": ["layer_types", "_sliding_window_pattern", "use_bidirectional_attention"], "sliding_window_pattern": 3},
    ),
}
