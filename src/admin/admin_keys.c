/* /v1/admin/keys: what keys there are, and making, changing and ending them, as `leeroo keys` does.
 *
 * The file of keys is locked, read and written by an errand (net/errands.h), never on a loop; the gateway looks at it
 * before the answer goes, so that a key works, or does not any more, when its maker hears of it. Handlers belong to the
 * worker's loop, work() to the errands' thread. A secret is in the one answer that tells of it, and nowhere else. */
#include <stdio.h>
#include <string.h>

#include "admin/admin_int.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/money.h"
#include "keys/client_keys.h"
#include "keys/key_desk.h"
#include "keys/keys_limits.h"
#include "net/errands.h"

#define KEYS_PATH        STR("/v1/admin/keys/")
#define BODY_BYTES_MAX   (48u << 10)
#define ARENA_BYTES_MAX  (128u << 20)
#define ANSWER_BYTES_MAX (32u << 20)
#define LATE_MS          15000
#define CONFLICT_BYTES   32

enum action { KEYS_LIST, KEYS_CREATE, KEYS_CHANGE, KEYS_REVOKE };

struct job {
    enum action action;
    struct admin *admin;
    enum config_auth auth;
    char id[KEY_ID_BYTES]; /* of the key that is meant */
    char by[KEY_ID_BYTES]; /* of whoever asks; empty where nobody is asked for a key */
    const char *conflict;  /* set by work(): the code of a 409; static */
    struct str answer;     /* set by work(), in the errand's arena */
    size_t body_bytes;
    char body[];
};

/* What is told of a key */

static void write_usd(struct buf *out, const char *name, const char *more, int64_t nano_usd)
{
    buf_addf(out, ",\"%s%s_usd\":", name, more);
    if (nano_usd == KEY_UNLIMITED)
        buf_add_c(out, "null");
    else
        money_format_usd(out, nano_usd);
}

static void write_count(struct buf *out, const char *name, int64_t count, int64_t none)
{
    buf_addf(out, ",\"%s\":", name);
    if (count == none)
        buf_add_c(out, "null");
    else
        buf_add_int(out, count);
}

static void write_names(struct buf *out, const char *name, const struct key_names *names)
{
    buf_addf(out, ",\"%s\":%s", name, names->list ? "[" : "null");
    for (size_t i = 0; names->list && i < names->count; i++) {
        buf_add_c(out, i ? "," : "");
        json_write_string(out, names->list[i]);
    }
    buf_add_c(out, names->list ? "]" : "");
}

/* The members, without braces. One piece: they are one list, in the order of docs/admin.md. */
static void write_key(struct buf *out, const struct key_row *row, const struct key_spent *spent)
{
    static const char *const spent_names[] = {"today", "month", "total"};
    const struct key_limits *l = &row->limits;
    bool lost = key_spent_is_lost(spent, NULL);
    buf_add_c(out, "\"id\":");
    json_write_string(out, row->id);
    buf_add_c(out, ",\"name\":");
    json_write_string(out, row->name);
    buf_addf(out, ",\"role\":\"%s\"", key_role_name(row->role));
    write_count(out, "created_ms", row->created_ms, 0);
    write_count(out, "expires_ms", row->expires_ms, 0);
    buf_addf(out, ",\"revoked\":%s", row->revoked_ms ? "true" : "false");
    for (enum key_period p = KEY_DAY; p < KEY_PERIODS; p++)
        write_usd(out, "budget_", key_period_name(p), l->budget_nano_usd[p]);
    write_count(out, "requests_per_minute", l->requests_per_minute, KEY_UNLIMITED);
    write_count(out, "tokens_per_minute", l->tokens_per_minute, KEY_UNLIMITED);
    write_names(out, "experts", &l->experts);
    write_names(out, "policies", &l->policies);
    for (enum key_period p = KEY_DAY; p < KEY_PERIODS; p++)
        write_usd(out, "spent_", spent_names[p], lost ? 0 : spent->nano_usd[p]);
    buf_addf(out, ",\"spent_lost\":%s", lost ? "true" : "false");
}

