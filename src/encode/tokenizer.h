/* Counts the tokens of a text by a vocabulary of byte pairs: a file of ranks as tiktoken has them ("TOKEN-IN-BASE64
 * RANK" a line; which of OpenAI's encodings it is, is told by its size) or a byte-level tokenizer.json of Hugging Face.
 * Exact for texts without special tokens, whose names count as text. A tokenizer never changes; any thread may count,
 * and the time for a piece of n bytes grows as n log n. */
#pragma once

#include "base/error.h"
#include "base/str.h"

struct tokenizer;

/* ERR_IO; ERR_INPUT: neither of the two; ERR_UNSUPPORTED: of a kind, or with a pattern, that is not known, by name;
 * ERR_MEMORY. */
NODISCARD enum status tokenizer_open(const char *path, struct tokenizer **ret, struct error *err);
/* The same of what such a file holds; `place` names it in errors. The text need not outlive the call. */
NODISCARD enum status tokenizer_parse(struct str file, const char *place, struct tokenizer **ret,
                                      struct error *err);
void tokenizer_free(struct tokenizer *t); /* NULL is fine */
/* ERR_MEMORY. */
NODISCARD enum status tokenizer_count(const struct tokenizer *t, struct str text, uint64_t *ret,
                                      struct error *err);
