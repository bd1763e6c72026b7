/* What an expert's entry says of failing and of limits: `breaker`, `queue`. */
#include <stddef.h>

#include "config/config_int.h"
#include "expert/expert.h"
#include "gate/gate.h"

#define ROWS(table) (table), sizeof(table) / sizeof((table)[0])
#define DAY_MS      86400000.0

static bool is_off(const struct yaml_tree *value)
{
    return value->kind == TREE_SCALAR && !value->quoted &&
           (str_equal_nocase(value->scalar, STR("off")) ||
            str_equal_nocase(value->scalar, STR("false")) ||
            str_equal_nocase(value->scalar, STR("no")));
}

/* `off`, or a section. The rows stand inside, because nothing else reads them; pause_max follows pause when only that
 * is raised. */
enum status config_read_breaker(struct conf_reader *r, const struct conf_row *row,
                                const struct yaml_tree *value, void *into, struct error *err)
{
    static const struct conf_row rows[] = {
        {"failures", conf_read_u32, offsetof(struct health_options, failures), false, 1, 1e6},
        {"share", conf_read_real, offsetof(struct health_options, share), false, 0.01, 1},
        {"minimum", conf_read_u32, offsetof(struct health_options, minimum), false, 0, 1e6},
        {"window", conf_read_ms, offsetof(struct health_options, window_ms), false, 100, DAY_MS},
        {"pause", conf_read_ms, offsetof(struct health_options, pause_ms), false, 1, DAY_MS},
        {"pause_max", conf_read_ms, offsetof(struct health_options, pause_max_ms), false, 1,
         DAY_MS},
    };
    struct health_options o = HEALTH_OPTIONS_DEFAULT;
    if (is_off(value)) {
        o.failures = 0;
        *(struct health_options *)into = o;
        return OK;
    }
    if (value->kind == TREE_SCALAR)
        return conf_fail(r, value, err, "breaker must be off, or a section such as {failures: 5}");
    enum status status = conf_read_map(r, value, row->key, ROWS(rows), &o, NULL, err);
    if (status != OK)
        return status;
    if (o.pause_max_ms < o.pause_ms)
        o.pause_max_ms = o.pause_ms;
    *(struct health_options *)into = o;
    return OK;
}

enum status config_read_queue(struct conf_reader *r, const struct conf_row *row,
                              const struct yaml_tree *value, void *into, struct error *err)
{
    static const struct conf_row rows[] = {
        {"length", conf_read_u32, offsetof(struct expert_limits, queue_length), false, 0,
         GATE_QUEUE_MAX},
        {"timeout", conf_read_ms, offsetof(struct expert_limits, queue_timeout_ms), false, 1,
         DAY_MS},
    };
    return conf_read_map(r, value, row->key, ROWS(rows), into, NULL, err);
}
