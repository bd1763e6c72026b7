/* Two pools compared by the names of their experts, in words for the log: see pool_news.h. Pools are only read, on the
 * thread that reloads. What is longer than a line of the log can hold is cut; `leeroo check` says all. */
#include "route/pool_news.h"

#include <stdlib.h>

#include "base/log.h"
#include "route/pool_asked.h"

#define LIST_BYTES_MAX   65536
#define QUOTED_BYTES_MAX 1000

static size_t index_in(const struct pool *p, struct str name)
{
    const struct pool_settings *s = pool_settings(p);
    return expert_index(s->experts, s->expert_count, name);
}

static bool is_placed(const struct pool *p, size_t expert)
{
    const struct pool_settings *s = pool_settings(p);
    return s->placed && s->placed[expert];
}

static void add_item(struct buf *list, const char *between, struct str item)
{
    buf_add_c(list, list->len ? between : "");
    buf_add(list, item);
}

/* An event with up to three lists as its fields; empty ones are left out. Empties the lists. */
static void tell(enum log_level level, const char *msg, const char *const *keys, struct buf *lists,
                 size_t count, const char *mend)
{
    struct buf fields;
    char quoted[QUOTED_BYTES_MAX];
    buf_init(&fields, 4 * QUOTED_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (lists[i].len) {
            log_quote(quoted, sizeof(quoted), buf_str(&lists[i]));
            buf_addf(&fields, "%s%s=%s", fields.len ? " " : "", keys[i], quoted);
        }
        buf_done(&lists[i]);
    }
    if (fields.len && mend)
        buf_addf(&fields, " mend=\"%s\"", mend);
    if (fields.len)
        log_fields(level, msg, buf_str(&fields));
    buf_done(&fields);
}

/* With what a newcomer was placed by. */
static void add_newcomer(const struct pool *now, size_t expert, struct buf *list)
{
    const struct pool_settings *s = pool_settings(now);
    add_item(list, "; ", s->experts[expert].name);
    if (is_placed(now, expert))
        buf_addf(list, " (%s)", s->placed[expert]);
}

static void compare_experts(const struct pool *before, const struct pool *now)
{
    static const char *const keys[] = {"added", "removed", "repriced"};
    const struct pool_settings *old = pool_settings(before), *new = pool_settings(now);
    struct buf lists[3];
    for (size_t i = 0; i < 3; i++)
        buf_init(&lists[i], LIST_BYTES_MAX);
    for (size_t i = 0; i < new->expert_count; i++) {
        size_t was = index_in(before, new->experts[i].name);
        if (was == SIZE_MAX)
            add_newcomer(now, i, &lists[0]);
        else if (!price_equal(&new->experts[i].price, &old->experts[was].price))
            add_item(&lists[2], "; ", new->experts[i].name);
    }
    for (size_t i = 0; i < old->expert_count; i++)
        if (index_in(now, old->experts[i].name) == SIZE_MAX)
            add_item(&lists[1], "; ", old->experts[i].name);
    tell(LOG_INFO, "the pool has changed", keys, lists, 3, NULL);
}

static bool has_plan(const struct pool *p, struct str label)
{
    size_t first = pool_settings(p)->expert_count;
    for (size_t i = first; i < pool_arm_count(p); i++)
        if (str_equal(pool_arm_label(p, i), label))
            return true;
    return false;
}

/* Whether one of a plan's members has left the pool, or its model: then it is only placed. */
static bool lost_member(const struct pool *before, const struct pool *now, const struct plan *plan)
{
    for (size_t k = 0; k < plan->member_count; k++) {
        size_t was = plan->members[k];
        size_t at = index_in(now, pool_settings(before)->experts[was].name);
        if (at == SIZE_MAX || (is_placed(now, at) && !is_placed(before, was)))
            return true;
    }
    return false;
}

static void compare_plans(const struct pool *before, const struct pool *now)
{
    static const char *const keys[] = {"plans"};
    struct buf gone;
    buf_init(&gone, LIST_BYTES_MAX);
    for (size_t i = pool_settings(before)->expert_count; i < pool_arm_count(before); i++) {
        struct str label = pool_arm_label(before, i);
        if (!has_plan(now, label) && lost_member(before, now, pool_arm_at(before, i)))
            add_item(&gone, "; ", label);
    }
    tell(LOG_WARN, "plans fall away with a member", keys, &gone, 1, NULL);
}

void pool_news_change(const struct pool *before, const struct pool *now)
{
    compare_experts(before, now);
    compare_plans(before, now);
}

void pool_news_never_asked(const struct pool *p)
{
    static const char *const keys[] = {"experts"};
    size_t count = pool_settings(p)->expert_count;
    struct pool_asked *asked = calloc(count, sizeof(*asked));
    uint64_t decisions = 0;
    struct buf list;
    buf_init(&list, LIST_BYTES_MAX);
    if (asked && pool_asked(p, asked, &decisions, NULL) == OK && decisions)
        for (size_t i = 0; i < count; i++)
            if (pool_never_asks(&asked[i])) {
                add_item(&list, "; ", pool_settings(p)->experts[i].name);
                buf_add_c(&list, " (");
                pool_asked_explain(p, &asked[i], i, &list);
                buf_add_char(&list, ')');
            }
    tell(LOG_WARN, "never worth asking by any policy", keys, &list, 1, "`leeroo check` explains");
    free(asked);
}
