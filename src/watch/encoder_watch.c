/* Readers' own counts, put into lines: of a page of metrics, and of the log. What was told of an encoder last is kept
 * by its place among those that were ever opened, which no other gets.
 *
 * Any thread; whoever finds another one telling the log goes on, because a thread that serves does not wait. */
#include "watch/encoder_watch.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "reader/encoder_open.h"
#include "watch/metrics_write.h"

#define LABEL_BYTES_MAX 256

struct reading {
    struct late_reading r;
    char label[LABEL_BYTES_MAX];
};

static double hits(const struct late_reading *r)
{
    return (double)r->hits;
}

static double spoke(const struct late_reading *r)
{
    return (double)r->spoke;
}

static double late(const struct late_reading *r)
{
    return (double)r->late;
}

static double full(const struct late_reading *r)
{
    return (double)r->full;
}

static double failed(const struct late_reading *r)
{
    return (double)r->failed;
}

static double batches(const struct late_reading *r)
{
    return (double)r->batches;
}

static double texts(const struct late_reading *r)
{
    return (double)r->texts;
}

static double seconds(const struct late_reading *r)
{
    return r->seconds;
}

static double input_tokens(const struct late_reading *r)
{
    return (double)r->input_tokens;
}

static double output_tokens(const struct late_reading *r)
{
    return (double)r->output_tokens;
}

static double failures(const struct late_reading *r)
{
    return (double)r->failures;
}

static double waiting(const struct late_reading *r)
{
    return (double)r->waiting;
}

static double cached(const struct late_reading *r)
{
    return (double)r->cached;
}

static double left_alone(const struct late_reading *r)
{
    return r->left_alone;
}

static const struct encoder_row {
    const char *name, *type, *help;
    double (*value)(const struct late_reading *r);
} rows[] = {
    {"leeroo_encoder_batches_total", "counter", "Batches that the encoder has computed.", batches},
    {"leeroo_encoder_texts_total", "counter", "Texts that the encoder has computed.", texts},
    {"leeroo_encoder_input_tokens_total", "counter", "Tokens that its endpoint says it has read.",
     input_tokens},
    {"leeroo_encoder_output_tokens_total", "counter",
     "Tokens that its endpoint says it has written.", output_tokens},
    {"leeroo_encoder_seconds_total", "counter", "Time that the encoder has computed.", seconds},
    {"leeroo_encoder_failures_total", "counter", "Batches of the encoder that failed.", failures},
    {"leeroo_encoder_queue_length", "gauge", "Texts that wait for the encoder.", waiting},
    {"leeroo_encoder_cached", "gauge", "Texts whose encoding is in memory.", cached},
    {"leeroo_encoder_left_alone", "gauge", "1 while nobody asks the encoder, because it fails.",
     left_alone},
};

/* What became of the texts that requests asked about. */
static const struct {
    const char *name;
    double (*value)(const struct late_reading *r);
} ends[] = {{"cached", hits}, {"spoke", spoke}, {"late", late}, {"full", full}, {"failed", failed}};

static size_t read_all(struct reading *all)
{
    struct encoder_reading list[ENCODERS_OPEN_MAX];
    size_t count = encoders_read(list);
    for (size_t i = 0; i < count; i++) {
        struct buf label;
        all[i].r = list[i].late;
        buf_init(&label, LABEL_BYTES_MAX);
        metrics_write_label(&label, "encoder", str_from(list[i].name));
        buf_addf(&label, ",place=\"%llu\"", (unsigned long long)list[i].place);
        memcpy(all[i].label, label.ptr ? label.ptr : "", label.ptr ? label.len + 1 : 1);
        buf_done(&label);
    }
    return count;
}

static void write_ends(const struct reading *all, size_t count, struct buf *out)
{
    static const char name[] = "leeroo_encoder_asked_total";
    metrics_write_head(out, name, "counter",
                       "Texts that requests asked the encoder about, by what became of it.");
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < sizeof(ends) / sizeof(*ends); k++) {
            char label[LABEL_BYTES_MAX + 40];
            snprintf(label, sizeof(label), "%s,end=\"%s\"", all[i].label, ends[k].name);
            metrics_write_sample(out, name, label, ends[k].value(&all[i].r));
        }
}

void encoder_watch_write(struct buf *out)
{
    struct reading all[ENCODERS_OPEN_MAX];
    size_t count = read_all(all);
    if (!count)
        return;
    write_ends(all, count, out);
    for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
        metrics_write_head(out, rows[k].name, rows[k].type, rows[k].help);
        for (size_t i = 0; i < count; i++)
            metrics_write_sample(out, rows[k].name, all[i].label, rows[k].value(&all[i].r));
    }
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct told {
    uint64_t place, late, full, failed;
} told[ENCODERS_OPEN_MAX]; /* those that were open last time */
static size_t told_count;
static uint64_t told_ms;
static bool told_once;

static struct told told_before(uint64_t place)
{
    for (size_t i = 0; i < told_count; i++)
        if (told[i].place == place)
            return told[i];
    return (struct told){.place = place};
}

static void tell(const struct encoder_reading *e, const struct told *before)
{
    const struct late_reading *r = &e->late;
    char trouble[sizeof(r->trouble) * 2];
    if (r->late == before->late && r->full == before->full && r->failed == before->failed)
        return;
    log_quote(trouble, sizeof(trouble), str_from(r->failed > before->failed ? r->trouble : ""));
    log_event(LOG_WARN, "decided without an encoder",
              "encoder=%s late=%llu full=%llu failed=%llu trouble=%s", e->name,
              (unsigned long long)(r->late - before->late),
              (unsigned long long)(r->full - before->full),
              (unsigned long long)(r->failed - before->failed), trouble);
}

static void tell_all(void)
{
    struct encoder_reading list[ENCODERS_OPEN_MAX];
    struct told now[ENCODERS_OPEN_MAX];
    size_t count = encoders_read(list);
    for (size_t i = 0; i < count; i++) {
        struct told before = told_before(list[i].place);
        tell(&list[i], &before);
        now[i] =
            (struct told){list[i].place, list[i].late.late, list[i].late.full, list[i].late.failed};
    }
    memcpy(told, now, count * sizeof(*now));
    told_count = count;
}

void encoder_watch_silence(uint64_t now_ms)
{
    if (pthread_mutex_trylock(&lock) != 0)
        return; /* another thread is telling it */
    if (!told_once || now_ms >= told_ms + ENCODER_NEWS_MS) {
        tell_all();
        told_ms = now_ms;
        told_once = true;
    }
    pthread_mutex_unlock(&lock);
}
