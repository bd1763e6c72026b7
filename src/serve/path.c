/* The gateway's own paths, and how one is found among them and those from above. Tables are constant, so any thread may
 * look. Where two rows have a path, one whole and one as a prefix, the one whose table has it first is taken: no table
 * has such rows. */
#include "serve/path.h"

#include "serve/gateway_int.h"

static void health_handle(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    (void)w, (void)caller;
    answer_json(x, 200, NULL, STR("{\"status\":\"ok\"}"));
}

static void ready_handle(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    (void)caller;
    if (atomic_load(&w->gateway->draining))
        answer_error(x, NULL, ERR_OVERLOAD, "the gateway is shutting down", NULL, "draining");
    else
        answer_json(x, 200, NULL, STR("{\"status\":\"ready\"}"));
}

static const struct path paths[] = {
    {"/v1/chat/completions", false, "POST", ADMISSION_USUAL, FRONT_CHAT, chat_handle},
    {"/v1/completions", false, "POST", ADMISSION_USUAL, FRONT_CHAT, completions_handle},
    {"/v1/responses", false, "POST", ADMISSION_USUAL, FRONT_CHAT, responses_handle},
    {"/v1/messages", false, "POST", ADMISSION_USUAL, FRONT_MESSAGES, messages_handle},
    {"/v1/messages/count_tokens", false, "POST", ADMISSION_USUAL, FRONT_MESSAGES,
     count_tokens_handle},
    {"/v1/embeddings", false, "POST", ADMISSION_USUAL, FRONT_CHAT, embeddings_handle},
    {"/v1/route", false, "POST", ADMISSION_USUAL, FRONT_CHAT, route_handle},
    {"/v1/feedback", false, "POST", ADMISSION_KEY, FRONT_CHAT, feedback_handle},
    {"/v1/requests/", true, "GET", ADMISSION_USUAL, FRONT_CHAT, requests_handle},
    {"/v1/models", false, "GET", ADMISSION_USUAL, FRONT_CHAT, models_handle},
    {"/v1/models/", true, "GET", ADMISSION_USUAL, FRONT_CHAT, models_handle},
    {"/v1/experts", false, "GET", ADMISSION_USUAL, FRONT_CHAT, experts_handle},
    {"/metrics", false, "GET", ADMISSION_METRICS, FRONT_CHAT, metrics_handle},
    {"/healthz", false, "GET", ADMISSION_OPEN, FRONT_CHAT, health_handle},
    {"/readyz", false, "GET", ADMISSION_OPEN, FRONT_CHAT, ready_handle},
};

#define PATH_COUNT (sizeof(paths) / sizeof(paths[0]))

static const struct path_table own = {paths, PATH_COUNT};

static const struct path *find_in(const struct path_table *t, struct str path, struct str method)
{
    const struct path *other = NULL;
    for (size_t i = 0; i < t->count; i++) {
        struct str known = str_from(t->rows[i].path);
        if (!(t->rows[i].prefix ? str_starts(path, known) : str_equal(path, known)))
            continue;
        if (path_takes(&t->rows[i], method))
            return &t->rows[i];
        other = other ? other : &t->rows[i];
    }
    return other;
}

const struct path *path_find(const struct path_table *more, struct str path, struct str method)
{
    const struct path *found = find_in(&own, path, method);
    return found ? found : find_in(more, path, method);
}

bool path_takes(const struct path *path, struct str method)
{
    if (str_equal(method, STR("HEAD")))
        return str_equal(str_from(path->method), STR("GET"));
    return str_equal(method, str_from(path->method));
}

bool path_takes_body(const struct path *path)
{
    return path_takes(path, STR("POST")) || path_takes(path, STR("PATCH"));
}

void path_methods(const struct path_table *more, const struct path *path, struct buf *out)
{
    const struct path_table *tables[] = {&own, more};
    for (size_t t = 0; t < 2; t++)
        for (size_t i = 0; i < tables[t]->count; i++) {
            const struct path *row = &tables[t]->rows[i];
            if (row->prefix == path->prefix && str_equal(str_from(row->path), str_from(path->path)))
                buf_addf(out, "%s%s%s", out->len ? ", " : "", row->method,
                         path_takes(row, STR("HEAD")) ? ", HEAD" : "");
        }
}

enum front path_words(struct str path)
{
    for (size_t i = 0; i < PATH_COUNT; i++)
        if (paths[i].words != FRONT_CHAT && str_starts(path, str_from(paths[i].path)))
            return paths[i].words;
    return FRONT_CHAT;
}
