/* Lists of models, in the shapes of OpenAI's and Anthropic's APIs at once: each client reads the members it knows. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

struct front_model {
    struct str id;
    uint32_t context_tokens; /* 0: unknown */
};

/* Where in the list a page begins and ends; Anthropic's members of the query. */
struct front_page {
    struct str after_id, before_id; /* empty: not given */
    size_t limit;                   /* 0: all */
};

/* `limit`, `after_id` and `before_id` out of a query string; others are passed over. ERR_INPUT. */
NODISCARD enum status front_page_read(struct str query, struct arena *a, struct front_page *ret,
                                      struct error *err);
void front_model_write(const struct front_model *m, struct buf *out);
/* The page of models[count]. ERR_INPUT: an id of the page is none of theirs. */
NODISCARD enum status front_models_write(const struct front_model *models, size_t count,
                                         const struct front_page *page, struct buf *out,
                                         struct error *err);
