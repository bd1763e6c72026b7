/* Checks of a whole data set: see rescore_checks.h. Scores go into a table of their own first, so that a file that is
 * malformed leaves the data set as it was.
 *
 * Reads files and runs commands, one after the other, on the thread that owns the data set; for commands of the
 * program, never for the gateway. */
#include "judge/rescore_checks.h"

#include <math.h>
#include <stdio.h>

#include "base/map.h"
#include "judge/answer_check.h"

#define STAGE_BYTES_MAX ((size_t)4 << 30)
#define SCRATCH_BYTES   (64u << 20)

struct stage {
    struct dataset *d;
    struct arena *arena, *scratch;
    struct map *ids;                   /* of questions with a check */
    const struct judge_check **checks; /* [queries]; NULL: none */
    float *scores; /* [queries] of the expert being read: NAN nothing said, -1 no text */
    bool allow_commands;
    struct rescore_checks_figures figures;
};

static enum status read_checks(struct stage *s, struct error *err)
{
    for (size_t q = 0; q < s->d->query_count; q++) {
        const struct query *query = &s->d->queries[q];
        if (query->check.len == 0)
            continue;
        struct judge_check *check = ARENA_NEW(s->arena, struct judge_check);
        if (!check || map_put(s->ids, query->id, (uint32_t)q) != OK)
            return error_set(err, ERR_MEMORY, "out of memory for checks");
        const enum status status = check_read(query->check, s->arena, check, err);
        if (status != OK)
            return error_prefix(err, "%.*s/queries.jsonl: question %.*s", STR_FMT(s->d->path),
                                STR_FMT(query->id));
        s->checks[q] = check;
    }
    return OK;
}

static enum status take_text(const struct response_line *said, void *arg, struct error *err)
{
    struct stage *s = arg;
    struct error problem = {0};
    uint32_t q;
    (void)err;
    if (!map_get(s->ids, said->id, &q))
        return OK;
    arena_reset(s->scratch);
    s->scores[q] = NAN;
    const enum status status =
        check_score(s->checks[q], &s->d->queries[q], said->text, s->allow_commands, NULL,
                    s->scratch, &s->scores[q], &problem);
    s->figures.refused += status == ERR_FORBIDDEN;
    if (status == OK || status == ERR_FORBIDDEN)
        return OK;
    if (s->figures.broken++ == 0)
        snprintf(s->figures.problem, sizeof(s->figures.problem), "question %.*s: %.300s",
                 STR_FMT(said->id), problem.text);
    return OK;
}

static void add_mean(double *mean, size_t count, double value)
{
    *mean += (value - *mean) / (double)count;
}

static void put_score(struct outcome *o, float score, struct str method, struct judge_figures *f)
{
    const bool was_known = o->known;
    const double was = (double)o->score;
    o->known = score >= 0;
    o->score = o->known ? score : 0;
    o->present = o->present || isnan(score) || o->known;
    o->method = o->known ? method : STR("");
    o->confidence = 0;
    f->texts += isnan(score) || o->known;
    if (!o->known)
        return;
    add_mean(&f->judged, ++f->scored, (double)score);
    if (!was_known)
        return;
    add_mean(&f->recorded, ++f->compared, was);
    add_mean(&f->agreement, f->compared, (was >= 0.5) == (score >= 0.5f));
}

static enum status rescore(struct stage *s, const size_t *experts, size_t count,
                           struct judge_figures *figures, struct error *err)
{
    const size_t queries = s->d->query_count;
    float *scores = ARENA_ARRAY(s->arena, queries * count + 1, float);
    enum status status = scores ? OK : error_set(err, ERR_MEMORY, "out of memory for checks");
    for (size_t i = 0; i < queries * count && status == OK; i++)
        scores[i] = -1;
    for (size_t i = 0; i < count && status == OK; i++) {
        s->scores = scores + i * queries;
        status = responses_read(s->d->path.ptr, s->d->experts[experts ? experts[i] : i].name,
                                take_text, s, err);
    }
    for (size_t i = 0; i < queries * count && status == OK; i++) {
        const size_t q = i % queries, e = experts ? experts[i / queries] : i / queries;
        if (s->checks[q])
            put_score(&s->d->outcomes[q * s->d->expert_count + e], scores[i],
                      str_from(check_kind_name(s->checks[q]->kind)), &figures[i / queries]);
    }
    return status;
}

enum status judge_rescore_checks(struct dataset *d, const size_t *experts, size_t count,
                                 bool allow_commands, struct judge_figures *figures,
                                 struct rescore_checks_figures *ret, struct error *err)
{
    struct stage s = {.d = d,
                      .arena = arena_create(STAGE_BYTES_MAX),
                      .scratch = arena_create(SCRATCH_BYTES),
                      .ids = map_create(16),
                      .allow_commands = allow_commands};
    enum status status = OK;
    if (s.arena)
        s.checks = ARENA_ARRAY(s.arena, d->query_count + 1, const struct judge_check *);
    if (!s.checks || !s.scratch || !s.ids)
        status = error_set(err, ERR_MEMORY, "out of memory for checks");
    if (status == OK)
        status = read_checks(&s, err);
    if (status == OK && map_count(s.ids) > 0)
        status = rescore(&s, experts, count > 0 ? count : d->expert_count, figures, err);
    if (status == OK)
        *ret = s.figures;
    map_free(s.ids);
    arena_free(s.scratch);
    arena_free(s.arena);
    return status;
}
