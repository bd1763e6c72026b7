/* What an encoder says of a data set's prompts, as bench_encoders reads it:
 *
 *     bench_encoders_read DATASET OUT.npy SPEC [EXPERTS]
 *
 * SPEC is that of `leeroo train --encoder`; with EXPERTS (names, or `all` with outcomes) it is opened as orchestrator,
 * which is told of these. OUT.npy is float32 [queries × numbers] in the order of the queries. ROWS=N reads N of them,
 * those whose text hashes lowest, so that the rows of a smaller N are among those of a larger one; a row that was not
 * read is NaN. What was said is kept as training keeps it, so that the next run goes on. Prints what a query costs: CPU
 * time of the process, one text at a time, over TIMED=N texts (30) that nothing is kept of; and what memory it takes.
 * One core: taskset -c 0, and `threads=1` in SPEC, which is the default. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/hash.h"
#include "encode/encoding_cache.h"
#include "eval/build.h"
#include "export/export.h"
#include "npy.h"
#include "setup/setup_encoders.h"

#define ARENA_CAP ((size_t)64 << 20)
#define TIMED     30

static void die(const struct error *err)
{
    fprintf(stderr, "encoders_read: %s\n", err->text);
    exit(1);
}

static size_t number(const char *name, size_t usual)
{
    const char *said = getenv(name);
    return said ? strtoul(said, NULL, 10) : usual;
}

/* Of all threads, because an encoder computes on its own. */
static double cpu_seconds(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

/* Resident now, in MiB. */
static double resident(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%*u %lu", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return (double)pages * 4096 / (1 << 20);
}

/* Asking whom to ask: the spec with the list of these experts. */
static void orchestrate(const struct dataset *d, const char *names, struct arena *a,
                        struct encoder_spec *s)
{
    struct error err;
    struct buf b;
    size_t experts[DATASET_EXPERTS_MAX], count = 0;
    for (size_t e = 0; e < d->expert_count && !strcmp(names, "all"); e++)
        if (eval_has_outcomes(d, e))
            experts[count++] = e;
    if (!count && dataset_expert_list(d, names, experts, &count, &err) != OK)
        die(&err);
    buf_init(&b, OPINION_HEAD_BYTES_MAX);
    if (export_head_write(d, experts, count, 0, &b, &err) != OK)
        die(&err);
    s->orchestrates = true;
    s->labels = (uint32_t)count;
    s->head = arena_printf(a, "%.*s", STR_FMT(buf_str(&b)));
    buf_done(&b);
}

struct place {
    uint64_t hash;
    uint32_t row;
};

static int compare(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return x->hash < y->hash ? -1 : x->hash > y->hash ? 1 : (x->row > y->row) - (x->row < y->row);
}

/* The rows to read: those whose texts hash lowest. */
static struct place *choose(const struct dataset *d, size_t *count)
{
    struct place *places = calloc(d->query_count + 1, sizeof(*places));
    for (uint32_t i = 0; i < d->query_count; i++)
        places[i] = (struct place){hash64(d->queries[i].prompt, 1), i};
    qsort(places, d->query_count, sizeof(*places), compare);
    *count = number("ROWS", d->query_count);
    if (*count > d->query_count)
        *count = d->query_count;
    return places;
}

static void time_texts(const struct dataset *d, const struct encoder *e, const struct place *places,
                       size_t count)
{
    struct error err;
    struct encoding said;
    void *work = e->work_create(e);
    size_t timed = number("TIMED", TIMED), bytes = 0;
    double before = cpu_seconds();
    for (size_t i = 0; i < timed && i < count; i++) {
        if (!work || e->encode(e, work, d->queries[places[i].row].prompt, &said, &err) != OK)
            die(&err);
        bytes += d->queries[places[i].row].prompt.len;
    }
    if (timed)
        printf("%.1f ms of CPU time a text of %zu bytes\n",
               1e3 * (cpu_seconds() - before) / (double)timed, bytes / timed);
    e->work_free(work);
}

static bool show(size_t done, void *arg)
{
    (void)arg;
    fprintf(stderr, "\r%zu", done);
    return true;
}

/* One piece: what is said of the chosen rows, in their places. */
static void read_rows(const struct dataset *d, const struct encoder *e, const struct place *places,
                      size_t count, struct arena *a, const char *path)
{
    struct error err;
    size_t width = e->dense_count;
    struct str *texts = calloc(count + 1, sizeof(*texts));
    float *dense = calloc(count * width + 1, sizeof(*dense));
    float *all = calloc(d->query_count * width + 1, sizeof(*all));
    for (size_t i = 0; i < count; i++)
        texts[i] = d->queries[places[i].row].prompt;
    for (size_t i = 0; i < d->query_count * width; i++)
        all[i] = NAN;
    if (encoding_cache_encode(setup_encoding_folder(a), e, texts, count, dense, show, NULL, &err) !=
        OK)
        die(&err);
    for (size_t i = 0; i < count; i++)
        memcpy(all + places[i].row * width, dense + i * width, width * sizeof(*dense));
    if (npy_write(path, all, d->query_count, width, &err) != OK)
        die(&err);
    printf("%s: %zu of %zu rows of %zu numbers\n", path, count, d->query_count, width);
    free(texts);
    free(dense);
    free(all);
}

/* One piece: what is opened here stays until the end. */
int main(int argc, char **argv)
{
    struct error err;
    struct dataset *d;
    struct encoder_spec s;
    const struct encoder *e;
    struct arena *a = arena_create(ARENA_CAP);
    size_t count;
    if (argc < 4 || argc > 5 || !a) {
        fprintf(stderr, "usage: bench_encoders_read DATASET OUT.npy SPEC [EXPERTS]\n");
        return 2;
    }
    if (dataset_load(argv[1], DATASET_ALL, &d, &err) != OK ||
        encoder_spec_parse(str_from(argv[3]), a, &s, &err) != OK)
        die(&err);
    if (argc > 4)
        orchestrate(d, argv[4], a, &s);
    double before = resident();
    if (encoder_open(&s, &e, &err) != OK)
        die(&err);
    struct place *places = choose(d, &count);
    time_texts(d, e, places, count);
    printf("%.0f MiB of memory\n", resident() - before);
    fflush(stdout);
    read_rows(d, e, places, count, a, argv[2]);
    free(places);
    dataset_free(d);
    arena_free(a);
    return 0;
}