/* On the errands' thread */

struct listing {
    struct buf *out;
    const char *id; /* NULL: all */
    size_t count;
};

static void list_key(void *arg, const struct key_row *row, const struct key_spent *spent)
{
    struct listing *l = arg;
    if (l->id && !str_equal(row->id, str_from(l->id)))
        return;
    buf_add_c(l->out, l->id ? "" : l->count ? ",\n{" : "{");
    write_key(l->out, row, spent);
    buf_add_c(l->out, l->id ? "" : "}");
    l->count++;
}

static const char *auth_name(enum config_auth auth)
{
    static const char *const names[] = {
        [AUTH_AUTO] = "auto", [AUTH_REQUIRED] = "required", [AUTH_OFF] = "off"};
    return names[auth];
}

static void list_all(const struct job *j, struct buf *out)
{
    struct keys *keys = j->admin->gateway->keys;
    struct listing l = {.out = out};
    buf_add_c(out, "{\"keys\":[");
    keys_each(keys, clock_wall_ms(), list_key, &l);
    buf_addf(out, "],\"auth\":\"%s\",\"asked\":%s}", auth_name(j->auth),
             keys_wanted(keys) ? "true" : "false");
}

/* Arguments of error_set, with the code of a 409. */
#define CONFLICT(job, code, err, ...)                                                              \
    ((job)->conflict = (code), error_set((err), ERR_INPUT, __VA_ARGS__))

static enum status open_desk(struct job *j, struct arena *a, struct key_desk *d, struct error *err)
{
    if (!keys_desk(j->admin->gateway->keys, a, clock_wall_ms(), d))
        return j->auth == AUTH_OFF
                   ? CONFLICT(j, "keys_are_off", err,
                              "`auth: off` in the configuration: nobody is asked for a key here")
                   : CONFLICT(j, "no_place_for_keys", err,
                              "the configuration does not say where keys are kept; add `state_dir: "
                              "state` or `keys: FILE` to it and restart");
    return key_desk_open(d, j->action == KEYS_CREATE, err);
}

static enum status find_row(struct job *j, const struct key_desk *d, struct key_row **ret,
                            struct error *err)
{
    for (size_t i = 0; i < d->file.count; i++)
        if (str_equal(d->file.rows[i].id, str_from(j->id))) {
            *ret = &d->file.rows[i];
            return (*ret)->revoked_ms
                       ? CONFLICT(j, "key_is_revoked", err, "%s is revoked already", j->id)
                       : OK;
        }
    return error_set(err, ERR_NOT_FOUND, "there is no key '%s'; GET /v1/admin/keys lists them",
                     j->id);
}

/* What follows locks nobody out who could undo it: not by the first key, nor by the end of the last admin key. */
static enum status refuse_last(struct job *j, struct error *err)
{
    return CONFLICT(j, "last_admin_key", err, "%s is the last admin key; make another one first",
                    j->id);
}

static enum status create(struct job *j, struct key_desk *d, struct buf *out, struct error *err)
{
    char secret[KEY_SECRET_BYTES] = {0};
    struct key_spent spent = {0};
    struct key_row row = key_desk_blank(d, STR(""), KEY_USER);
    const struct str body = {j->body, j->body_bytes};
    enum status status = keys_apply_json(body, true, NULL, d->arena, d->now_ms, &row, err);
    if (status == OK && row.role != KEY_ADMIN && key_desk_count(d, KEY_ADMIN) == 0)
        return CONFLICT(j, "no_admin_key", err,
                        "the first key turns asking for keys on, so it must be one that gets in "
                        "here: \"role\": \"admin\"");
    if (status != OK)
        return status;
    status = key_desk_add(d, &row, secret, err);
    if (status == ERR_INPUT)
        j->conflict = "name_is_taken";
    if (status == OK) {
        buf_addf(out, "{\"key\":\"%s\",", secret);
        write_key(out, &row, &spent);
        buf_add_char(out, '}');
        snprintf(j->id, sizeof(j->id), "%.*s", STR_FMT(row.id));
    }
    explicit_bzero(secret, sizeof(secret));
    return status;
}

