/* GGUF files of a few kilobytes with random weights, written by the test that reads them: what they say means nothing,
 * but llama.cpp computes it as it does any other model's. A seed makes the same file again. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

#define TINY_WIDTH   32
#define TINY_FFN     64
#define TINY_HEADS   2
#define TINY_LAYERS  2
#define TINY_CONTEXT 512
#define TINY_ALIGN   32

enum tiny_kind {
    TINY_LLAMA,     /* causal, a token a byte, "<|im_start|>", "<|im_end|>" and a ChatML template */
    TINY_EMBEDS,    /* the same with a pooling: a model of embeddings, of the last token */
    TINY_BPE,       /* a vocabulary alone, split by std::regex: a token a byte, and "aa" */
    TINY_BERT,      /* bidirectional, a token a letter, mean pooling */
    TINY_LORA,      /* an adapter of TINY_LLAMA's */
    TINY_LORA_WIDE, /* an adapter of a model that is twice as wide */
};

enum { TINY_U32 = 4, TINY_F32 = 6, TINY_BOOL = 7, TINY_STRING = 8, TINY_ARRAY = 9, TINY_I32 = 5 };

struct tiny {
    FILE *file;
    struct rng rng;
    uint64_t keys, tensors, offset; /* offset: of the next tensor's data */
    char *infos;                    /* the tensors' heads, which stand before all data */
    size_t infos_len;
    FILE *infos_file;
    size_t sizes[128]; /* floats of each tensor */
    float spread[128], middle[128];
};

static inline void tiny_u32(FILE *f, uint32_t v)
{
    fwrite(&v, sizeof(v), 1, f);
}

static inline void tiny_u64(FILE *f, uint64_t v)
{
    fwrite(&v, sizeof(v), 1, f);
}

static inline void tiny_text(FILE *f, const char *text)
{
    tiny_u64(f, strlen(text));
    fwrite(text, 1, strlen(text), f);
}

static inline void tiny_key(struct tiny *t, const char *key, uint32_t type)
{
    tiny_text(t->file, key);
    tiny_u32(t->file, type);
    t->keys++;
}

static inline void tiny_key_u32(struct tiny *t, const char *key, uint32_t v)
{
    tiny_key(t, key, TINY_U32);
    tiny_u32(t->file, v);
}

static inline void tiny_key_f32(struct tiny *t, const char *key, float v)
{
    tiny_key(t, key, TINY_F32);
    fwrite(&v, sizeof(v), 1, t->file);
}

static inline void tiny_key_bool(struct tiny *t, const char *key, bool v)
{
    char byte = v;
    tiny_key(t, key, TINY_BOOL);
    fwrite(&byte, 1, 1, t->file);
}

static inline void tiny_key_text(struct tiny *t, const char *key, const char *v)
{
    tiny_key(t, key, TINY_STRING);
    tiny_text(t->file, v);
}

/* Values are random around `middle`, within `spread`. */
static inline void tiny_tensor(struct tiny *t, const char *name, uint64_t columns, uint64_t rows,
                               float middle, float spread)
{
    size_t count = columns * (rows ? rows : 1);
    tiny_text(t->infos_file, name);
    tiny_u32(t->infos_file, rows ? 2 : 1);
    tiny_u64(t->infos_file, columns);
    if (rows)
        tiny_u64(t->infos_file, rows);
    tiny_u32(t->infos_file, 0); /* f32 */
    tiny_u64(t->infos_file, t->offset);
    t->sizes[t->tensors] = count;
    t->spread[t->tensors] = spread;
    t->middle[t->tensors] = middle;
    t->tensors++;
    t->offset += (count * sizeof(float) + TINY_ALIGN - 1) / TINY_ALIGN * TINY_ALIGN;
}

static inline void tiny_layer_tensor(struct tiny *t, unsigned layer, const char *name,
                                     uint64_t columns, uint64_t rows, float middle)
{
    char full[64];
    snprintf(full, sizeof(full), "blk.%u.%s", layer, name);
    tiny_tensor(t, full, columns, rows, middle, rows ? .3f : .1f);
}

#define TINY_BYTES_FIRST 3
#define TINY_IM_START    259
#define TINY_IM_END      260
#define TINY_VOCAB       261

