/* Texts of answers, as many as there are: first it is noted who has one, and when the rows are picked those that stand
 * in them are copied to a file without a name, from which they are read in the order of the rows.
 *
 * So the files of responses, which are in the order of their experts, are read twice, and memory holds one text. Of
 * several texts for one cell the last counts, as wherever responses are read. One thread. */
#include "export/export_int.h"

#include <errno.h>
#include <stdlib.h>

#include "base/map.h"

#define PROGRESS_EVERY 1024

struct place {
    int64_t at; /* of the file */
    size_t len;
};

struct export_texts {
    struct exporting *x;
    struct map *ids; /* id → query */
    FILE *spool;
    struct place *places; /* [query_count × expert_count] */
    int64_t end;
    size_t expert, done; /* whose are read, and how many were */
    bool gathers;
};

static enum status out_of_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, "out of memory");
}

static enum status keep(struct export_texts *t, struct place *place, struct str text,
                        struct error *err)
{
    if (fwrite(text.ptr, 1, text.len, t->spool) != text.len)
        return error_set_errno(err, ERR_IO, errno, "cannot write a temporary file");
    *place = (struct place){t->end, text.len};
    t->end += (int64_t)text.len;
    return OK;
}

static enum status take(const struct response_line *said, void *arg, struct error *err)
{
    struct export_texts *t = arg;
    const struct export_options *o = t->x->o;
    uint32_t q;
    if (++t->done % PROGRESS_EVERY == 0 && o->progress)
        o->progress(t->done, 2 * t->x->d->query_count * t->x->d->expert_count, o->progress_arg);
    if (!map_get(t->ids, said->id, &q))
        return OK;
    uint8_t *cell = export_cell(t->x, q, t->expert);
    if (t->gathers)
        return *cell & CELL_NEEDED && str_trim(said->text).len > 0
                   ? keep(t, &t->places[cell - t->x->cells], said->text, err)
                   : OK;
    *cell &= (uint8_t)~CELL_TEXT;
    if (str_trim(said->text).len > 0)
        *cell |= CELL_TEXT;
    return OK;
}

/* *found: how many experts have a file. */
static enum status read_all(struct export_texts *t, size_t *found, struct error *err)
{
    const struct dataset *d = t->x->d;
    enum status status = OK;
    for (t->expert = 0; t->expert < d->expert_count && status == OK; t->expert++) {
        status = responses_read(d->path.ptr, d->experts[t->expert].name, take, t, err);
        *found += status == OK;
        status = status == ERR_NOT_FOUND ? OK : status;
    }
    return status;
}

static enum status open_texts(struct export_texts *t, struct error *err)
{
    const struct dataset *d = t->x->d;
    size_t cells = d->query_count * d->expert_count;
    t->ids = map_create(d->query_count);
    t->places = ARENA_ARRAY(t->x->arena, cells + 1, struct place);
    if (!t->ids || !t->places)
        return out_of_memory(err);
    for (size_t q = 0; q < d->query_count; q++)
        if (map_put(t->ids, d->queries[q].id, (uint32_t)q) != OK)
            return out_of_memory(err);
    t->spool = tmpfile();
    return t->spool ? OK : error_set_errno(err, ERR_IO, errno, "cannot make a temporary file");
}

enum status export_texts_find(struct exporting *x, struct export_texts **ret, struct error *err)
{
    struct export_texts *t = calloc(1, sizeof(*t));
    size_t found = 0;
    if (!t)
        return out_of_memory(err);
    t->x = x;
    enum status status = open_texts(t, err);
    if (status == OK)
        status = read_all(t, &found, err);
    if (status == OK && found == 0)
        status = error_set(err, ERR_NOT_FOUND,
                           "%.*s: no texts of these experts in responses/, so there are no answers "
                           "to learn from; --of routing teaches whom to ask",
                           STR_FMT(x->d->path));
    if (status != OK) {
        export_texts_free(t);
        return status;
    }
    *ret = t;
    return OK;
}

enum status export_texts_gather(struct export_texts *t, struct error *err)
{
    size_t found = 0;
    t->gathers = true;
    enum status status = read_all(t, &found, err);
    if (status == OK && fflush(t->spool) != 0)
        status = error_set_errno(err, ERR_IO, errno, "cannot write a temporary file");
    return status;
}

enum status export_text_read(struct export_texts *t, size_t query, size_t expert, struct buf *into,
                             struct error *err)
{
    struct place place = t->places[query * t->x->d->expert_count + expert];
    buf_clear(into);
    char *bytes = buf_reserve(into, place.len);
    if (!bytes)
        return buf_status(into, err);
    if (fseeko(t->spool, place.at, SEEK_SET) != 0 ||
        fread(bytes, 1, place.len, t->spool) != place.len)
        return error_set_errno(err, ERR_IO, errno, "cannot read a temporary file");
    into->len += place.len;
    return OK;
}

void export_texts_free(struct export_texts *t)
{
    if (!t)
        return;
    map_free(t->ids);
    if (t->spool)
        fclose(t->spool);
    free(t);
}