static enum status change(struct job *j, struct key_desk *d, struct error *err)
{
    struct key_row *row = NULL;
    const struct str body = {j->body, j->body_bytes};
    size_t admins = key_desk_count(d, KEY_ADMIN);
    enum status status = find_row(j, d, &row, err);
    if (status == OK)
        status = keys_apply_json(body, false, NULL, d->arena, d->now_ms, row, err);
    if (status == OK && admins > 0 && key_desk_count(d, KEY_ADMIN) == 0)
        status = refuse_last(j, err);
    return status == OK ? key_desk_save(d, err) : status;
}

static enum status revoke(struct job *j, struct key_desk *d, struct error *err)
{
    struct key_row *row = NULL;
    size_t admins = key_desk_count(d, KEY_ADMIN);
    enum status status = find_row(j, d, &row, err);
    if (status != OK)
        return status;
    bool last = row->role == KEY_ADMIN && admins == 1 && !key_row_refused(row, d->now_ms);
    return last ? refuse_last(j, err) : key_desk_revoke(d, row, err);
}

static enum status change_file(struct job *j, struct arena *a, struct buf *out, struct error *err)
{
    static const char *const said[] = {
        [KEYS_CREATE] = "key made", [KEYS_CHANGE] = "key changed", [KEYS_REVOKE] = "key revoked"};
    struct key_desk d = {.lock = -1};
    enum status status = open_desk(j, a, &d, err);
    if (status == OK)
        status = j->action == KEYS_CREATE   ? create(j, &d, out, err)
                 : j->action == KEYS_CHANGE ? change(j, &d, err)
                                            : revoke(j, &d, err);
    key_desk_close(&d);
    if (status == OK)
        log_event(LOG_INFO, said[j->action], "key=%s by=%s", j->id, j->by[0] ? j->by : "-");
    return status;
}

/* The keys as the gateway has them now, which is what is told. */
static enum status tell(struct job *j, struct buf *out, struct error *err)
{
    struct listing l = {.out = out, .id = j->id};
    enum status status = keys_refresh(j->admin->gateway->keys, err);
    if (status != OK)
        return error_prefix(err, "the file of keys has it, but the gateway cannot read that");
    if (j->action == KEYS_LIST)
        list_all(j, out);
    if (j->action != KEYS_CHANGE && j->action != KEYS_REVOKE)
        return OK;
    buf_add_char(out, '{');
    keys_each(j->admin->gateway->keys, clock_wall_ms(), list_key, &l);
    buf_add_char(out, '}');
    return l.count > 0 ? OK : error_set(err, ERR_NOT_FOUND, "the key is gone from the file");
}

static void wipe(void *arg)
{
    struct str *text = arg;
    explicit_bzero((void *)(uintptr_t)text->ptr, text->len);
}

/* Into the arena, which goes with the errand whether anybody waits for it or not; a secret is wiped there. */
static enum status keep(struct arena *a, const struct buf *out, struct str *ret, struct error *err)
{
    struct str *text = ARENA_NEW(a, struct str);
    if (!text || arena_defer(a, wipe, text) != OK)
        return error_set(err, ERR_MEMORY, "out of memory for the answer");
    *text = arena_copy(a, buf_str(out));
    if (!text->ptr)
        return error_set(err, ERR_MEMORY, "out of memory for the answer");
    *ret = *text;
    return OK;
}

static enum status work(void *data, struct arena *a, void *user, struct error *err)
{
    struct job *j = data;
    struct buf out;
    (void)user;
    buf_init(&out, ANSWER_BYTES_MAX);
    enum status status = j->action == KEYS_LIST ? OK : change_file(j, a, &out, err);
    if (status == OK)
        status = tell(j, &out, err);
    if (status == OK)
        status = buf_status(&out, err);
    if (status == OK)
        status = keep(a, &out, &j->answer, err);
    if (out.ptr)
        explicit_bzero(out.ptr, out.len);
    buf_done(&out);
    return status;
}

