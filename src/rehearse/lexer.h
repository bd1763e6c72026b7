/* A question cut into words, numbers, quoted words, dates and signs, for the sandbox experts' parsers. All
 * text is a lower-cased copy inside the struct; a question that is too long or has too many tokens is refused. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define QUESTION_TOKENS_MAX 256
#define TOKENS_TEXT_BYTES   2048
#define TOKEN_DECIMALS_MAX  6
#define TOKEN_NUMBER_MAX    INT64_C(1000000000000000000) /* 18 digits */

enum token_type {
    TOKEN_WORD,   /* letters and inner apostrophes */
    TOKEN_NUMBER, /* value / scale: "1,234" and "2.5" are one number each */
    TOKEN_QUOTED, /* "..." or '...', without the quotes */
    TOKEN_DATE,   /* 2024-02-29 as year * 10000 + month * 100 + day in `value`; unchecked */
    TOKEN_TIME,   /* 09:40 as minutes after midnight in `value` */
    TOKEN_SIGN,   /* one byte of punctuation; typographic signs become ASCII */
};

struct token {
    enum token_type type;
    struct str text;
    int64_t value;
    int64_t scale; /* a power of ten; 1 for whole numbers */
};

struct tokens {
    struct token items[QUESTION_TOKENS_MAX];
    size_t count;
    char text[TOKENS_TEXT_BYTES];
};

/* False when the question is over one of the limits above. */
bool tokens_cut(struct str question, struct tokens *ret);

bool token_is_word(const struct token *t, const char *word);
bool token_is_sign(const struct token *t, char sign);
bool token_is_whole(const struct token *t); /* a number without a fraction */
/* Index of the first such word at or after `from`; SIZE_MAX when absent. */
size_t tokens_find_word(const struct tokens *t, size_t from, const char *word);
bool tokens_have(const struct tokens *t, const char *word);
/* Words side by side: "of the week". */
bool tokens_have_phrase(const struct tokens *t, const char *phrase);
/* The phrase at `at`, word by word; returns the index behind it, or 0 when it is not there. */
size_t tokens_match(const struct tokens *t, size_t at, const char *phrase);
