/* Between the files that read choices: letters in their many wrappings, and the words of a choice. */
#pragma once

#include "data/dataset.h"

/* Bytes behind a marker that are looked at; more would be another sentence. */
#define CHOICE_REACH_BYTES 160

enum choice_kind {
    CHOICE_NONE,    /* nothing of the kind is there */
    CHOICE_LETTER,  /* one letter */
    CHOICE_SEVERAL, /* "(A) or (C)" */
    CHOICE_REFUSED, /* "none of the above", "cannot be determined" */
};

struct choice_found {
    enum choice_kind kind;
    char letter;
    size_t end; /* index in the text behind it */
};

/* The letter that stands at text[at], behind any of: blanks, brackets, emphasis, LaTeX such as \boxed{\text{, and
 * words such as "option". `count` choices: letters from 'A' on. */
struct choice_found choice_letter_read(struct str text, size_t at, uint32_t count);

/* What a phrase names, in one of several languages, with the letter behind it or in front; '\0': nothing, or
 * several. */
char choice_phrase_read(const struct query *query, struct str text);
/* "not A. It is C" at text[at]: the letter that is meant; '\0': no denial stands there, or nothing is said instead. */
char choice_denied_read(const struct query *query, struct str text, size_t at);

/* A text that was cut off in mid-sentence has not come to its conclusion. `text` is trimmed. */
bool choice_text_is_complete(struct str text);

/* What the last sentences mention; '\0': nothing, several, a denial, or the text was cut off. */
char choice_tail_read(const struct query *query, struct str text);

/* The choice whose words stand at text[at], the longest of them; '\0': none or two alike. */
char choice_words_read(const struct query *query, struct str text, size_t at);
/* The one choice whose words occur in `sentence`; '\0': none, or several that do not contain one another. */
char choice_words_find(const struct query *query, struct str sentence);
