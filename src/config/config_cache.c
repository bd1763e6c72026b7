/* The sections `cache` and `sessions` of leeroo.yaml: answers kept for requests that come again, turns held where they
 * began. */
#include <stddef.h>

#include "config/config_int.h"

#define DAY_MS 86400000.0

enum status config_read_cache(struct conf_reader *r, const struct conf_row *row,
                              const struct yaml_tree *value, void *into, struct error *err)
{
    static const struct conf_row rows[] = {
        {"size", conf_read_bytes, offsetof(struct config_cache, bytes), true, 65536,
         64.0 * (1u << 30)},
        {"ttl", conf_read_ms, offsetof(struct config_cache, ttl_ms), false, 1, 7 * DAY_MS},
        {"entry", conf_read_bytes, offsetof(struct config_cache, entry_bytes), false, 1024,
         1u << 30},
    };
    return conf_read_map(r, value, row->key, rows, sizeof(rows) / sizeof(rows[0]), into, NULL, err);
}

enum status config_read_sessions(struct conf_reader *r, const struct conf_row *row,
                                 const struct yaml_tree *value, void *into, struct error *err)
{
    static const struct conf_row rows[] = {
        {"ttl", conf_read_ms, offsetof(struct config_sessions, ttl_ms), false, 0, 7 * DAY_MS},
    };
    return conf_read_map(r, value, row->key, rows, sizeof(rows) / sizeof(rows[0]), into, NULL, err);
}
