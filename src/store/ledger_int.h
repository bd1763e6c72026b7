/* Private to ledger.c and writer.c. Appenders share `lock`; the journal's consumer is the writer alone. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/worker.h"
#include "store/backend.h"
#include "store/journal.h"
#include "store/ledger.h"
#include "store/open_set.h"
#include "store/row.h"

#define LEDGER_BATCH_ROWS     512
#define LEDGER_BATCH_BYTES    (1u << 20)
#define LEDGER_NICE           10
#define LEDGER_INTERVAL_MS    50  /* a request that is over within it is one statement */
#define LEDGER_RETRY_MS       250 /* storage is away; doubles up to LEDGER_RETRY_MAX_MS */
#define LEDGER_RETRY_MAX_MS   5000
#define LEDGER_TRIM_MS        100 /* while storage is away */
#define LEDGER_CLOSE_MS       5000
#define LEDGER_STALL_MS       5000 /* a batch that takes longer means that storage is away */
#define LEDGER_OPEN_MAX       16384
#define LEDGER_PRUNE_MS       3600000 /* from one run to the next */
#define LEDGER_PRUNE_RETRY_MS 60000   /* after one that failed */
#define LEDGER_PRUNE_PAUSE_MS 20      /* between two steps of a run; rows go first */

struct ledger {
    struct journal *journal;
    struct backend *backend;
    pthread_mutex_t lock; /* appenders: journal's head, open, loss, lost */
    struct open_set *open;
    uint64_t lost_rows;
    int64_t lost_nano_usd;

    /* Appenders take the writer's lock only when it sleeps. Whoever holds `lock` does not. */
    struct worker_thread writer;
    atomic_bool idle;  /* the writer sleeps until somebody wakes it */
    atomic_bool hurry; /* somebody waits for a flush */

    atomic_bool storage_up;
    atomic_bool recovered; /* an earlier process's rows are written, its open ones closed */
    atomic_uint_fast64_t busy_since_ms; /* a transaction runs since then; 0: none does */
    atomic_uint_fast64_t written_rows, damaged_bytes, gone_files, pruned_rows;

    pthread_mutex_t flush_lock; /* for problem and flushed */
    pthread_cond_t flushed;
    char problem[160];
    struct ledger_pruning pruning; /* under flush_lock, too */

    /* The writer's own */
    int64_t keep_ms;         /* 0: nothing is pruned */
    uint64_t prune_at_ms;    /* when a run is due; monotonic */
    int64_t prune_before_ms; /* of the run that is on; 0: none is */
    uint64_t prune_rows;     /* of it, so far */
    uint64_t recover_until;  /* before it lies what an earlier process left in the journal */
    struct batch *batch;
    struct backend_gone gone; /* as counted */
    uint64_t stop_at_ms;
};

struct batch *batch_create(void); /* NULL: no memory */
void batch_free(struct batch *b);

/* Wakes the writer if it sleeps. */
void ledger_wake(struct ledger *l);
void writer_main(void *ledger);
/* A row that will never be written. Takes the lock. */
void ledger_lose(struct ledger *l, const struct row *row);
/* Rows that were written and are gone. Takes the lock. */
void ledger_lose_written(struct ledger *l, uint64_t rows, int64_t nano_usd);
