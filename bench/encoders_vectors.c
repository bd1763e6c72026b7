/* See encoders_vectors.h. */
#include "encoders_vectors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "npy.h"
#include "opinion/opinion_said.h"

bool vectors_silent;

static void *work_create(const struct encoder *e)
{
    (void)e;
    return malloc(1);
}

static enum status encode(const struct encoder *e, void *work, struct str text,
                          struct encoding *ret, struct error *err)
{
    const struct vectors *v = e->state;
    uint32_t row;
    (void)work;
    if (vectors_silent)
        *ret = (struct encoding){.silent = true};
    else if (map_get(v->map, text, &row))
        *ret = (struct encoding){.dense = v->x + row * e->dense_count};
    else
        return error_set(err, ERR_NOT_FOUND, "no vector of a text");
    return OK;
}

static enum status make_map(struct vectors *v, const struct dataset *d, struct error *err)
{
    v->map = map_create(v->rows);
    if (!v->map)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (uint32_t i = 0; i < v->rows; i++)
        if (!isnan(v->x[i * v->encoder.dense_count]) &&
            map_put(v->map, d->queries[i].prompt, i) != OK)
            return error_set(err, ERR_MEMORY, "out of memory");
    return OK;
}

/* One piece: what was read is kept only if it is of this data set and pool. */
enum status vectors_load(struct vectors *v, const char *name, const struct dataset *d,
                         size_t experts, bool *found, struct error *err)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s.npy", v->folder, name);
    *found = false;
    enum status status = npy_read(path, &v->x, &v->rows, &v->encoder.dense_count, err);
    if (status == ERR_IO || status == ERR_NOT_FOUND)
        return OK;
    if (status == OK && v->rows != d->query_count)
        status = error_set(err, ERR_INPUT, "%s: not as many rows as queries", path);
    bool other = !strcmp(v->kind, "opinion") && v->encoder.dense_count != opinion_width(experts);
    if (status == OK && !other)
        status = make_map(v, d, err);
    if (status != OK || other) {
        vectors_free(v);
        return status;
    }
    v->encoder.fingerprint = v->fingerprint;
    v->encoder.state = v;
    v->encoder.work_create = work_create;
    v->encoder.work_free = free;
    v->encoder.encode = encode;
    *found = true;
    return OK;
}

void vectors_free(struct vectors *v)
{
    free(v->x);
    map_free(v->map);
    v->x = NULL;
    v->map = NULL;
}
