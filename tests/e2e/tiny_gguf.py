"""A GGUF file of some 90 KB with random weights: a sentence encoder (architecture bert) whose vectors mean nothing, which
llama.cpp computes as it does any other's. `change` edits what is written: keys, tokens."""

import random
import struct

WIDTH, HEADS, FFN, LAYERS, CONTEXT = 32, 2, 64, 2, 512
U32, F32, BOOL, STRING, ARRAY, I32 = 4, 6, 7, 8, 9, 5
ALIGNMENT = 32


def _text(text):
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _value(kind, value):
    if kind == STRING:
        return _text(value)
    if kind == ARRAY:
        item, values = value
        return struct.pack("<IQ", item, len(values)) + b"".join(_value(item, v) for v in values)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], value)


def _keys():
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    tokens += ["\u2581" + c for c in letters] + list(letters)  # U+2581: it begins a word
    return {
        "general.architecture": (STRING, "bert"),
        "bert.context_length": (U32, CONTEXT),
        "bert.embedding_length": (U32, WIDTH),
        "bert.block_count": (U32, LAYERS),
        "bert.feed_forward_length": (U32, FFN),
        "bert.attention.head_count": (U32, HEADS),
        "bert.attention.layer_norm_epsilon": (F32, 1e-12),
        "bert.attention.causal": (BOOL, False),
        "bert.pooling_type": (U32, 1),
        "tokenizer.ggml.model": (STRING, "bert"),
        "tokenizer.ggml.tokens": (ARRAY, (STRING, tokens)),
        "tokenizer.ggml.token_type": (ARRAY, (I32, [3] * 5 + [1] * (len(tokens) - 5))),
        "tokenizer.ggml.token_type_count": (U32, 2),
        "tokenizer.ggml.padding_token_id": (U32, 0),
        "tokenizer.ggml.unknown_token_id": (U32, 1),
        "tokenizer.ggml.cls_token_id": (U32, 2),
        "tokenizer.ggml.bos_token_id": (U32, 2),
        "tokenizer.ggml.seperator_token_id": (U32, 3),  # as the format spells it
        "tokenizer.ggml.mask_token_id": (U32, 4),
    }


def _tensors(vocabulary):
    yield "token_embd.weight", (WIDTH, vocabulary)
    yield "token_types.weight", (WIDTH, 2)
    yield "position_embd.weight", (WIDTH, CONTEXT)
    yield "token_embd_norm.weight", (WIDTH,)
    yield "token_embd_norm.bias", (WIDTH,)
    for i in range(LAYERS):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield f"blk.{i}.{name}.weight", (WIDTH, WIDTH)
            yield f"blk.{i}.{name}.bias", (WIDTH,)
        for name in ("attn_output_norm", "layer_output_norm"):
            yield f"blk.{i}.{name}.weight", (WIDTH,)
            yield f"blk.{i}.{name}.bias", (WIDTH,)
        yield f"blk.{i}.ffn_up.weight", (WIDTH, FFN)
        yield f"blk.{i}.ffn_up.bias", (FFN,)
        yield f"blk.{i}.ffn_down.weight", (FFN, WIDTH)
        yield f"blk.{i}.ffn_down.bias", (WIDTH,)


def _write(path, keys, tensors, rng, spread=0.3):
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys))
    head += b"".join(_text(k) + struct.pack("<I", kind) + _value(kind, v) for k, (kind, v) in keys.items())
    data = b""
    for name, sizes in tensors:
        count = sizes[0] * (sizes[1] if len(sizes) > 1 else 1)
        middle = 1 if name.endswith("norm.weight") else 0
        head += _text(name) + struct.pack(f"<I{len(sizes)}QIQ", len(sizes), *sizes, 0, len(data))
        data += struct.pack(f"<{count}f", *(middle + rng.uniform(-spread, spread) for _ in range(count)))
        data += bytes(-len(data) % ALIGNMENT)
    path.write_bytes(head + bytes(-len(head) % ALIGNMENT) + data)
    return path


def write_encoder(path, seed=1, change=lambda keys: None):
    keys = _keys()
    tensors = list(_tensors(len(keys["tokenizer.ggml.tokens"][1][1])))
    change(keys)
    return _write(path, keys, tensors, random.Random(seed))


def write_lora(path, width, layers, rank=4, seed=1):
    """An adapter of chance for the queries of a llama's attention, of `width` numbers a layer."""
    keys = {"general.architecture": (STRING, "llama"), "general.type": (STRING, "adapter"),
            "adapter.type": (STRING, "lora"), "adapter.lora.alpha": (F32, 8.0)}
    tensors = [(f"blk.{i}.attn_q.weight.lora_{half}", sizes)
               for i in range(layers) for half, sizes in (("a", (width, rank)), ("b", (rank, width)))]
    return _write(path, keys, tensors, random.Random(seed), spread=0.1)