/* On the loop */

static void done(struct http_exchange *x, void *user, enum status status, void *data,
                 const struct error *err)
{
    const struct job *j = data;
    (void)user;
    if (status == OK)
        admin_respond(x, j->action == KEYS_CREATE ? 201 : 200, j->answer);
    else if (status != ERR_OVERLOAD && j->conflict)
        admin_answer_error(x, 409, j->conflict, err->text);
    else
        answer_error(x, NULL, status == ERR_USAGE ? ERR_INPUT : status, err->text, NULL, NULL);
}

static void copy_text(char *into, size_t size, struct str s)
{
    snprintf(into, size, "%.*s", STR_FMT(s));
}

/* One piece: what the errand takes along. */
static void send(struct worker *w, struct http_exchange *x, const struct caller *caller,
                 enum action action, struct str id)
{
    struct error err;
    size_t bytes = sizeof(struct job) + x->body.len;
    struct job *j = arena_alloc(x->arena, bytes);
    enum status status = OK;
    if (!j || x->body.len > BODY_BYTES_MAX) {
        status = j ? ERR_TOO_LARGE : ERR_MEMORY;
        answer_error(x, NULL, status, j ? "the body is too large for a key" : "out of memory", NULL,
                     NULL);
        return;
    }
    j->action = action;
    j->admin = admin_of(w);
    j->auth = w->snapshot->config->auth;
    copy_text(j->id, sizeof(j->id), id);
    copy_text(j->by, sizeof(j->by), caller_key_id(caller));
    j->body_bytes = x->body.len;
    if (x->body.len)
        memcpy(j->body, x->body.ptr, x->body.len);
    const struct errand errand = {
        .work = work,
        .done = done,
        .data = j,
        .data_bytes = bytes,
        .arena_bytes_max = ARENA_BYTES_MAX,
        .late_ms = LATE_MS,
        .late = "the file of keys takes too long; look whether it has what was asked before asking "
                "again",
        .busy = "too much is asked of the file of keys at once; ask again later",
    };
    status = errands_send(j->admin->errands, w->loop, x, &errand, &err);
    if (status != OK)
        answer_error(x, NULL, status, err.text, NULL, NULL);
}

/* Names are those of the configuration in force here, and what the body says is told before anything is locked. */
static bool check_body(struct worker *w, struct http_exchange *x, bool makes)
{
    struct error err;
    struct key_row row = {
        .limits = {.budget_nano_usd = {KEY_UNLIMITED, KEY_UNLIMITED, KEY_UNLIMITED},
                   .requests_per_minute = KEY_UNLIMITED,
                   .tokens_per_minute = KEY_UNLIMITED}};
    enum status status =
        keys_apply_json(x->body, makes, w->snapshot->config, x->arena, clock_wall_ms(), &row, &err);
    if (status != OK)
        answer_error(x, NULL, status, err.text, NULL, NULL);
    return status == OK;
}

/* What stands behind the path. */
static bool read_id(struct http_exchange *x, struct str *ret)
{
    *ret = str_slice(x->path, KEYS_PATH.len, x->path.len);
    if (ret->len > 0 && ret->len < KEY_ID_BYTES)
        return true;
    answer_error(x, NULL, ERR_NOT_FOUND, "there is no such key; GET /v1/admin/keys lists them",
                 NULL, NULL);
    return false;
}

void admin_keys_list(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    send(w, x, caller, KEYS_LIST, STR(""));
}

void admin_keys_create(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    if (check_body(w, x, true))
        send(w, x, caller, KEYS_CREATE, STR(""));
}

void admin_keys_change(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    struct str id;
    if (read_id(x, &id) && check_body(w, x, false))
        send(w, x, caller, KEYS_CHANGE, id);
}

void admin_keys_revoke(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    struct str id;
    if (read_id(x, &id))
        send(w, x, caller, KEYS_REVOKE, id);
}
