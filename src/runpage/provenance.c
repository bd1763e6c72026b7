/* posed.jsonl and dropped.jsonl, read back: see provenance.h.
 *
 * A round that was begun again after a kill has written its lines again: a question counts once, because it has one
 * origin, and of each reason only the first example is kept; how many were dropped is in round.json. One thread. */
#include "runpage/provenance.h"

#include <limits.h>
#include <stdio.h>

#include "base/gz.h"
#include "base/json.h"
#include "base/map.h"

#define SOURCE_GIVEN "files and traffic"

static enum status string_of(struct json_value object, const char *name, const char *place,
                             size_t number, struct arena *a, struct str *ret, struct error *err)
{
    struct json_value v = json_get(object, name);
    struct str text = {"", 0};
    if (json_is_set(v) && json_string_decode(v, a, &text) != OK)
        return error_set(err, ERR_CORRUPT, "%s:%zu: \"%s\" is not a string", place, number, name);
    *ret = arena_copy(a, text); /* the line is gone soon */
    return ret->ptr ? OK : error_set(err, ERR_MEMORY, "out of memory for %s", place);
}

/* Of the sources that are known; one too many counts as the last. */
static uint8_t source_index(struct provenance *p, struct str name)
{
    for (size_t i = 0; i < p->source_count; i++)
        if (str_equal(p->sources[i].name, name))
            return (uint8_t)i;
    if (p->source_count == PROVENANCE_SOURCES_MAX)
        return PROVENANCE_SOURCES_MAX - 1;
    p->sources[p->source_count] = (struct provenance_source){.name = name};
    return (uint8_t)p->source_count++;
}

enum status provenance_posed_line(struct str line, const char *place, size_t number,
                                  const struct map *queries, struct arena *a, uint8_t *origin,
                                  struct provenance *into, struct error *err)
{
    struct json_value root;
    struct str id, source;
    uint32_t query;
    enum status status = json_parse(line, place, number, &root, err);
    if (status == OK)
        status = string_of(root, "id", place, number, a, &id, err);
    if (status == OK)
        status = string_of(root, "source", place, number, a, &source, err);
    if (status == OK && source.len > 0 && map_get(queries, id, &query))
        origin[query] = source_index(into, source);
    return status;
}

enum status provenance_dropped_line(struct str line, const char *place, size_t number,
                                    struct arena *a, struct provenance *into, struct error *err)
{
    struct json_value root;
    struct provenance_drop drop;
    enum status status = json_parse(line, place, number, &root, err);
    if (status == OK)
        status = string_of(root, "reason", place, number, a, &drop.reason, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < into->example_count; i++)
        if (str_equal(into->examples[i].reason, drop.reason))
            return OK;
    if (into->example_count == PROVENANCE_REASONS_MAX)
        return OK;
    status = string_of(root, "text", place, number, a, &drop.text, err);
    if (status == OK)
        status = string_of(root, "why", place, number, a, &drop.why, err);
    if (status == OK)
        into->examples[into->example_count++] = drop;
    return status;
}

/* Files */

struct reading {
    const struct dataset *d;
    struct map *queries;
    uint8_t *origin; /* [queries]: index of a source */
    struct arena *arena;
    struct provenance *p;
};

static enum status take_line(struct reading *r, bool posed, struct str line, const char *path,
                             size_t number, struct error *err)
{
    return posed ? provenance_posed_line(line, path, number, r->queries, r->arena, r->origin, r->p,
                                         err)
                 : provenance_dropped_line(line, path, number, r->arena, r->p, err);
}

static enum status read_file(struct reading *r, const char *folder, bool posed, struct error *err)
{
    char path[PATH_MAX];
    struct line_reader *lines = NULL;
    struct str line;
    snprintf(path, sizeof(path), "%s/%s.jsonl", folder, posed ? "posed" : "dropped");
    enum status status = line_reader_open(path, &lines, err);
    if (status == ERR_NOT_FOUND)
        return OK;
    while (status == OK && (status = line_reader_next(lines, &line, err)) == OK)
        status = take_line(r, posed, line, path, line_reader_number(lines), err);
    line_reader_close(lines);
    return status == CLOSED ? OK : status;
}

static void count(const struct reading *r)
{
    for (size_t q = 0; q < r->d->query_count; q++) {
        struct provenance_source *s = &r->p->sources[r->origin[q]];
        size_t before = s->outcomes;
        s->questions++;
        for (size_t e = 0; e < r->d->expert_count; e++) {
            const struct outcome *o = dataset_outcome(r->d, q, e);
            s->outcomes += o->present;
            s->scored += o->known;
            s->score += o->known ? (double)o->score : 0;
        }
        s->asked += s->outcomes > before;
    }
}

static enum status prepare(struct reading *r, struct error *err)
{
    enum status status = r->queries && r->origin ? OK : ERR_MEMORY;
    for (size_t q = 0; q < r->d->query_count && status == OK; q++) {
        r->origin[q] = 0;
        status = map_put(r->queries, r->d->queries[q].id, (uint32_t)q);
    }
    return status == OK ? OK : error_set(err, ERR_MEMORY, "out of memory for questions");
}

enum status provenance_read(const char *folder, const struct dataset *d, struct arena *a,
                            struct provenance *ret, struct error *err)
{
    struct provenance p = {.sources = {{.name = STR_INIT(SOURCE_GIVEN)}}, .source_count = 1};
    struct reading r = {.d = d,
                        .queries = map_create(d->query_count),
                        .origin = ARENA_ARRAY(a, d->query_count + 1, uint8_t),
                        .arena = a,
                        .p = &p};
    enum status status = prepare(&r, err);
    if (status == OK)
        status = read_file(&r, folder, true, err);
    if (status == OK)
        status = read_file(&r, folder, false, err);
    if (status == OK)
        count(&r);
    map_free(r.queries);
    if (status == OK)
        *ret = p;
    return status;
}
