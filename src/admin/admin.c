/* The table of paths, and the life of what is behind them. */
#include <stdlib.h>

#include "admin/admin_int.h"

static const struct path paths[] = {
    {"/", false, "GET", ADMISSION_PAGE, FRONT_CHAT, admin_page},
    {"/ui/", true, "GET", ADMISSION_PAGE, FRONT_CHAT, admin_page},
    {"/v1/admin/session", false, "GET", ADMISSION_ADMIN, FRONT_CHAT, admin_session_get},
};

static const struct path_table table = {paths, sizeof(paths) / sizeof(paths[0])};

const struct path_table *admin_paths(void)
{
    return &table;
}

void admin_answer(struct http_exchange *x, int http_status, struct buf *body)
{
    if (body->status == OK)
        answer_json(x, http_status, NULL, buf_str(body));
    else
        answer_error(x, NULL, ERR_MEMORY, "out of memory", NULL, NULL);
    buf_done(body);
}

enum status admin_serve(struct gateway *g, const struct admin_build *build, struct error *err)
{
    struct admin *a = calloc(1, sizeof(*a));
    if (!a)
        return error_set(err, ERR_MEMORY, "out of memory for the admin API");
    a->gateway = g;
    a->build = *build;
    gateway_put_above(g, &(struct gateway_above){.paths = table, .user = a, .free = free});
    return OK;
}
