/* The journal: records in a mapped file of fixed size, a ring. What was appended survives a kill -9, because the pages
 * belong to the kernel; it survives a power failure as far as the kernel had written them, and checksums reveal the
 * rest. All bytes are allocated when the file is made, so that a full disk is found then and never later.
 *
 * Appenders take turns (the caller holds a lock); one consumer may run beside them. Appending makes no system call. One
 * process at a time: the file is locked. The layout is docs/ledger.md's. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

#define JOURNAL_BYTES_MIN      (256u << 10)
#define JOURNAL_BYTES_MAX      (UINT64_C(16) << 30)
#define JOURNAL_RECORD_MAX     (64u << 10) /* bytes of one payload */
#define JOURNAL_INSTANCE_BYTES 64

struct journal;

/* Makes the file or opens it; a file with records in it keeps its size, whatever `bytes` says. `instance` names the
 * process that writes; NULL: the name in the file, or a new one out of the host's name and a random number. ERR_IO,
 * ERR_USAGE (bytes out of bounds), ERR_CORRUPT (not a journal). */
NODISCARD enum status journal_open(const char *path, uint64_t bytes, const char *instance,
                                   struct journal **ret, struct error *err);
void journal_close(struct journal *j); /* keeps all records; NULL is fine */
const char *journal_instance(const struct journal *j);

/* Positions count bytes ever written; the ring holds those from tail to head. */
uint64_t journal_head(const struct journal *j); /* any thread */
uint64_t journal_tail(const struct journal *j); /* any thread */
uint64_t journal_bytes(const struct journal *j);

/* What a payload of `len` bytes may take at most, with all that belongs to it. */
uint64_t journal_record_bytes(size_t len);
/* False: it would leave less than `keep_free` bytes. */
bool journal_append(struct journal *j, uint32_t kind, struct str payload, uint64_t keep_free);

struct journal_record {
    uint32_t kind;
    struct str payload; /* in the mapping; 8-byte aligned; valid until the tail passes it */
};
/* The consumer's: the record at or after *at and before `until`; moves *at behind it. False: there is none, and *at is
 * `until`. Damaged bytes in between are passed over and counted in *damaged. */
bool journal_next(const struct journal *j, uint64_t *at, uint64_t until, struct journal_record *ret,
                  uint64_t *damaged);
/* The consumer's: what lies before `position` is done with. */
void journal_release(struct journal *j, uint64_t position);
/* Appenders' and consumer's locks both held: when all is consumed, goes on at the front of the ring, so that quiet
 * times touch few pages. */
void journal_rewind(struct journal *j);
/* The consumer's: hands the mapping's pages back to the page cache once many were touched; nothing is lost. */
void journal_trim(struct journal *j);

/* What did not fit, kept in the file so that it survives, too. Guarded by the appenders' lock. */
struct journal_loss {
    int64_t from_ms, to_ms; /* wall clock */
    int64_t rows, nano_usd;
};
struct journal_loss *journal_loss(struct journal *j);
