/* RUN_DIR/calls.jsonl: what was asked, paid and answered, one JSON object a line, appended and never changed.
 *
 *     {"intent":KEY,"reserved_nano_usd":N}       before a call: the most that it may cost
 *         with "limit_nano_usd":N where its expert has passed over its limits before, and more is reserved than these
 *     {"more":KEY,"reserved_nano_usd":N}         before another try of it, for what the failed ones have cost
 *     {"key":KEY,"asked":HEX,"expert":...,"text":...,"input_tokens":N,"output_tokens":N,"cost_nano_usd":N,
 *      "basis":"usage","latency_ms":N}           it was answered
 *         with "certainty":[mean,least,last] where its log-probabilities were told
 *     {"failed":KEY,"expert":...,"cost_nano_usd":N,"problem":...}
 *     {"again":KEY,"expert":...,"cost_nano_usd":N}     it was answered twice, and this is not kept: its machine was
 *                                                      thought dead
 *
 * What another machine has paid has also "paid":ID, by which it is known when it comes twice.
 *
 * Lines go out by write(2) one at a time, so that a killed process loses nothing that it has written; about once a
 * second they are forced to the disk. A last line that is cut is what a kill leaves: it is taken off. An intent that
 * nothing follows is a call in flight that was lost with its process. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/certainty.h"
#include "base/error.h"
#include "expert/cost.h"

#define CALL_JOURNAL_LINE_MAX (16u << 20)
#define CALL_JOURNAL_SYNC_MS  1000

enum call_entry_kind { ENTRY_INTENT, ENTRY_MORE, ENTRY_ANSWER, ENTRY_FAILURE, ENTRY_AGAIN };

struct call_entry {
    enum call_entry_kind kind;
    struct str key, expert;
    struct str text;        /* ENTRY_FAILURE: the problem */
    struct str paid;        /* ptr NULL: by this machine */
    uint64_t asked;         /* ENTRY_ANSWER: a hash of what was asked */
    int64_t nano_usd;       /* cost; ENTRY_INTENT, ENTRY_MORE: reserved */
    int64_t limit_nano_usd; /* ENTRY_INTENT: the most that a try within its limits costs */
    enum cost_basis basis;
    int64_t input_tokens, output_tokens, latency_ms;
    struct certainty certainty; /* ENTRY_ANSWER */
};

/* One line without its end; texts live in `a`. ERR_INPUT. */
NODISCARD enum status call_entry_parse(struct str line, const char *place, size_t line_number,
                                       struct arena *a, struct call_entry *ret, struct error *err);
void call_entry_write(const struct call_entry *e, struct buf *out); /* with the line's end */

typedef enum status call_entry_fn(void *arg, const struct call_entry *e, struct error *err);

/* The whole lines of `bytes`; *ret_len: where the last of them ends. ERR_CORRUPT: a broken line amid them. */
NODISCARD enum status call_journal_read(struct str bytes, const char *place, struct arena *a,
                                        call_entry_fn *fn, void *arg, size_t *ret_len,
                                        struct error *err);

struct call_journal {
    const char *path;
    int fd; /* -1: in memory only */
    uint64_t synced_ms;
    bool dirty;
    bool broken; /* a write has failed */
    struct buf line;
};

/* Opens or makes the file, tells its entries, and takes a cut last line off. `path` outlives it; NULL: none. Texts of
 * the entries live in `a`. */
NODISCARD enum status call_journal_open(struct call_journal *j, const char *path, struct arena *a,
                                        call_entry_fn *fn, void *arg, struct error *err);
/* ERR_IO: nothing may be appended any more. */
NODISCARD enum status call_journal_append(struct call_journal *j, const struct call_entry *e,
                                          uint64_t now_ms, struct error *err);
/* Forces what was written to the disk. */
NODISCARD enum status call_journal_sync(struct call_journal *j, struct error *err);
void call_journal_close(struct call_journal *j); /* of one that was never opened, all zero, too */
