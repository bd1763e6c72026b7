/* Recorded answers: see answer_table.h. */
#include "judge/answer_table.h"

#include "base/map.h"
#include "judge/rescore.h"

enum status answer_table_classify(struct dataset *d, const size_t *experts, size_t count,
                                  answer_table_progress *progress, void *arg, size_t *ret_found,
                                  struct error *err)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        enum status st = judge_answers_fill(d, &experts[i], 1, NULL, NULL, err);
        if (st != OK && st != ERR_NOT_FOUND)
            return st;
        found += st == OK;
        if (progress)
            progress(i + 1, count, arg);
    }
    *ret_found = found;
    return OK;
}

/* Reading one part. */
struct reading {
    const struct dataset *part, *all;
    size_t first, expert; /* row of its first query, expert in `all` */
    struct map *ids;
    struct answer_cell *cells;
};

static enum status note_text(const struct response_line *said, void *arg, struct error *err)
{
    struct reading *r = arg;
    uint32_t q;
    (void)err;
    if (!map_get(r->ids, said->id, &q))
        return OK;
    struct answer_cell *cell = &r->cells[(r->first + q) * r->all->expert_count + r->expert];
    cell->present = true;
    cell->certainty = said->certainty;
    answer_stats(said->text, cell->stats);
    return OK;
}

static enum status read_part(struct reading *r, const size_t *experts, size_t count,
                             struct error *err)
{
    for (size_t q = 0; q < r->part->query_count; q++)
        if (map_put(r->ids, r->part->queries[q].id, (uint32_t)q) != OK)
            return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++) {
        struct str name = r->all->experts[experts[i]].name;
        r->expert = experts[i];
        enum status st = responses_read(r->part->path.ptr, name, note_text, r, err);
        if (st != OK && st != ERR_NOT_FOUND)
            return st;
    }
    return OK;
}

enum status answer_table_read(struct dataset *const *parts, size_t part_count,
                              const struct dataset *all, const size_t *experts, size_t count,
                              struct arena *a, struct answer_table *ret, struct error *err)
{
    struct answer_cell *cells =
        ARENA_ARRAY(a, all->query_count * all->expert_count, struct answer_cell);
    struct reading r = {.all = all, .cells = cells};
    enum status st = cells || !all->query_count ? OK : error_set(err, ERR_MEMORY, "out of memory");
    for (size_t p = 0; p < part_count && st == OK; p++) {
        r.part = parts[p];
        r.ids = map_create(parts[p]->query_count);
        st = r.ids ? read_part(&r, experts, count, err)
                   : error_set(err, ERR_MEMORY, "out of memory");
        map_free(r.ids);
        r.first += parts[p]->query_count;
    }
    if (st == OK)
        ret->cells = cells;
    return st;
}
