/* `leeroo collect --experts`: see play_pool.h. */
#include "setup/play_pool.h"

#include "base/nearest.h"
#include "config/config_read.h"

static enum status no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, "out of memory");
}

static enum status unknown(const struct config *config, struct str name, struct arena *a,
                           struct error *err)
{
    const char *names[CONFIG_EXPERTS_MAX];
    for (size_t e = 0; e < config->expert_count; e++) {
        names[e] = arena_copy(a, config->experts[e].name).ptr;
        if (!names[e])
            return no_memory(err);
    }
    const char *nearest = str_nearest(name, names, config->expert_count);
    return error_set(err, ERR_USAGE, "--experts: %s has no expert '%.*s'%s%s%s", config->place,
                     STR_FMT(name), nearest ? "; did you mean '" : "", nearest ? nearest : "",
                     nearest ? "'?" : "");
}

static enum status mark_named(const struct config *config, const char *names, struct arena *a,
                              bool *asked, struct error *err)
{
    struct str rest = str_from(names);
    do {
        struct str name = str_trim(str_split(&rest, ','));
        size_t e = expert_index(config->experts, config->expert_count, name);
        if (e == SIZE_MAX)
            return unknown(config, name, a, err);
        if (asked[e])
            return error_set(err, ERR_USAGE, "--experts: '%.*s' is named twice", STR_FMT(name));
        asked[e] = true;
    } while (rest.len > 0);
    return OK;
}

static bool is_in(const struct play_list *list, struct str name)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(str_from(list->items[i]), name))
            return true;
    return false;
}

/* Whoever is not asked the questions, but something about them. */
static bool helps(const struct play_settings *s, struct str name)
{
    return (s->teacher && str_equal(str_from(s->teacher), name)) || is_in(&s->judges, name) ||
           is_in(&s->generators, name);
}

enum status play_pool_choose(const struct config *config, const struct play_settings *s,
                             struct arena *a, struct play_pool *ret, struct error *err)
{
    struct expert *experts = ARENA_ARRAY(a, config->expert_count + 1, struct expert);
    struct str *likes = ARENA_ARRAY(a, config->expert_count + 1, struct str);
    bool *asked = ARENA_ARRAY(a, config->expert_count + 1, bool);
    size_t count = 0;
    if (!experts || !likes || !asked)
        return no_memory(err);
    enum status status = s->experts ? mark_named(config, s->experts, a, asked, err) : OK;
    for (size_t e = 0; e < config->expert_count && status == OK; e++) {
        if (s->experts && !asked[e] && !helps(s, config->experts[e].name))
            continue;
        experts[count] = config->experts[e];
        likes[count] = config->origins[e].like;
        asked[count++] = asked[e]; /* never behind what is read */
    }
    if (status == OK)
        *ret = (struct play_pool){experts, likes, s->experts ? asked : NULL, count};
    return status;
}
