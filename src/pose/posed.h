/* A question on its way to the experts, wherever it came from: what a data set knows of it (struct query) and what only
 * self-play does. Its strings belong to whoever made it. */
#pragma once

#include <stdbool.h>

#include "data/dataset.h"

#define POSED_LEVELS            5    /* of difficulty: 1 (anybody) to 5 (an expert of the field) */
#define POSED_TEXT_BYTES_MAX    8000 /* of a generated question, its choices left out */
#define POSED_CHOICE_BYTES_MAX  1000
#define POSED_ANSWER_BYTES_MAX  200 /* of a reference that can be compared as text */
#define POSED_OPEN_BYTES_MAX    4000
#define POSED_REASONS_BYTES_MAX 4000 /* what a generator says beyond it is cut off */
#define POSED_DOMAIN_BYTES_MAX  80

enum posed_source { POSED_FILE, POSED_TRAFFIC, POSED_GENERATED, POSED_SANDBOX, POSED_SOURCES };

/* What an answer looks like. */
enum posed_kind {
    POSED_CHOICE, /* one of the choices; the reference is its letter */
    POSED_NUMBER,
    POSED_SHORT, /* a few words that can be compared */
    POSED_OPEN,  /* a text that only a judge can compare */
    POSED_KINDS
};

#define POSED_COMPARABLE (1u << POSED_CHOICE | 1u << POSED_NUMBER | 1u << POSED_SHORT)

struct posed {
    struct query query; /* `answer` is the reference; empty: there is none. `id` may be empty */
    enum posed_source source;
    enum posed_kind kind;
    unsigned level;       /* 1..POSED_LEVELS; 0: not said */
    struct str rationale; /* the generator's; empty: none */
};

const char *posed_source_name(enum posed_source source); /* "generator" */
const char *posed_kind_name(enum posed_kind kind);       /* "choice" */
/* As models spell it: "multiple choice", "numeric", "exact"; false when it is none. */
bool posed_kind_read(struct str name, enum posed_kind *ret);
/* Of a question that does not say: by its choices and its reference. */
enum posed_kind posed_kind_of(const struct query *q);
/* "easy", "3", "level 4", "hard"; 0 when it is none. */
unsigned posed_level_read(struct str text);

/* Fills prompt and text_hash from text and choices. The prompt lives in `a`. */
NODISCARD enum status posed_finish(struct query *q, struct arena *a, struct error *err);
/* The reference of a question with choices as its letter: "b", "(B)", "B. words" or the words of exactly one choice.
 * False, and nothing is changed, when it is none of the choices. */
bool posed_choice_letter(struct query *q);
/* What a response answers, as by judge_answer_read; where it states nothing, a short one as a whole ("Marie Curie"). */
bool posed_answer_read(const struct query *q, struct str response, struct str *ret);
/* What an expert is told beside a question so that its answer can be compared with the reference: how to end. Empty
 * where there is nothing to compare, or where letters and checks are read out of any answer. */
struct str posed_answer_form(const struct query *q);
