/* The page in the text format 0.0.4 of Prometheus: families in the order of their table, series sorted by their labels,
 * each the sum over all workers (https://prometheus.io/docs/instrumenting/exposition_formats/).
 *
 * For any thread, while workers go on counting: a page is not one moment of all counters, but no counter on it ever
 * falls from one page to the next. It allocates as much as there are series, so it is not for the way of a request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/map.h"
#include "base/money.h"
#include "watch/metrics_int.h"
#include "watch/metrics_write.h"

#define NUMBER_BYTES_MAX 40

struct sum { /* of one series over all workers */
    const struct metrics_series *series;
    uint64_t values[METRICS_BUCKETS_MAX + 2];
};

struct page { /* sums of one family */
    const struct metrics_family *family;
    struct sum *sums;
    size_t count, capacity;
    struct map *by_key;
};

void metrics_write_label(struct buf *out, const char *name, struct str value)
{
    buf_addf(out, "%s=\"", name);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '\\' || c == '"')
            buf_add_char(out, '\\');
        if (c == '\n')
            buf_add_c(out, "\\n");
        else
            buf_add_char(out, c);
    }
    buf_add_char(out, '"');
}

void metrics_write_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_name(struct buf *out, const char *name, const char *suffix, struct str labels,
                       const char *more)
{
    buf_addf(out, "%s%s", name, suffix);
    if (labels.len > 0 || *more)
        buf_addf(out, "{%.*s%s%s}", STR_FMT(labels), labels.len > 0 && *more ? "," : "", more);
    buf_add_char(out, ' ');
}

void metrics_write_sample(struct buf *out, const char *name, const char *labels, double value)
{
    write_name(out, name, "", str_from(labels), "");
    buf_addf(out, "%.15g\n", value);
}

static void write_nano(struct buf *out, int64_t nano_usd)
{
    if (nano_usd < 0)
        buf_add_char(out, '-');
    money_format_usd(out, nano_usd < 0 ? -nano_usd : nano_usd);
    buf_add_char(out, '\n');
}

void metrics_write_usd(struct buf *out, const char *name, const char *labels, int64_t nano_usd)
{
    write_name(out, name, "", str_from(labels), "");
    write_nano(out, nano_usd);
}

/* Gathering */

static struct sum *page_add(struct page *p, const struct metrics_series *s)
{
    uint32_t at;
    if (map_get(p->by_key, s->key, &at))
        return &p->sums[at];
    if (p->count == p->capacity) {
        size_t capacity = p->capacity ? p->capacity * 2 : 64;
        struct sum *more = realloc(p->sums, capacity * sizeof(*more));
        if (!more)
            return NULL;
        p->sums = more;
        p->capacity = capacity;
    }
    if (map_put(p->by_key, s->key, (uint32_t)p->count) != OK)
        return NULL;
    p->sums[p->count] = (struct sum){.series = s};
    return &p->sums[p->count++];
}

static enum status gather(struct page *p, const struct metrics *const *all, size_t count)
{
    size_t values = metrics_value_count(p->family);
    for (size_t w = 0; w < count; w++)
        for (const struct metrics_series *s = metrics_newest(all[w]); s;
             s = atomic_load_explicit(&s->older, memory_order_relaxed)) {
            if (&metrics_families[s->family] != p->family)
                continue;
            struct sum *sum = page_add(p, s);
            if (!sum)
                return ERR_MEMORY;
            for (size_t i = 0; i < values; i++)
                sum->values[i] += atomic_load_explicit(&s->values[i], memory_order_relaxed);
        }
    return OK;
}

static int compare_sums(const void *a, const void *b)
{
    const struct sum *x = a, *y = b;
    return str_compare(x->series->key, y->series->key);
}

/* Writing */

static void write_labels(const struct metrics_family *f, struct str key, struct buf *out)
{
    buf_clear(out);
    for (size_t i = 0; i < METRICS_LABELS_MAX && f->labels[i]; i++) {
        struct str value = str_from(key.ptr);
        if (i > 0)
            buf_add_char(out, ',');
        metrics_write_label(out, f->labels[i], value);
        key = str_slice(key, value.len + 1, key.len);
    }
}

