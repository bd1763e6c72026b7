/* The section `traces`. Values of headers come from the environment, because they are keys of a collector. */
#include <stddef.h>
#include <string.h>

#include "config/config_int.h"

#define HEADER_BYTES_MAX 128

static bool is_header_name(struct str name)
{
    static const char more[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && !memchr(more, c, sizeof(more) - 1))
            return false;
    }
    return name.len > 0 && name.len <= HEADER_BYTES_MAX && !str_equal_nocase(name, STR("host")) &&
           !str_starts(name, STR("content-"));
}

static enum status read_headers(struct conf_reader *r, const struct conf_row *row,
                                const struct yaml_tree *value, void *into, struct error *err)
{
    struct config_traces *t = (void *)((char *)into - offsetof(struct config_traces, headers));
    if (value->kind != TREE_MAP)
        return conf_fail(r, value, err, "%s must be a section of `name: env:NAME` lines, not %s",
                         row->key, yaml_tree_kind_name(value));
    if (value->count > CONFIG_TRACE_HEADERS_MAX)
        return conf_fail(r, value, err, "%s: at most %d", row->key, CONFIG_TRACE_HEADERS_MAX);
    for (size_t i = 0; i < value->count; i++) {
        struct config_header *h = &t->headers[t->header_count];
        struct str name = value->keys[i].scalar;
        if (!is_header_name(name))
            return conf_fail(r, &value->keys[i], err, "'%.*s' cannot be the name of a header here",
                             (int)(name.len < 60 ? name.len : 60), name.ptr);
        char *copy = arena_printf(r->arena, "%.*s", STR_FMT(name));
        if (!copy)
            return config_no_memory(err);
        const struct conf_row secret = {copy, conf_read_secret, 0, false, 0, 0};
        enum status status = conf_read_secret(r, &secret, &value->items[i], &h->value, err);
        if (status != OK)
            return status;
        h->name = str_from(copy);
        t->header_count++;
    }
    return OK;
}

enum status config_read_traces(struct conf_reader *r, const struct conf_row *row,
                               const struct yaml_tree *value, void *into, struct error *err)
{
    static const struct conf_row rows[] = {
        {"endpoint", conf_read_str, offsetof(struct config_traces, endpoint), true, 0, 0},
        {"headers", read_headers, offsetof(struct config_traces, headers), false, 0, 0},
        {"sample", conf_read_real, offsetof(struct config_traces, sample), false, 0, 1},
        {"service_name", conf_read_str, offsetof(struct config_traces, service_name), false, 0, 0},
    };
    struct config_traces *t = into;
    *t = (struct config_traces){.sample = 1, .service_name = STR("leeroo")};
    enum status status =
        conf_read_map(r, value, row->key, rows, sizeof(rows) / sizeof(rows[0]), t, NULL, err);
    if (status == OK)
        status = config_check_url(r, value, &t->endpoint, err);
    if (status != OK)
        return status;
    char *copy = arena_printf(r->arena, "%.*s", STR_FMT(t->endpoint));
    if (!copy)
        return config_no_memory(err);
    t->endpoint = str_from(copy);
    return OK;
}

void config_wipe_traces(struct config_traces *t)
{
    for (size_t i = 0; i < t->header_count; i++)
        if (t->headers[i].value.len > 0)
            explicit_bzero((void *)(uintptr_t)t->headers[i].value.ptr, t->headers[i].value.len);
}
