/* A loaded model, edited and put where the user wants it: see model_change.h. */
#include "setup/model_change.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/nearest.h"
#include "config/config_read.h"
#include "predict/model_parts.h"

#define SCRATCH_BYTES_MAX (1u << 20)

/* The day on which one of that name was taken out; empty: never, or it was not noted. */
static bool was_taken_out(const struct model *m, struct str name, struct str *ret_day)
{
    const struct model_parts *p = model_parts(m);
    for (size_t e = 0; e < p->predictor.experts; e++) {
        if (!p->experts[e].hidden || !str_equal(p->experts[e].name, name))
            continue;
        *ret_day = p->experts[e].until;
        return true;
    }
    return false;
}

/* The name that was meant, in `a`; NULL: none is near. */
static const char *nearest_of(const struct model *m, struct str name, struct arena *a)
{
    const char *names[MODEL_EXPERTS_MAX];
    size_t count = 0;
    for (size_t i = 0; a && i < model_expert_count(m); i++)
        if ((names[count] = arena_copy(a, model_expert_at(m, i)->name).ptr))
            count++;
    return str_nearest(name, names, count);
}

static enum status unknown(const struct model *m, struct str name, struct arena *a,
                           struct error *err)
{
    struct str day = STR("");
    const char *nearest = nearest_of(m, name, a);
    if (was_taken_out(m, name, &day))
        return error_set(err, ERR_INPUT, "'%.*s' was taken out of this model already%s%.*s",
                         STR_FMT(name), day.len ? ", on " : "", STR_FMT(day));
    if (nearest)
        return error_set(err, ERR_INPUT, "the model has no expert '%.*s'; did you mean '%s'?",
                         STR_FMT(name), nearest);
    return model_expert_unknown(m, name, err);
}

enum status model_change_find(const struct model *m, struct str name, size_t *ret,
                              struct error *err)
{
    size_t at = model_expert_index(m, name);
    if (at != SIZE_MAX) {
        *ret = at;
        return OK;
    }
    struct arena *a = arena_create(SCRATCH_BYTES_MAX);
    enum status status = unknown(m, name, a, err);
    arena_free(a);
    return status;
}

enum status model_change_check(const char *path, const char *output, struct error *err)
{
    if (!output || !file_is_same(path, output))
        return OK;
    return error_set(err, ERR_USAGE,
                     "-o %s is the model itself; without -o it is replaced, and kept as "
                     "%s.previous",
                     output, path);
}

struct str model_day(time_t at, char into[MODEL_DAY_BYTES])
{
    struct tm utc;
    gmtime_r(&at, &utc);
    return (struct str){into, strftime(into, MODEL_DAY_BYTES, "%Y-%m-%d", &utc)};
}

enum status model_change_write(const struct model *m, const struct model_edit *edit,
                               const char *path, const char *output, struct error *err)
{
    char today[MODEL_DAY_BYTES], trained[MODEL_DAY_BYTES];
    struct model_edit dated = *edit;
    struct stat s;
    enum publish_change change;
    if (stat(path, &s) != 0)
        return error_set_errno(err, ERR_IO, errno, "%s", path);
    dated.today = model_day((time_t)(clock_wall_ms() / 1000), today);
    dated.trained_by = model_day(s.st_mtim.tv_sec, trained);
    return output ? model_rewrite(m, &dated, output, err)
                  : publish_edited(m, &dated, path, &change, err);
}
