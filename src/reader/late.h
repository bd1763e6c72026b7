/* Encoders that answer late: a language model in this process or behind an endpoint takes milliseconds to seconds for a
 * text, on threads of its own. Here is all that is the same for every kind of them; what differs is a function that
 * makes rows of numbers out of texts.
 *
 *     begin ─▶ in the cache ──────────────────────────────▶ spoke, at once
 *        ├───▶ queue full; failing; a call that hangs ────▶ silent, at once
 *        └───▶ in the queue ─▶ a batch, on a worker ──────▶ spoke, when the batch is done
 *                   └────────▶ max_wait has passed ───────▶ silent; the row still goes into the cache
 *
 * One `struct late` is shared by all event loops: texts that wait on any of them are computed together, and a text that
 * is under way already is joined, not computed twice. Who must have an answer (training, a command) blocks for it by
 * encode and encode_many: there is no time limit then, and a failure is an error. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "encode/encode.h"

#define LATE_QUEUE_USUAL       64
#define LATE_QUEUE_MAX         10000
#define LATE_BATCH_USUAL       8
#define LATE_BATCH_MAX         256
#define LATE_WORKERS_MAX       16
#define LATE_WIDTH_MAX         16384
#define LATE_CACHE_BYTES_USUAL (64u << 20)
#define LATE_MAX_WAIT_MS_USUAL 50
#define LATE_TEXT_BYTES_MAX    (32u << 10) /* a longer text is cut before a character */
/* So many failures in a row, and it is left alone for so long; then one text tries, for which no request waits. A call
 * that timed out counts as all of them. */
#define LATE_FAILURES_MAX  3
#define LATE_LEFT_ALONE_MS 10000
/* No request waits on a reader whose calls have all been under way for this long. */
#define LATE_HANGS_MS 1000
#define LATE_STOP_MS  2000

struct late_compute {
    /* rows [count × width] of texts[count], count <= batch; blocks. One call at a time for each `worker`, below the
     * options' workers. ERR_INPUT: it does not like one of the texts; then each is asked for alone. Rows that hold
     * anything but finite numbers are refused by the caller. */
    enum status (*rows)(void *state, size_t worker, const struct str *texts, size_t count,
                        float *rows, struct error *err);
    void (*free)(void *state); /* may be NULL */
    void *state;
    /* What an endpoint says that it has read and written in this worker's last call. NULL: nothing is paid for. */
    struct encode_paid (*paid)(void *state, size_t worker);
};

struct late_limits { /* zeros: as usual */
    size_t queue;    /* texts that wait at once */
    size_t cache_bytes;
    uint32_t max_wait_ms; /* of a request, for one text */
};

struct late_options {
    const char *name, *fingerprint, *spec; /* as in struct encoder; copied */
    size_t width;                          /* 1 to LATE_WIDTH_MAX */
    size_t batch;                          /* texts of one call; 0: as usual */
    size_t workers;                        /* threads that compute; 0: one */
    struct late_limits limits;
    uint64_t (*now_ms)(void); /* NULL: the monotonic clock; for what hangs or is left alone */
};

struct late;

/* Takes the compute function's state, also on failure. ERR_MEMORY, ERR_IO: there is no thread. */
NODISCARD enum status late_create(const struct late_options *options,
                                  const struct late_compute *compute, struct late **ret,
                                  struct error *err);
/* Waits for what is being computed; nobody may wait for an answer any more. NULL is fine. */
void late_free(struct late *l);
/* Ends its threads alone, for the end of the process: what is asked afterwards is late. A call that hangs is not waited
 * for longer than LATE_STOP_MS; the reader must stay for ever. */
void late_stop(struct late *l);
const struct encoder *late_encoder(const struct late *l); /* as long as it */
/* Of such an encoder; NULL: it answers at once. */
struct late *late_of(const struct encoder *e);
/* Takes new limits; a cache that shrinks begins anew. ERR_MEMORY: it keeps the old ones. */
NODISCARD enum status late_limit(struct late *l, const struct late_limits *limits,
                                 struct error *err);

struct late_reading { /* since it was made */
    uint64_t asked;   /* by requests: what they got is in the next five */
    uint64_t hits, spoke, late, full, failed;
    uint64_t batches, texts;              /* computed, for whomever */
    uint64_t failures;                    /* of batches */
    double seconds;                       /* of computing */
    uint64_t input_tokens, output_tokens; /* as its endpoint counts them */
    size_t waiting;                       /* texts in the queue now */
    size_t cached;
    bool left_alone;   /* it fails too often */
    char trouble[200]; /* the last failure; "": none yet */
};
void late_read(struct late *l, struct late_reading *ret);
