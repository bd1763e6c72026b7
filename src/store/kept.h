/* Prompts that the owner of a gateway allows to be kept, for learning from them: a SQLite file of its own, so that it
 * can be copied, read and deleted without the ledger. Whatever is put in goes through kept_redact first.
 *
 * What is forgotten is gone from the file: deleted bytes are overwritten, and the file is written anew without them. An
 * id that is forgotten before its prompt arrives is remembered, and the prompt is not taken.
 *
 * A struct kept belongs to one thread, which waits for the disk and for other processes' locks with it: never an event
 * loop's. Several processes may have the file open. Knows rows, not policy. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

#define KEPT_TEXT_BYTES_MAX                                                                        \
    32768 /* longer ones are not kept: a part of a question is another question */
#define KEPT_ROWS_MAX 1000000 /* the oldest go */

struct kept;

struct kept_row {
    struct str request_id; /* as in the ledger */
    struct str key;        /* the id of the client's key; empty: none */
    struct str expert;     /* whose answer it got */
    struct str text;       /* what was asked */
    int64_t at_ms;         /* when the request began */
};

enum kept_use { KEPT_READ, KEPT_WRITE };

/* KEPT_WRITE makes the file, which only its owner may read. ERR_NOT_FOUND: there is none to read; ERR_CORRUPT: another
 * program's file; ERR_IO. */
NODISCARD enum status kept_open(const char *path, enum kept_use use, struct kept **ret,
                                struct error *err);
void kept_close(struct kept *k); /* NULL is fine */

/* All or none. A row with an id that is there, one that is forgotten, and one that is too long are passed over;
 * *ret_taken counts the others. */
NODISCARD enum status kept_put(struct kept *k, const struct kept_row *rows, size_t count,
                               size_t *ret_taken, struct error *err);

/* *ret_erased (may be NULL): how many prompts were there. */
NODISCARD enum status kept_forget(struct kept *k, const struct str *ids, size_t count,
                                  size_t *ret_erased, struct error *err);
/* Of requests that began before. */
NODISCARD enum status kept_forget_before(struct kept *k, int64_t at_ms, size_t *ret_erased,
                                         struct error *err);
/* Of requests that began more than `keep_ms` before `now_ms`, for whoever does it again and again: the file is only
 * written anew where there was something. What a clock that was ahead has dated is taken to be of `now_ms`: such
 * prompts grow old from then on, and what was forgotten up to such a time keeps no later prompt out. */
NODISCARD enum status kept_age(struct kept *k, int64_t now_ms, int64_t keep_ms, size_t *ret_erased,
                               struct error *err);
/* Everything, and what is in flight until `now_ms`. */
NODISCARD enum status kept_forget_all(struct kept *k, int64_t now_ms, size_t *ret_erased,
                                      struct error *err);

/* Rows since `since_ms`, oldest first; texts are valid during the call. Not OK ends it with that status. */
typedef enum status kept_fn(const struct kept_row *row, void *arg, struct error *err);
NODISCARD enum status kept_each(struct kept *k, int64_t since_ms, kept_fn *fn, void *arg,
                                struct error *err);

/* The prompt of one request, in the arena. ERR_NOT_FOUND: it was not kept, or is forgotten. */
NODISCARD enum status kept_find(struct kept *k, struct str request_id, struct arena *a,
                                struct str *ret_text, struct error *err);
