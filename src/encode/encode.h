/* Encoders: what a text is in numbers. A model has one or more; its sources and its trees read what they say.
 *
 * A `struct encoder` is a constant that all threads share. Another one is a file that defines it and a row in
 * encoders.c. A `struct features` is what the encoders of one model said about one text, and their scratch. It
 * belongs to a request: one text at a time, one thread at a time; used again it saves allocations. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/scheduler.h"
#include "base/script.h"
#include "base/str.h"

#define ENCODERS_MAX 4 /* of a model */

enum encode_silence { /* why an encoder said nothing */
                      ENCODE_SPOKE,
                      ENCODE_LATE, /* it had no answer within the time that a request waits */
                      ENCODE_FULL, /* as many texts as it takes wait already */
                      ENCODE_FAILED, /* this time, or so often of late that it is left alone for a while */
};

const char *encode_silence_name(enum encode_silence why); /* "spoke", "late", "full", "failed" */

struct encode_paid { /* tokens that an endpoint has told of */
    int64_t input, output;
};

/* What one encoder says about a text. Points into the encoder's part of the features. */
struct encoding {
    const uint32_t *buckets; /* [count] distinct, each below the encoder's bucket_count */
    const float *values;     /* [count] of the buckets */
    uint32_t count;
    const float *dense; /* [dense_count] */
    /* It said nothing this time: too late, too busy, or its endpoint failed. Everything else is empty, and what reads
     * the dense half goes without. */
    bool silent;
    enum encode_silence why; /* it is silent */
    /* For this text, and for others that nobody was there to pay for when their answer came. */
    struct encode_paid paid;
};

struct encode_task; /* of the encoder: a text that is being encoded elsewhere */

/* Called once, on the thread that began and never from inside begin. `err` is set unless `status` is OK. The task is
 * gone when it is called. */
typedef void encode_done(enum status status, const struct error *err, void *arg);

/* Who waits for a text that is encoded elsewhere, and the way back to its thread: timers, and calls from others. */
struct encode_listener {
    struct scheduler *on; /* of the thread that begins */
    encode_done *done;
    void *arg;
};

/* How many texts of encode_many are done; false: the rest is not wanted. */
typedef bool encode_progress(size_t done, void *arg);

struct encoder {
    const char *name; /* of the encoder in model files, e.g. "ngram" */
    const char *
        fingerprint; /* another one wherever it says something else; files with another are refused */
    const char *spec; /* JSON: what it was opened by, for model files; NULL: part of this program */
    size_t bucket_count; /* of the sparse half; 0: none */
    size_t dense_count;  /* of the dense half; 0: none */
    size_t
        statistics; /* the first so many dense values each mean something alone: trees look at them */
    const void *state; /* of the encoder: weights, an address */
    /* What it needs for each `struct features`: results and scratch. NULL: out of memory. */
    void *(*work_create)(const struct encoder *e);
    void (*work_free)(void *work);
    /* Fills *ret, which stays until the next text. Any bytes are fine. Blocks until it is done. */
    enum status (*encode)(const struct encoder *e, void *work, struct str text,
                          struct encoding *ret, struct error *err);
    /* NULL, and no cancel: encode answers at once. Else OK: so it did this time, `done` is never called; AGAIN: `done`
     * will be called unless *ret_task is cancelled; the text and *ret must stay until then. The listener is copied. */
    enum status (*begin)(const struct encoder *e, void *work, struct str text, struct encoding *ret,
                         const struct encode_listener *listener, struct encode_task **ret_task,
                         struct error *err);
    void (*cancel)(struct encode_task *task);
    /* What `encode` would say of the dense halves of texts[count], into dense [count × dense_count], for training: no
     * deadline, no queue limit, and nobody may be silent. NULL: one by one. Blocks, for minutes with a language model;
     * `progress` may be NULL, is told how many are done and returns false to end it with ERR_CANCELLED. */
    enum status (*encode_many)(const struct encoder *e, const struct str *texts, size_t count,
                               float *dense, encode_progress *progress, void *arg,
                               struct error *err);
};

/* The encoder of that name; NULL: there is none. */
const struct encoder *encoder_named(struct str name);
/* One more, for a program that brings its own; it must stay. Before the first model is loaded and before there are
 * threads. ERR_INPUT: the name is taken, or there is no room. */
NODISCARD enum status encoder_register(const struct encoder *e, struct error *err);

/* Opens an encoder that is not part of this program, as a model file describes it: its name in the file, its
 * fingerprint, and the spec by which it was opened when the model was trained. *ret must stay until it is closed as
 * often as it was opened. */
typedef enum status encoder_opener(struct str name, struct str fingerprint, struct str spec,
                                   const struct encoder **ret, struct error *err);
typedef void encoder_closer(const struct encoder *e);
/* Who opens and closes them; before the first model is loaded. Without them such models are refused. */
void encoder_open_by(encoder_opener *opener, encoder_closer *closer);
/* By whoever opens them; ERR_UNSUPPORTED: nobody does. */
NODISCARD enum status encoder_open_foreign(struct str name, struct str fingerprint, struct str spec,
                                           const struct encoder **ret, struct error *err);
void encoder_close_foreign(const struct encoder *e);

struct features {
    uint32_t characters; /* of the whole text, for token estimates, as base/script.h counts them */
    struct script_counts scripts;       /* of them, by script */
    struct encoding said[ENCODERS_MAX]; /* in the order of the encoders that were asked */
    /* Of the thread that the features belong to, set after features_init by whoever begins on one; may be NULL where
     * no encoder answers later. */
    struct scheduler *on;

    /* private to features.c */
    const struct encoder *encoders[ENCODERS_MAX];
    void *work[ENCODERS_MAX];
};

/* Zeros are as good. */
NODISCARD enum status features_init(struct features *f, struct error *err);
void features_done(struct features *f);

/* Asks encoders[count] about a text and waits for them. ERR_MEMORY, and what an encoder fails with. */
NODISCARD enum status features_encode(struct features *f, const struct encoder *const *encoders,
                                      size_t count, struct str text, struct error *err);

/* The same without waiting. OK: all answered at once, `done` is never called; AGAIN: `done` will be called as
 * encode_done says, unless the task is cancelled; the text and `f` must stay until then. */
struct features_task;
NODISCARD enum status features_begin(struct features *f, const struct encoder *const *encoders,
                                     size_t count, struct str text, encode_done *done, void *arg,
                                     struct features_task **ret_task, struct error *err);
/* Nothing is called or touched any more when it returns. NULL is fine. */
void features_cancel(struct features_task *task);
