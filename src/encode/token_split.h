/* The patterns by which tokenizers cut a text into pieces before they merge bytes, written out by hand: the regular
 * expressions that OpenAI's encodings and those of byte-level tokenizer.json files have. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum token_split_kind { TOKEN_SPLIT_GPT2, TOKEN_SPLIT_CL100K, TOKEN_SPLIT_O200K };

struct token_split {
    enum token_split_kind kind;
    size_t digits_max; /* of a number that stays together; 0: any */
    bool digits_apart; /* each digit is cut out first, as if the text were several */
};

/* Where the piece that begins at `at` (< text.len) ends; beyond `at`. */
size_t token_split_next(const struct token_split *s, struct str text, size_t at);
/* The pattern that is this regular expression; false: none that is known. */
bool token_split_find(struct str regex, struct token_split *ret);
