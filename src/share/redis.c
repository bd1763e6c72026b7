/* Commands to Redis by hiredis: see redis.h. The only file that knows hiredis.
 *
 * The connection blocks its thread, at most REDIS_WAIT_MS for a reply: no command that is sent here waits at the
 * server. Replies are views into what hiredis has parsed; a peer that sends what it should not is refused by kinds and
 * counts, never trusted. hiredis limits the nesting and the size of replies itself. */
#include "share/redis.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

#include "base/check.h"

#define WORDS_MAX 64

struct redis {
    redisContext *context;
    redisReply *reply; /* the last that was taken */
};

/* One piece: a case for each kind of reply. */
static struct redis_value view(const redisReply *r)
{
    struct redis_value v = {.kind = REDIS_NOTHING};
    if (!r)
        return v;
    switch (r->type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
        v.kind = REDIS_TEXT;
        v.text = (struct str){r->str, r->len};
        break;
    case REDIS_REPLY_ERROR:
        v.kind = REDIS_REFUSED;
        v.text = (struct str){r->str, r->len};
        break;
    case REDIS_REPLY_INTEGER:
        v.kind = REDIS_NUMBER;
        v.number = r->integer;
        break;
    case REDIS_REPLY_ARRAY:
        v.kind = REDIS_LIST;
        v.count = r->elements;
        v.items = r->element;
        break;
    default:
        break;
    }
    return v;
}

struct redis_value redis_item(struct redis_value list, size_t i)
{
    redisReply *const *items = list.items;
    return view(list.kind == REDIS_LIST && i < list.count ? items[i] : NULL);
}

static enum status broken(const struct redis *r, struct error *err)
{
    return error_set(err, ERR_IO, "Redis: %s", r->context->errstr);
}

enum status redis_send(struct redis *r, const struct str *words, size_t count, struct error *err)
{
    const char *pointers[WORDS_MAX];
    size_t lengths[WORDS_MAX];
    CHECK(count >= 1 && count <= WORDS_MAX);
    for (size_t i = 0; i < count; i++) {
        pointers[i] = words[i].ptr ? words[i].ptr : "";
        lengths[i] = words[i].len;
    }
    return redisAppendCommandArgv(r->context, (int)count, pointers, lengths) == REDIS_OK
               ? OK
               : broken(r, err);
}

enum status redis_take(struct redis *r, struct redis_value *ret, struct error *err)
{
    void *reply = NULL;
    if (r->reply)
        freeReplyObject(r->reply);
    r->reply = NULL;
    if (redisGetReply(r->context, &reply) != REDIS_OK || !reply)
        return broken(r, err);
    r->reply = reply;
    *ret = view(r->reply);
    return OK;
}

enum status redis_run(struct redis *r, const struct str *words, size_t count,
                      struct redis_value *ret, struct error *err)
{
    struct redis_value v;
    enum status status = redis_send(r, words, count, err);
    if (status == OK)
        status = redis_take(r, &v, err);
    if (status == OK && v.kind == REDIS_REFUSED) {
        char says[200];
        utf8_make_printable(says, sizeof(says), v.text);
        return error_set(err, ERR_UPSTREAM, "Redis refuses %.*s: %s", STR_FMT(words[0]), says);
    }
    if (status == OK)
        *ret = v;
    return status;
}

static enum status greet(struct redis *r, const struct redis_url *u, struct error *err)
{
    struct redis_value v;
    char db[16];
    enum status status = OK;
    if (u->password && u->user)
        status = redis_run(r, REDIS_WORDS(STR("AUTH"), str_from(u->user), str_from(u->password)),
                           &v, err);
    else if (u->password)
        status = redis_run(r, REDIS_WORDS(STR("AUTH"), str_from(u->password)), &v, err);
    snprintf(db, sizeof(db), "%u", u->db);
    if (status == OK)
        status = redis_run(r, REDIS_WORDS(STR("SELECT"), str_from(db)), &v, err);
    if (status == ERR_UPSTREAM &&
        (str_find(str_from(err->text), STR("NOAUTH"), 0) < SIZE_MAX ||
         str_find(str_from(err->text), STR("refuses AUTH"), 0) < SIZE_MAX))
        err->status = status = ERR_AUTH;
    return status;
}

/* One piece: each step fails in its own way, and all let go of the connection. */
enum status redis_connect(const struct redis_url *u, struct redis **ret, struct error *err)
{
    const struct timeval wait = {.tv_sec = REDIS_WAIT_MS / 1000};
    struct redis *r = calloc(1, sizeof(*r));
    struct error local;
    err = err ? err : &local;
    if (r)
        r->context = u->host ? redisConnectWithTimeout(u->host, u->port, wait)
                             : redisConnectUnixWithTimeout(u->path, wait);
    enum status status = OK;
    if (!r || !r->context)
        status = error_set(err, ERR_MEMORY, "out of memory for Redis");
    else if (r->context->err)
        status = broken(r, err);
    else if (redisSetTimeout(r->context, wait) != REDIS_OK)
        status = broken(r, err);
    if (status == OK && u->host)
        (void)redisEnableKeepAlive(r->context);
    if (status == OK)
        status = greet(r, u, err);
    if (status != OK) {
        redis_close(r);
        return status;
    }
    *ret = r;
    return OK;
}

void redis_close(struct redis *r)
{
    if (!r)
        return;
    if (r->reply)
        freeReplyObject(r->reply);
    if (r->context)
        redisFree(r->context);
    free(r);
}
