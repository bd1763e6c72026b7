/* POST /v1/admin/model/publish {"run": NAME}: what a run has learnt is in force; POST /v1/admin/model/rollback: what
 * was before is.
 *
 * By the functions of `leeroo play` and `leeroo rollback` (play/publish_file.h), at the desk, which does one after the
 * other. The gateway looks at its files right behind it (serve/reload.h), and what it cannot use it refuses as it would
 * any other. */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "admin/admin_int.h"
#include "admin/admin_runs.h"
#include "base/json.h"
#include "base/log.h"
#include "play/publish_file.h"
#include "predict/model.h"

/* "" where there is no model: the prior is in force. */
static enum status checksum_at(const char *path, char into[24], struct error *err)
{
    struct model *m = NULL;
    into[0] = '\0';
    if (access(path, F_OK) != 0)
        return OK;
    enum status status = model_load(path, &m, err);
    if (status != OK)
        return status;
    snprintf(into, 24, "%016llx", (unsigned long long)model_checksum(m));
    model_free(m);
    return OK;
}

static enum status tell(struct desk_job *job, const char *what, const char *was, struct error *err)
{
    const char *path = job->snapshot->config->model_path;
    char now[24];
    enum status status = checksum_at(path, now, err);
    if (status != OK)
        return status;
    log_event(LOG_INFO, what, "checksum=%s was=%s by=%s", now[0] ? now : "prior",
              was[0] ? was : "prior", job->by[0] ? job->by : "-");
    buf_add_c(&job->out, "{\"checksum\":");
    if (now[0])
        buf_addf(&job->out, "\"%s\"", now);
    else
        buf_add_c(&job->out, "null");
    figures_write_text(&job->out, "was", str_from(was));
    buf_add_char(&job->out, '}');
    job->reload = true;
    return OK;
}

/* {"run": NAME} and nothing else. */
static enum status read_run_name(struct str body, struct arena *a, struct str *ret,
                                 struct error *err)
{
    struct json_value root, key, value;
    struct str name = STR("");
    enum status status = json_parse(body, "request body", 1, &root, err);
    if (status != OK)
        return status;
    for (struct json_iter it = json_iter_begin(root); json_object_next(&it, &key, &value);) {
        if (!json_string_equal(key, STR("run")))
            return error_set(err, ERR_INPUT, "send {\"run\": NAME} and nothing else");
        status = json_string_decode(value, a, &name);
        if (status == ERR_MEMORY)
            return error_set(err, status, "out of memory");
    }
    if (status != OK || name.len == 0)
        return error_set(err, ERR_INPUT,
                         "send {\"run\": NAME}; /v1/admin/runs says which runs there are");
    *ret = name;
    return OK;
}

/* One that knows none of the experts is for another gateway. */
static enum status check_model(const struct config *c, const char *path, struct desk_job *job,
                               struct error *err)
{
    struct model *m = NULL;
    bool any = false;
    enum status status = model_load(path, &m, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < c->expert_count; i++)
        any |= model_expert_index(m, c->experts[i].name) != SIZE_MAX;
    model_free(m);
    if (any)
        return OK;
    job->conflict = "unknown_experts";
    return error_set(err, ERR_INPUT,
                     "the run's model knows none of this gateway's experts; it is of another");
}

static enum status publish(struct figures *f, struct desk_job *job, struct arena *a,
                           struct error *err)
{
    const struct config *c = job->snapshot->config;
    char run[PATH_MAX], path[PATH_MAX], was[24];
    enum publish_change change;
    struct str name;
    (void)f;
    enum status status = read_run_name(job->asked, a, &name, err);
    if (status == OK)
        status = run_find(c, name, run, err);
    if (status == OK && run_model(run, path, err) != OK) {
        job->conflict = "no_model";
        return err->status;
    }
    if (status == OK)
        status = check_model(c, path, job, err);
    if (status == OK)
        status = checksum_at(c->model_path, was, err);
    if (status == OK)
        status = publish_copy(path, c->model_path, &change, err);
    return status == OK ? tell(job, "model published", was, err) : status;
}

/* A file that `model` names must be there, or the gateway does not start again. */
static enum status check_way_back(const struct config *c, struct desk_job *job, struct error *err)
{
    char previous[PATH_MAX];
    if (snprintf(previous, sizeof(previous), "%s.previous", c->model_path) < PATH_MAX &&
        access(previous, F_OK) == 0)
        return OK;
    if (!c->model_given && access(c->model_path, F_OK) == 0)
        return OK; /* back to the prior */
    job->conflict = "no_previous";
    return error_set(err, ERR_NOT_FOUND,
                     "no model was in force before this one, so there is nothing to go back to");
}

static enum status roll_back(struct figures *f, struct desk_job *job, struct arena *a,
                             struct error *err)
{
    const struct config *c = job->snapshot->config;
    enum rollback_change change;
    char was[24];
    (void)f, (void)a;
    enum status status = check_way_back(c, job, err);
    if (status == OK)
        status = checksum_at(c->model_path, was, err);
    if (status == OK)
        status = publish_rollback(c->model_path, &change, err);
    return status == OK ? tell(job, "model rolled back", was, err) : status;
}

void admin_publish(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    figures_ask(w, x, caller, publish, x->body);
}

void admin_rollback(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    figures_ask(w, x, caller, roll_back, STR(""));
}