/* The count is the sum of the buckets and what lies above them as they were read: a page agrees with itself even when
 * it was made in the middle of an increment. */
static void write_histogram(const struct metrics_family *f, struct str labels, const struct sum *s,
                            struct buf *out)
{
    char bound[NUMBER_BYTES_MAX];
    size_t buckets = metrics_bucket_count(f);
    uint64_t below = 0;
    for (size_t i = 0; i < buckets; i++) {
        below += s->values[i];
        snprintf(bound, sizeof(bound), "le=\"%g\"", f->bounds_ms[i] / 1e3);
        write_name(out, f->name, "_bucket", labels, bound);
        buf_addf(out, "%llu\n", (unsigned long long)below);
    }
    uint64_t total = s->values[buckets] > below ? s->values[buckets] : below;
    write_name(out, f->name, "_bucket", labels, "le=\"+Inf\"");
    buf_addf(out, "%llu\n", (unsigned long long)total);
    write_name(out, f->name, "_sum", labels, "");
    buf_addf(out, "%llu.%03u\n", (unsigned long long)(s->values[buckets + 1] / 1000),
             (unsigned)(s->values[buckets + 1] % 1000));
    write_name(out, f->name, "_count", labels, "");
    buf_addf(out, "%llu\n", (unsigned long long)total);
}

static void write_series(const struct metrics_family *f, struct str labels, const struct sum *s,
                         struct buf *out)
{
    if (f->kind == METRICS_SECONDS) {
        write_histogram(f, labels, s, out);
        return;
    }
    write_name(out, f->name, "", labels, "");
    if (f->kind == METRICS_USD || f->kind == METRICS_USD_GAUGE)
        write_nano(out, (int64_t)s->values[0]);
    else if (f->kind == METRICS_MICRO)
        buf_addf(out, "%llu.%06u\n", (unsigned long long)(s->values[0] / 1000000),
                 (unsigned)(s->values[0] % 1000000));
    else
        buf_addf(out, "%llu\n", (unsigned long long)s->values[0]);
}

static const char *type_name(enum metrics_kind kind)
{
    switch (kind) {
    case METRICS_SECONDS:
        return "histogram";
    case METRICS_USD_GAUGE:
        return "gauge";
    default:
        return "counter";
    }
}

static void write_page(struct page *p, struct buf *out)
{
    struct buf labels;
    buf_init(&labels, 16384);
    metrics_write_head(out, p->family->name, type_name(p->family->kind), p->family->help);
    if (p->count > 1)
        qsort(p->sums, p->count, sizeof(*p->sums), compare_sums);
    for (size_t i = 0; i < p->count; i++) {
        write_labels(p->family, p->sums[i].series->key, &labels);
        write_series(p->family, buf_str(&labels), &p->sums[i], out);
    }
    buf_done(&labels);
}

static enum status write_family(const struct metrics_family *f, const struct metrics *const *all,
                                size_t count, struct buf *out)
{
    struct page p = {.family = f, .by_key = map_create(64)};
    enum status status = p.by_key ? gather(&p, all, count) : ERR_MEMORY;
    if (status == OK)
        write_page(&p, out);
    map_free(p.by_key);
    free(p.sums);
    return status;
}

enum status metrics_write(const struct metrics *const *all, size_t count, struct buf *out)
{
    uint64_t lost = 0;
    size_t begin = out->len;
    enum status status = OK;
    for (size_t i = 0; status == OK && i < FAMILIES; i++)
        status = write_family(&metrics_families[i], all, count, out);
    if (status != OK) {
        out->len = begin;
        return status;
    }
    for (size_t w = 0; w < count; w++)
        lost += metrics_lost_series(all[w]);
    metrics_write_head(out, "leeroo_metrics_lost_total", "counter",
                       "Counts that found no room for another series.");
    metrics_write_sample(out, "leeroo_metrics_lost_total", "", (double)lost);
    return buf_status(out, NULL);
}
