/* The section `keep` of leeroo.yaml: which share of the prompts is kept for learning, for how long, and where. */
#include <stddef.h>

#include "config/config_int.h"

#define KEEP_DAYS_MAX 3650

struct raw_keep {
    double share;
    uint32_t days;
    const struct yaml_tree *file;
};

/* Without a share nothing is opened; a file that is named is found by `forget` and `play` all the same. */
enum status config_read_keep(struct conf_reader *r, const struct yaml_tree *node, struct error *err)
{
    static const struct conf_row rows[] = {
        {"share", conf_read_real, offsetof(struct raw_keep, share), false, 0, 1},
        {"days", conf_read_u32, offsetof(struct raw_keep, days), false, 1, KEEP_DAYS_MAX},
        {"file", config_read_node, offsetof(struct raw_keep, file), false, 0, 0},
    };
    struct config *c = r->context;
    struct raw_keep raw = {.days = KEEP_DAYS};
    struct str file = {0};
    enum status status = OK;
    if (node)
        status =
            conf_read_map(r, node, "keep", rows, sizeof(rows) / sizeof(rows[0]), &raw, NULL, err);
    if (status == OK && raw.file)
        status = config_read_text(r, "file", raw.file, &file, err);
    if (status == OK && raw.file)
        status = config_join_path(r, file, &c->keep.given, err);
    else if (status == OK && c->state_dir) {
        c->keep.file = arena_printf(c->arena, "%s/kept.sqlite", c->state_dir);
        status = c->keep.file ? OK : config_no_memory(err);
    }
    if (status != OK)
        return status;
    if (c->keep.given)
        c->keep.file = c->keep.given;
    if (raw.share > 0 && !c->keep.file)
        return conf_fail(r, node, err,
                         "keep needs a place for the prompts: a state_dir, or keep.file");
    c->keep.share = raw.share;
    c->keep.on = raw.share > 0;
    c->keep.days = raw.days;
    return OK;
}