static inline void tiny_llama_vocabulary(struct tiny *t)
{
    tiny_key_text(t, "tokenizer.ggml.model", "llama");
    tiny_key(t, "tokenizer.ggml.tokens", TINY_ARRAY);
    tiny_u32(t->file, TINY_STRING);
    tiny_u64(t->file, TINY_VOCAB);
    static const char *const named[] = {"<unk>", "<s>", "</s>"};
    for (int i = 0; i < 3; i++)
        tiny_text(t->file, named[i]);
    for (int i = 0; i < 256; i++) {
        char text[8];
        snprintf(text, sizeof(text), "<0x%02X>", i);
        tiny_text(t->file, text);
    }
    tiny_text(t->file, "<|im_start|>");
    tiny_text(t->file, "<|im_end|>");
    tiny_key(t, "tokenizer.ggml.scores", TINY_ARRAY);
    tiny_u32(t->file, TINY_F32);
    tiny_u64(t->file, TINY_VOCAB);
    for (int i = 0; i < TINY_VOCAB; i++) {
        float zero = 0;
        fwrite(&zero, sizeof(zero), 1, t->file);
    }
    tiny_key(t, "tokenizer.ggml.token_type", TINY_ARRAY);
    tiny_u32(t->file, TINY_I32);
    tiny_u64(t->file, TINY_VOCAB);
    for (int i = 0; i < TINY_VOCAB; i++) {
        bool byte = i >= TINY_BYTES_FIRST && i < TINY_IM_START;
        tiny_u32(t->file, byte ? 6 : i == 0 ? 2 : 3);
    }
    tiny_key_u32(t, "tokenizer.ggml.bos_token_id", 1);
    tiny_key_u32(t, "tokenizer.ggml.eos_token_id", TINY_IM_END);
    tiny_key_u32(t, "tokenizer.ggml.unknown_token_id", 0);
    tiny_key_bool(t, "tokenizer.ggml.add_bos_token", true);
    tiny_key_bool(t, "tokenizer.ggml.add_space_prefix", false);
    tiny_key_text(t, "tokenizer.chat_template",
                  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + "
                  "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
                  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}");
}

