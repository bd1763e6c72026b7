/* Writes some queries of a data set, and the responses that go with them. */
#include "data/part_write.h"

#include "data/dataset_int.h"
#include "data/dataset_write.h"
#include "data/subset.h"

#define PART_TEXTS_BYTES_MAX (UINT64_C(8) << 30) /* of one expert */

struct gathering {
    const struct map *rows; /* id → row of the part */
    struct str *texts;      /* [queries of the part] */
    struct certainty *certainty;
    struct arena *arena;
    size_t found;
};

static enum status gather(const struct response_line *said, void *arg, struct error *err)
{
    struct gathering *g = arg;
    uint32_t row;
    if (!map_get(g->rows, said->id, &row))
        return OK;
    g->found += !g->texts[row].ptr;
    g->certainty[row] = said->certainty;
    g->texts[row] = arena_copy(g->arena, said->text);
    return g->texts[row].ptr ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

/* An expert without responses has none in the part either. */
static enum status expert_texts(const struct dataset *part, const struct map *rows, size_t expert,
                                const char *path, size_t *texts, struct error *err)
{
    struct str model = part->experts[expert].name;
    struct gathering g = {.rows = rows, .arena = arena_create(PART_TEXTS_BYTES_MAX)};
    if (g.arena) {
        g.texts = ARENA_ARRAY(g.arena, part->query_count + 1, struct str);
        g.certainty = ARENA_ARRAY(g.arena, part->query_count + 1, struct certainty);
    }
    enum status status = ERR_MEMORY;
    if (g.texts && g.certainty)
        status = responses_read(part->path.ptr, model, gather, &g, err);
    else
        error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK && g.found > 0)
        status = responses_write(part, path, model, g.texts, g.certainty, err);
    *texts += status == OK ? g.found : 0;
    arena_free(g.arena);
    return status == ERR_NOT_FOUND ? OK : status;
}

static enum status part_texts(const struct dataset *part, const char *path, size_t *texts,
                              struct error *err)
{
    struct map *rows = NULL;
    enum status status = dataset_ids_map(part, &rows, err);
    for (size_t e = 0; e < part->expert_count && status == OK; e++)
        status = expert_texts(part, rows, e, path, texts, err);
    map_free(rows);
    return status;
}

enum status dataset_part_write(const struct dataset *d, const uint32_t *rows, size_t count,
                               const char *path, size_t *texts, struct error *err)
{
    struct dataset *part = NULL;
    size_t found = 0;
    enum status status = dataset_subset(d, rows, count, &part, err);
    if (status == OK)
        status = dataset_write(part, path, err);
    if (status == OK)
        status = part_texts(part, path, &found, err);
    dataset_free(part);
    if (status == OK && texts)
        *texts = found;
    return status;
}
