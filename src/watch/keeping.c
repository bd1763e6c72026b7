/* Offered prompts wait in a ring under the worker's lock; its thread takes all of them at once and writes them as one
 * transaction. That thread alone touches the file, what it has taken, and the day's work of ageing.
 *
 * keeping_offer is for loops and never waits for more than the lock, under which nothing but pointers move. */
#include "watch/keeping.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/worker.h"
#include "expert/redact.h"
#include "store/kept.h"

#define SHARE_SEED  UINT64_C(0x6b65657073)
#define DAY_MS      INT64_C(86400000)
#define AGE_MS      (6u * 3600u * 1000u) /* between two looks at the oldest */
#define REMIND_MS   60000
#define REDACT_TURN 2 /* buffers between which a text goes while keys are taken out */

struct waiting {                /* one allocation; the texts stand behind it */
    struct keeping_offer offer; /* its texts are the row's */
    struct kept_row row;
    size_t bytes;
};

struct keeping {
    struct kept *file;
    int64_t days;
    struct worker_thread worker;
    /* Guarded by the worker's lock: */
    struct waiting *queue[KEEPING_QUEUE_ROWS];
    size_t count, bytes;
    struct keeping_counts counts;
    /* The thread's own: */
    struct waiting *taken[KEEPING_QUEUE_ROWS];
    struct kept_row rows[KEEPING_QUEUE_ROWS];
    struct buf clean[KEEPING_QUEUE_ROWS];
    struct buf turn[REDACT_TURN];
    uint64_t aged_ms, said_ms;
};

/* Loops */

bool keeping_wants(double share, struct str request_id)
{
    return (double)(hash64(request_id, SHARE_SEED) >> 11) * 0x1p-53 < share;
}

static struct str put_text(char **at, struct str text)
{
    char *begin = *at;
    if (text.len > 0)
        memcpy(begin, text.ptr, text.len);
    *at += text.len;
    return (struct str){begin, text.len};
}

static struct waiting *waiting_make(const struct keeping_offer *o)
{
    size_t bytes = o->request_id.len + o->key.len + o->expert.len + o->text.len;
    struct waiting *w = malloc(sizeof(*w) + bytes);
    if (!w)
        return NULL;
    char *at = (char *)(w + 1);
    *w = (struct waiting){.offer = *o, .bytes = bytes};
    w->row = (struct kept_row){.request_id = put_text(&at, o->request_id),
                               .key = put_text(&at, o->key),
                               .expert = put_text(&at, o->expert),
                               .text = put_text(&at, o->text),
                               .at_ms = o->at_ms};
    return w;
}

static void waiting_free(struct waiting *w)
{
    if (!w)
        return;
    w->offer.release(w->offer.holder);
    free(w);
}

void keeping_offer(struct keeping *k, const struct keeping_offer *offer)
{
    bool is_question = offer->text.len > 0 && offer->text.len <= KEPT_TEXT_BYTES_MAX;
    struct waiting *w = is_question ? waiting_make(offer) : NULL;
    if (!w)
        offer->release(offer->holder);
    if (!is_question)
        return;
    worker_lock(&k->worker);
    bool fits = w && k->count < KEEPING_QUEUE_ROWS && k->bytes + w->bytes <= KEEPING_QUEUE_BYTES;
    if (fits) {
        k->queue[k->count++] = w;
        k->bytes += w->bytes;
    } else {
        k->counts.dropped++;
    }
    worker_unlock_and_wake(&k->worker);
    if (!fits)
        waiting_free(w);
}

struct keeping_counts keeping_counts(struct keeping *k)
{
    worker_lock(&k->worker);
    struct keeping_counts counts = k->counts;
    worker_unlock(&k->worker);
    return counts;
}

/* The thread */

static void say(struct keeping *k, const char *what, const struct error *err)
{
    char quoted[320];
    uint64_t now = clock_now_ms();
    if (k->said_ms && now - k->said_ms < REMIND_MS)
        return;
    k->said_ms = now;
    log_quote(quoted, sizeof(quoted), str_from(err->text));
    log_event(LOG_WARN, what, "err=%s", quoted);
}