static inline void tiny_llama(struct tiny *t)
{
    tiny_key_text(t, "general.architecture", "llama");
    tiny_key_text(t, "general.name", "tiny");
    tiny_key_u32(t, "llama.context_length", TINY_CONTEXT);
    tiny_key_u32(t, "llama.embedding_length", TINY_WIDTH);
    tiny_key_u32(t, "llama.block_count", TINY_LAYERS);
    tiny_key_u32(t, "llama.feed_forward_length", TINY_FFN);
    tiny_key_u32(t, "llama.attention.head_count", TINY_HEADS);
    tiny_key_u32(t, "llama.rope.dimension_count", TINY_WIDTH / TINY_HEADS);
    tiny_key_f32(t, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
    tiny_llama_vocabulary(t);
    tiny_tensor(t, "token_embd.weight", TINY_WIDTH, TINY_VOCAB, 0, 1);
    tiny_tensor(t, "output_norm.weight", TINY_WIDTH, 0, 1, .1f);
    for (unsigned i = 0; i < TINY_LAYERS; i++) {
        tiny_layer_tensor(t, i, "attn_norm.weight", TINY_WIDTH, 0, 1);
        tiny_layer_tensor(t, i, "attn_q.weight", TINY_WIDTH, TINY_WIDTH, 0);
        tiny_layer_tensor(t, i, "attn_k.weight", TINY_WIDTH, TINY_WIDTH, 0);
        tiny_layer_tensor(t, i, "attn_v.weight", TINY_WIDTH, TINY_WIDTH, 0);
        tiny_layer_tensor(t, i, "attn_output.weight", TINY_WIDTH, TINY_WIDTH, 0);
        tiny_layer_tensor(t, i, "ffn_norm.weight", TINY_WIDTH, 0, 1);
        tiny_layer_tensor(t, i, "ffn_gate.weight", TINY_WIDTH, TINY_FFN, 0);
        tiny_layer_tensor(t, i, "ffn_up.weight", TINY_WIDTH, TINY_FFN, 0);
        tiny_layer_tensor(t, i, "ffn_down.weight", TINY_FFN, TINY_WIDTH, 0);
    }
}

#define TINY_BERT_VOCAB (5 + 2 * 26)

static inline void tiny_bert_vocabulary(struct tiny *t)
{
    static const char *const named[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    tiny_key_text(t, "tokenizer.ggml.model", "bert");
    tiny_key(t, "tokenizer.ggml.tokens", TINY_ARRAY);
    tiny_u32(t->file, TINY_STRING);
    tiny_u64(t->file, TINY_BERT_VOCAB);
    for (int i = 0; i < 5; i++)
        tiny_text(t->file, named[i]);
    for (int i = 0; i < 52;
         i++) { /* a letter that begins a word has the mark of a space before it */
        char text[8];
        snprintf(text, sizeof(text), "%s%c", i < 26 ? "\xe2\x96\x81" : "", 'a' + i % 26);
        tiny_text(t->file, text);
    }
    tiny_key(t, "tokenizer.ggml.token_type", TINY_ARRAY);
    tiny_u32(t->file, TINY_I32);
    tiny_u64(t->file, TINY_BERT_VOCAB);
    for (int i = 0; i < TINY_BERT_VOCAB; i++)
        tiny_u32(t->file, i < 5 ? 3 : 1);
    tiny_key_u32(t, "tokenizer.ggml.token_type_count", 2);
    tiny_key_u32(t, "tokenizer.ggml.padding_token_id", 0);
    tiny_key_u32(t, "tokenizer.ggml.unknown_token_id", 1);
    tiny_key_u32(t, "tokenizer.ggml.cls_token_id", 2);
    tiny_key_u32(t, "tokenizer.ggml.bos_token_id", 2);
    tiny_key_u32(t, "tokenizer.ggml.seperator_token_id", 3);
    tiny_key_u32(t, "tokenizer.ggml.mask_token_id", 4);
}

static inline void tiny_bert_layer(struct tiny *t, unsigned i)
{
    static const char *const square[] = {"attn_q", "attn_k", "attn_v", "attn_output"};
    static const char *const norms[] = {"attn_output_norm", "layer_output_norm"};
    char name[64];
    for (int k = 0; k < 4; k++) {
        snprintf(name, sizeof(name), "%s.weight", square[k]);
        tiny_layer_tensor(t, i, name, TINY_WIDTH, TINY_WIDTH, 0);
        snprintf(name, sizeof(name), "%s.bias", square[k]);
        tiny_layer_tensor(t, i, name, TINY_WIDTH, 0, 0);
    }
    for (int k = 0; k < 2; k++) {
        snprintf(name, sizeof(name), "%s.weight", norms[k]);
        tiny_layer_tensor(t, i, name, TINY_WIDTH, 0, 1);
        snprintf(name, sizeof(name), "%s.bias", norms[k]);
        tiny_layer_tensor(t, i, name, TINY_WIDTH, 0, 0);
    }
    tiny_layer_tensor(t, i, "ffn_up.weight", TINY_WIDTH, TINY_FFN, 0);
    tiny_layer_tensor(t, i, "ffn_up.bias", TINY_FFN, 0, 0);
    tiny_layer_tensor(t, i, "ffn_down.weight", TINY_FFN, TINY_WIDTH, 0);
    tiny_layer_tensor(t, i, "ffn_down.bias", TINY_WIDTH, 0, 0);
}

static inline void tiny_bert(struct tiny *t)
{
    tiny_key_text(t, "general.architecture", "bert");
    tiny_key_u32(t, "bert.context_length", TINY_CONTEXT);
    tiny_key_u32(t, "bert.embedding_length", TINY_WIDTH);
    tiny_key_u32(t, "bert.block_count", TINY_LAYERS);
    tiny_key_u32(t, "bert.feed_forward_length", TINY_FFN);
    tiny_key_u32(t, "bert.attention.head_count", TINY_HEADS);
    tiny_key_f32(t, "bert.attention.layer_norm_epsilon", 1e-12f);
    tiny_key_bool(t, "bert.attention.causal", false);
    tiny_key_u32(t, "bert.pooling_type", 1);
    tiny_bert_vocabulary(t);
    tiny_tensor(t, "token_embd.weight", TINY_WIDTH, TINY_BERT_VOCAB, 0, 1);
    tiny_tensor(t, "token_types.weight", TINY_WIDTH, 2, 0, .1f);
    tiny_tensor(t, "position_embd.weight", TINY_WIDTH, TINY_CONTEXT, 0, .1f);
    tiny_tensor(t, "token_embd_norm.weight", TINY_WIDTH, 0, 1, .1f);
    tiny_tensor(t, "token_embd_norm.bias", TINY_WIDTH, 0, 0, .1f);
    for (unsigned i = 0; i < TINY_LAYERS; i++)
        tiny_bert_layer(t, i);
}

static inline void tiny_lora(struct tiny *t, uint64_t width)
{
    tiny_key_text(t, "general.architecture", "llama");
    tiny_key_text(t, "general.type", "adapter");
    tiny_key_text(t, "adapter.type", "lora");
    tiny_key_f32(t, "adapter.lora.alpha", 8);
    for (unsigned i = 0; i < TINY_LAYERS; i++) {
        tiny_layer_tensor(t, i, "attn_q.weight.lora_a", width, 4, 0);
        tiny_layer_tensor(t, i, "attn_q.weight.lora_b", 4, width, 0);
    }
}

static inline void tiny_data(struct tiny *t)
{
    static const char zeros[TINY_ALIGN];
    for (uint64_t i = 0; i < t->tensors; i++) {
        for (size_t k = 0; k < t->sizes[i]; k++) {
            float v = t->middle[i] + t->spread[i] * (float)(2 * rng_uniform(&t->rng) - 1);
            fwrite(&v, sizeof(v), 1, t->file);
        }
        fwrite(zeros, 1, -(size_t)ftell(t->file) % TINY_ALIGN, t->file);
    }
}

#define TINY_BPE_VOCAB (256 + 3)

/* A byte as a character: printable ones as they are, the others from U+0100 on, as GPT-2 has it. */
static inline void tiny_bpe_byte(FILE *f, int byte)
{
    static int others; /* so far; called for 0 … 255 in turn */
    others = byte ? others : 0;
    bool printable = (byte > ' ' && byte < 127) || (byte > 160 && byte != 173);
    int c = printable ? byte : 256 + others++;
    char text[3] = {(char)c, 0, 0};
    if (c >= 0x80) {
        text[0] = (char)(0xc0 | c >> 6);
        text[1] = (char)(0x80 | (c & 0x3f));
    }
    tiny_text(f, text);
}

static inline void tiny_bpe(struct tiny *t)
{
    tiny_key_text(t, "general.architecture", "llama");
    tiny_key_text(t, "tokenizer.ggml.model", "gpt2");
    tiny_key_text(t, "tokenizer.ggml.pre", "deepseek-llm");
    tiny_key(t, "tokenizer.ggml.tokens", TINY_ARRAY);
    tiny_u32(t->file, TINY_STRING);
    tiny_u64(t->file, TINY_BPE_VOCAB);
    for (int i = 0; i < 256; i++)
        tiny_bpe_byte(t->file, i);
    tiny_text(t->file, "aa");
    tiny_text(t->file, "<s>");
    tiny_text(t->file, "</s>");
    tiny_key(t, "tokenizer.ggml.token_type", TINY_ARRAY);
    tiny_u32(t->file, TINY_I32);
    tiny_u64(t->file, TINY_BPE_VOCAB);
    for (int i = 0; i < TINY_BPE_VOCAB; i++)
        tiny_u32(t->file, i < 257 ? 1 : 3);
    tiny_key(t, "tokenizer.ggml.merges", TINY_ARRAY);
    tiny_u32(t->file, TINY_STRING);
    tiny_u64(t->file, 1);
    tiny_text(t->file, "a a");
    tiny_key_u32(t, "tokenizer.ggml.bos_token_id", 257);
    tiny_key_u32(t, "tokenizer.ggml.eos_token_id", 258);
    tiny_key_bool(t, "tokenizer.ggml.add_bos_token", true);
    tiny_key_bool(t, "tokenizer.ggml.add_eos_token", true);
}

/* Writes the file; aborts where the disk does not let it. */
static inline void tiny_gguf_write(const char *path, enum tiny_kind kind, uint64_t seed)
{
    struct tiny t = {.file = fopen(path, "w+b")};
    t.infos_file = open_memstream(&t.infos, &t.infos_len);
    if (!t.file || !t.infos_file)
        abort();
    rng_seed(&t.rng, seed);
    fwrite("GGUF", 1, 4, t.file);
    tiny_u32(t.file, 3);
    tiny_u64(t.file, 0);
    tiny_u64(t.file, 0);
    if (kind == TINY_EMBEDS)
        tiny_key_u32(&t, "llama.pooling_type", 3);
    if (kind == TINY_LLAMA || kind == TINY_EMBEDS)
        tiny_llama(&t);
    else if (kind == TINY_BPE)
        tiny_bpe(&t);
    else if (kind == TINY_BERT)
        tiny_bert(&t);
    else
        tiny_lora(&t, kind == TINY_LORA ? TINY_WIDTH : 2 * TINY_WIDTH);
    fclose(t.infos_file);
    fwrite(t.infos, 1, t.infos_len, t.file);
    static const char zeros[TINY_ALIGN];
    fwrite(zeros, 1, -(size_t)ftell(t.file) % TINY_ALIGN, t.file);
    tiny_data(&t);
    fseek(t.file, 8, SEEK_SET);
    tiny_u64(t.file, t.tensors);
    tiny_u64(t.file, t.keys);
    if (fclose(t.file))
        abort();
    free(t.infos);
}
