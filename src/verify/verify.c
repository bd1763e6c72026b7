/* Life of a verifier and of its tasks, whatever the kind: see verify.h. What differs is in verify_command.c,
 * verify_http.c and verify_schema.c.
 *
 * begin, cancel and the timer run on the thread that began, and so does whatever tells an end; a worker's thread has
 * no more of a task than verify_command.c lets it. */
#include "verify/verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "verify/verify_int.h"

struct verify_settings verify_settings_usual(enum verify_kind kind)
{
    const bool exact = kind == VERIFY_SCHEMA;
    return (struct verify_settings){
        .kind = kind,
        .timeout_ms = VERIFY_TIMEOUT_MS_USUAL,
        .cpu_s = VERIFY_CPU_S_USUAL,
        .memory_bytes = VERIFY_MEMORY_USUAL,
        .workers = VERIFY_WORKERS_USUAL,
        .queue = VERIFY_QUEUE_USUAL,
        .false_pass = exact ? 0 : VERIFY_ERRORS_USUAL,
        .false_alarm = exact ? 0 : VERIFY_ERRORS_USUAL,
    };
}

const char *verify_kind_name(enum verify_kind kind)
{
    static const char *const names[] = {[VERIFY_NONE] = "none",
                                        [VERIFY_COMMAND] = "command",
                                        [VERIFY_HTTP] = "http",
                                        [VERIFY_SCHEMA] = "schema",
                                        [VERIFY_EXPERT] = "expert"};
    return names[kind];
}

const char *verify_verdict_name(enum verify_verdict verdict)
{
    static const char *const names[] = {
        [VERIFY_PASS] = "pass", [VERIFY_REJECT] = "reject", [VERIFY_DOWN] = "down"};
    return names[verdict];
}

bool verify_applies(const struct verify_settings *s, struct json_value request,
                    const char **ret_why)
{
    return s->kind != VERIFY_SCHEMA || verify_schema_applies(request, ret_why);
}

/* A verifier */

enum status verifier_create(const struct verify_settings *settings, struct verifier **ret,
                            struct error *err)
{
    CHECK(settings->kind != VERIFY_NONE);
    struct verifier *v = calloc(1, sizeof(*v));
    if (!v)
        return error_set(err, ERR_MEMORY, "out of memory for a check");
    v->settings = settings;
    v->last = &v->first;
    pthread_mutex_init(&v->lock, NULL); /* on Linux it cannot fail */
    enum status status = settings->kind == VERIFY_COMMAND ? verify_workers_start(v, err) : OK;
    if (status != OK) {
        verifier_free(v);
        return status;
    }
    *ret = v;
    return OK;
}

void verifier_free(struct verifier *v)
{
    if (!v)
        return;
    CHECK(!v->first);
    verify_workers_free(v);
    CHECK(v->running == 0);
    pthread_mutex_destroy(&v->lock);
    free(v);
}

const struct verify_settings *verifier_settings(const struct verifier *v)
{
    return v->settings;
}

void verifier_read(struct verifier *v, struct verifier_reading *ret)
{
    pthread_mutex_lock(&v->lock);
    *ret = (struct verifier_reading){.running = v->running, .waiting = v->waiting};
    pthread_mutex_unlock(&v->lock);
}

/* A task */

void verify_task_free(struct verify_task *t)
{
    scheduler_timer_free(t->timer);
    buf_done(&t->document);
    buf_done(&t->reply);
    if (t->credential.ptr)
        explicit_bzero(t->credential.ptr, t->credential.len);
    buf_done(&t->credential);
    free(t);
}

void verify_tell(struct verify_task *t)
{
    struct verify_end end = t->end;
    verify_done *done = t->done;
    void *user = t->user;
    end.elapsed_ms = scheduler_now_ms(t->on.scheduler) - t->begun_ms;
    if (end.verdict == VERIFY_DOWN)
        end.cost_nano_usd = 0;
    verify_task_free(t);
    done(user, &end);
}

static void on_time(void *arg)
{
    struct verify_task *t = arg;
    if (t->at_once)
        verify_tell(t);
    else
        verify_command_on_time(t);
}

static struct verify_task *create(struct verifier *v, const struct verify_thread *on,
                                  verify_done *done, void *user)
{
    struct verify_task *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    *t =
        (struct verify_task){.verifier = v, .on = *on, .done = done, .user = user, .at_once = true};
    buf_init(&t->document, VERIFY_DOCUMENT_BYTES);
    buf_init(&t->reply, VERIFY_REPLY_BYTES);
    buf_init(&t->credential, VERIFY_REPLY_BYTES);
    t->begun_ms = scheduler_now_ms(on->scheduler);
    t->end.cost_nano_usd = v->settings->price_nano_usd;
    t->timer = scheduler_timer_create(on->scheduler, on_time, t);
    if (!t->timer) {
        verify_task_free(t);
        return NULL;
    }
    return t;
}

/* A document that has no room is down, and not an error of whoever began. */
static void begin_with_document(struct verify_task *t, const struct verify_input *input)
{
    verify_document(input, &t->document);
    if (buf_status(&t->document, NULL) != OK)
        verify_say(&t->end, VERIFY_DOWN, STR("question and answer are too long for it"));
    else if (t->verifier->settings->kind == VERIFY_COMMAND)
        verify_command_begin(t);
    else
        verify_http_begin(t);
}

enum status verifier_begin(struct verifier *v, const struct verify_thread *on,
                           const struct verify_input *input, verify_done *done, void *user,
                           struct verify_task **ret, struct error *err)
{
    CHECK(v->settings->kind != VERIFY_EXPERT);
    struct verify_task *t = create(v, on, done, user);
    if (!t)
        return error_set(err, ERR_MEMORY, "out of memory for a check");
    if (v->settings->kind == VERIFY_SCHEMA)
        verify_schema(input, &t->end);
    else
        begin_with_document(t, input);
    if (t->at_once)
        scheduler_timer_start(t->timer, 0);
    *ret = t;
    return OK;
}

void verifier_cancel(struct verify_task *t)
{
    if (t->at_once)
        verify_task_free(t);
    else if (t->verifier->settings->kind == VERIFY_HTTP)
        verify_http_cancel(t);
    else
        verify_command_cancel(t);
}
