/* A data set directory as one value: loading its parts, looking things up, and uniting several.
 *
 * Each part is read by a file of its own (query.c, expert_list.c, outcomes.c); a table of results goes to
 * result_table.c. Where what was given is no data set at all, the complaint says here what one is. Blocks on files, so
 * never on an event loop; what is loaded is read-only and may be shared by threads. */
#include "data/dataset.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "data/dataset_int.h"
#include "data/result_table.h"

enum status dataset_create(const char *path, struct dataset **ret, struct error *err)
{
    struct arena *a = arena_create(DATASET_BYTES_MAX);
    struct dataset *d = a ? ARENA_NEW(a, struct dataset) : NULL;
    struct str kept = d ? arena_copy(a, str_from(path)) : (struct str){NULL, 0};
    if (!kept.ptr) {
        arena_free(a);
        return error_set(err, ERR_MEMORY, "out of memory");
    }
    d->arena = a;
    d->path = kept;
    *ret = d;
    return OK;
}

void dataset_free(struct dataset *d)
{
    if (d)
        arena_free(d->arena);
}

/* Where there is no experts.csv, outcomes.csv names them; the complaint is about the former when there is neither. */
static enum status experts_any(struct dataset *d, const char *path, struct error *err)
{
    enum status status = experts_read(d, path, err);
    if (status != ERR_NOT_FOUND)
        return status;
    char *outcomes = arena_printf(d->arena, "%.*s/outcomes.csv", STR_FMT(d->path));
    if (!outcomes)
        return error_set(err, ERR_MEMORY, "out of memory");
    struct error other;
    status = experts_from_outcomes(d, outcomes, &other);
    if (status == ERR_NOT_FOUND)
        return status;
    if (status != OK && err)
        *err = other;
    d->experts_unlisted = status == OK;
    return status;
}

static enum status part_read(struct dataset *d, const char *file, struct error *err)
{
    char *path = arena_printf(d->arena, "%.*s/%s", STR_FMT(d->path), file);
    if (!path)
        return error_set(err, ERR_MEMORY, "out of memory");
    if (file[0] == 'q')
        return queries_read(d, path, true, err);
    if (file[0] == 'e')
        return experts_any(d, path, err);
    return outcomes_read(d, path, err);
}

/* "data/queries.jsonl" was given for "data". */
static bool is_part(const char *path)
{
    static const char *const parts[] = {"queries.jsonl",    "experts.csv",    "outcomes.csv",
                                        "queries.jsonl.gz", "experts.csv.gz", "outcomes.csv.gz"};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (!strcmp(name, parts[i]))
            return true;
    return false;
}

/* What was taken for a data set may be none. */
static enum status mended(enum status status, const char *path, struct error *err)
{
    struct stat found;
    const char *slash = strrchr(path, '/');
    if (status == OK)
        return OK;
    if (stat(path, &found) != 0)
        error_set_errno(err, status, errno, "%s", path);
    if (status == ERR_NOT_FOUND)
        error_mend(err, "a data set is a folder with queries.jsonl, outcomes.csv and experts.csv");
    else if (!S_ISDIR(found.st_mode) && is_part(path))
        error_mend(err, "this is a part of a data set, which is the folder: %.*s",
                   slash ? (int)(slash - path) : 1, slash ? path : ".");
    return status;
}

enum status dataset_load(const char *path, unsigned parts, struct dataset **ret, struct error *err)
{
    struct dataset *d = NULL;
    if (table_is(path))
        return mended(table_load(path, ret, err), path, err);
    enum status status = dataset_create(path, &d, err);
    if (status != OK)
        return status;
    if (parts & DATASET_OUTCOMES)
        parts = DATASET_ALL; /* outcomes mean nothing without the other two */
    if (parts & DATASET_QUERIES)
        status = part_read(d, "queries.jsonl", err);
    if (status == OK && (parts & DATASET_EXPERTS))
        status = part_read(d, "experts.csv", err);
    if (status == OK && (parts & DATASET_OUTCOMES))
        status = part_read(d, "outcomes.csv", err);
    if (status != OK) {
        dataset_free(d);
        return mended(status, path, err);
    }
    *ret = d;
    return OK;
}

const struct outcome *dataset_outcome(const struct dataset *d, size_t query, size_t expert)
{
    DEBUG_CHECK(query < d->query_count);
    DEBUG_CHECK(expert < d->expert_count);
    return &d->outcomes[query * d->expert_count + expert];
}

size_t dataset_expert_index(const struct dataset *d, struct str name)
{
    for (size_t i = 0; i < d->expert_count; i++)
        if (str_equal(d->experts[i].name, name))
            return i;
    return SIZE_MAX;
}

static enum status unknown_expert(const struct dataset *d, struct str name, struct error *err)
{
    char known[sizeof(err->text)] = "";
    size_t used = 0;
    for (size_t i = 0; i < d->expert_count && used < sizeof(known); i++)
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%.*s", i ? ", " : "",
                                 STR_FMT(d->experts[i].name));
    return error_set(err, ERR_NOT_FOUND, "no expert '%.*s' in %.*s; it has %s", STR_FMT(name),
                     STR_FMT(d->path), known);
}

enum status dataset_expert_list(const struct dataset *d, const char *names, size_t *ret,
                                size_t *ret_count, struct error *err)
{
    size_t list[DATASET_EXPERTS_MAX];
    bool named[DATASET_EXPERTS_MAX] = {false};
    size_t count = 0;
    struct str rest = str_from(names);
    do {
        struct str name = str_trim(str_split(&rest, ','));
        size_t index = dataset_expert_index(d, name);
        if (index == SIZE_MAX)
            return unknown_expert(d, name, err);
        if (named[index])
            return error_set(err, ERR_INPUT, "expert '%.*s' is named twice", STR_FMT(name));
        named[index] = true;
        list[count++] = index;
    } while (rest.len > 0);
    memcpy(ret, list, count * sizeof(list[0]));
    *ret_count = count;
    return OK;
}

double dataset_mean_score(const struct dataset *d, size_t expert)
{
    double sum = 0, known = 0;
    for (size_t q = 0; q < d->query_count; q++) {
        const struct outcome *o = dataset_outcome(d, q, expert);
        double weight = o->known ? (double)outcome_confidence(o) : 0;
        sum += weight * (double)o->score;
        known += weight;
    }
    return known > 0 ? sum / known : NAN;
}
