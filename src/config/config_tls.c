/* The section `tls` of leeroo.yaml: the listener's certificate and key. */
#include <stddef.h>

#include "config/config_int.h"

static enum status read_path(struct conf_reader *r, const struct conf_row *row,
                             const struct yaml_tree *value, void *into, struct error *err)
{
    struct str path = {0};
    enum status status = conf_read_str(r, row, value, &path, err);
    return status == OK ? config_join_path(r, path, into, err) : status;
}

enum status config_read_tls(struct conf_reader *r, const struct conf_row *row,
                            const struct yaml_tree *value, void *into, struct error *err)
{
    static const struct conf_row rows[] = {
        {"certificate", read_path, offsetof(struct config_tls, certificate), true, 0, 0},
        {"key", read_path, offsetof(struct config_tls, key), true, 0, 0},
    };
    return conf_read_map(r, value, row->key, rows, sizeof(rows) / sizeof(rows[0]), into, NULL, err);
}