/* What a client quotes of an expert's key must not outlive the key. Only a text that has one is copied. */
static struct str without_keys(struct keeping *k, const struct waiting *w, struct buf *into)
{
    const struct keeping_offer *o = &w->offer;
    struct str text = w->row.text;
    size_t turn = 0;
    for (size_t i = 0; i < o->expert_count + o->embedder_count; i++) {
        const struct expert *e =
            i < o->expert_count ? &o->experts[i] : &o->embedders[i - o->expert_count];
        struct str clean = redact(text, e->api_key, &k->turn[turn % REDACT_TURN]);
        turn += clean.ptr != text.ptr;
        text = clean;
    }
    if (text.ptr == w->row.text.ptr)
        return text;
    buf_clear(into);
    buf_add(into, text);
    return into->status == OK && k->turn[0].status == OK && k->turn[1].status == OK ? buf_str(into)
                                                                                    : STR("");
}

static size_t take(struct keeping *k)
{
    worker_lock(&k->worker);
    size_t count = k->count;
    memcpy(k->taken, k->queue, count * sizeof(*k->taken));
    k->count = 0;
    k->bytes = 0;
    worker_unlock(&k->worker);
    return count;
}

static void write_taken(struct keeping *k)
{
    struct error err = {0};
    size_t count = take(k), taken = 0, rows = 0;
    for (size_t i = 0; i < count; i++) {
        k->rows[rows] = k->taken[i]->row;
        k->rows[rows].text = without_keys(k, k->taken[i], &k->clean[i]);
        rows += k->rows[rows].text.len > 0;
    }
    enum status status = rows ? kept_put(k->file, k->rows, rows, &taken, &err) : OK;
    if (status != OK)
        say(k, "prompts could not be kept", &err);
    worker_lock(&k->worker);
    k->counts.kept += status == OK ? taken : 0;
    k->counts.dropped += status == OK ? count - rows : count;
    worker_unlock(&k->worker);
    for (size_t i = 0; i < count; i++) {
        waiting_free(k->taken[i]);
        buf_done(&k->clean[i]);
    }
}

static void age(struct keeping *k)
{
    struct error err = {0};
    uint64_t now = clock_now_ms();
    if (k->aged_ms && now - k->aged_ms < AGE_MS)
        return;
    k->aged_ms = now;
    if (kept_age(k->file, clock_wall_ms(), k->days * DAY_MS, NULL, &err) != OK)
        say(k, "old kept prompts could not be erased", &err);
}

static bool has_rows(void *arg)
{
    const struct keeping *k = arg;
    return k->count > 0;
}

static void run(void *arg)
{
    struct keeping *k = arg;
    do {
        write_taken(k);
        age(k);
    } while (worker_wait(&k->worker, has_rows, AGE_MS) != WORKER_STOP);
}

/* Life */

static void keeping_free(struct keeping *k)
{
    worker_done(&k->worker);
    kept_close(k->file);
    for (size_t i = 0; i < REDACT_TURN; i++)
        buf_done(&k->turn[i]);
    free(k);
}

enum status keeping_start(const char *file, uint32_t days, struct keeping **ret, struct error *err)
{
    struct keeping *k = calloc(1, sizeof(*k));
    if (!k)
        return error_set(err, ERR_MEMORY, "out of memory for kept prompts");
    k->days = days;
    worker_init(&k->worker);
    for (size_t i = 0; i < REDACT_TURN; i++)
        buf_init(&k->turn[i], 16u * KEPT_TEXT_BYTES_MAX);
    for (size_t i = 0; i < KEEPING_QUEUE_ROWS; i++)
        buf_init(&k->clean[i], 16u * KEPT_TEXT_BYTES_MAX);
    enum status status = kept_open(file, KEPT_WRITE, &k->file, err);
    if (status == OK)
        status = worker_start(&k->worker, run, k, err);
    if (status != OK) {
        keeping_free(k);
        return status;
    }
    *ret = k;
    return OK;
}

void keeping_stop(struct keeping *k)
{
    if (!k)
        return;
    worker_stop(&k->worker);
    write_taken(k);
    keeping_free(k);
}
