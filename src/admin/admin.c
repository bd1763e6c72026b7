/* The table of paths, and the life of what is behind them. */
#include <stdlib.h>

#include "admin/admin_int.h"
#include "net/errands.h"
#include "serve/errors.h"

#define ERROR_BYTES_MAX (16u << 10)

static const struct path paths[] = {
    {"/", false, "GET", ADMISSION_PAGE, FRONT_CHAT, admin_page},
    {"/ui/", true, "GET", ADMISSION_PAGE, FRONT_CHAT, admin_page},
    {"/v1/admin/now", false, "GET", ADMISSION_ADMIN, FRONT_CHAT, admin_now},
    {"/v1/admin/history", false, "GET", ADMISSION_ADMIN, FRONT_CHAT, admin_history},
    {"/v1/admin/events", false, "GET", ADMISSION_ADMIN, FRONT_CHAT, admin_events},
    {"/v1/admin/requests", false, "GET", ADMISSION_ADMIN, FRONT_CHAT, admin_requests},
    {"/v1/admin/requests/", true, "GET", ADMISSION_ADMIN, FRONT_CHAT, admin_request},
    {"/v1/admin/model", false, "GET", ADMISSION_ADMIN, FRONT_CHAT, admin_model},
    {"/v1/admin/model/publish", false, "POST", ADMISSION_ADMIN, FRONT_CHAT, admin_publish},
    {"/v1/admin/model/rollback", false, "POST", ADMISSION_ADMIN, FRONT_CHAT, admin_rollback},
    {"/v1/admin/runs", false, "GET", ADMISSION_ADMIN, FRONT_CHAT, admin_runs},
    {"/v1/admin/runs/", true, "GET", ADMISSION_ADMIN, FRONT_CHAT, admin_run},
    {"/v1/admin/session", false, "GET", ADMISSION_ADMIN, FRONT_CHAT, admin_session_get},
    {"/v1/admin/session", false, "POST", ADMISSION_PAGE, FRONT_CHAT, admin_session_post},
    {"/v1/admin/session", false, "DELETE", ADMISSION_ADMIN, FRONT_CHAT, admin_session_delete},
    {"/v1/admin/keys", false, "GET", ADMISSION_ADMIN, FRONT_CHAT, admin_keys_list},
    {"/v1/admin/keys", false, "POST", ADMISSION_ADMIN, FRONT_CHAT, admin_keys_create},
    {"/v1/admin/keys/", true, "PATCH", ADMISSION_ADMIN, FRONT_CHAT, admin_keys_change},
    {"/v1/admin/keys/", true, "DELETE", ADMISSION_ADMIN, FRONT_CHAT, admin_keys_revoke},
};

static const struct path_table table = {paths, sizeof(paths) / sizeof(paths[0])};

const struct path_table *admin_paths(void)
{
    return &table;
}

void admin_respond(struct http_exchange *x, int http_status, struct str body)
{
    const struct http_header headers[] = {
        {STR("content-type"), STR("application/json")},
        {STR("cache-control"), STR("no-store")},
        {STR("x-content-type-options"), STR("nosniff")},
    };
    http_respond(x, http_status, headers, sizeof(headers) / sizeof(headers[0]), body);
}

void admin_respond_page(struct http_exchange *x, struct str body)
{
    const struct http_header headers[] = {
        {STR("content-type"), STR("text/html; charset=utf-8")},
        {STR("cache-control"), STR("no-store")},
        {STR("content-security-policy"),
         STR("sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
             "base-uri 'none'; form-action 'none'; frame-ancestors 'self'")},
        {STR("x-content-type-options"), STR("nosniff")},
        {STR("referrer-policy"), STR("no-referrer")},
        {STR("cross-origin-opener-policy"), STR("same-origin")},
        {STR("cross-origin-resource-policy"), STR("same-origin")},
    };
    http_respond(x, 200, headers, sizeof(headers) / sizeof(headers[0]), body);
}

void admin_answer(struct http_exchange *x, int http_status, struct buf *body)
{
    if (body->status == OK)
        admin_respond(x, http_status, buf_str(body));
    else
        answer_error(x, NULL, ERR_MEMORY, "out of memory", NULL, NULL);
    buf_done(body);
}

void admin_answer_error(struct http_exchange *x, int http_status, const char *code,
                        const char *message)
{
    const struct front_error e = {.http_status = http_status,
                                  .message = str_from(message),
                                  .type = errors_http_row(http_status).type,
                                  .code = code};
    struct buf body;
    buf_init(&body, ERROR_BYTES_MAX);
    front_error_write(FRONT_CHAT, &e, &body);
    admin_respond(x, http_status, buf_str(&body));
    buf_done(&body);
}

static void stop(void *admin)
{
    struct admin *a = admin;
    figures_stop(a->figures);
    errands_stop(a->errands);
}

static void free_admin(void *admin)
{
    struct admin *a = admin;
    figures_free(a->figures);
    errands_free(a->errands);
    free(a);
}

enum status admin_serve(struct gateway *g, const struct admin_build *build, struct error *err)
{
    struct admin *a = calloc(1, sizeof(*a));
    if (!a)
        return error_set(err, ERR_MEMORY, "out of memory for the admin API");
    a->gateway = g;
    a->build = *build;
    enum status status = errands_start(&a->errands, err);
    if (status == OK)
        status = figures_create(g, &a->build, &a->figures, err);
    if (status != OK) {
        stop(a);
        free_admin(a);
        return status;
    }
    gateway_put_above(g, &(struct gateway_above){table, a, stop, free_admin});
    return OK;
}
