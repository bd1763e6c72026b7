/* The thread that talks to Redis, and what goes between it and the loop: see share.h.
 *
 * The loop's thread leaves messages in a list under the lock; the thread takes the first, does it, and only then takes
 * it off, so that nothing is lost when the connection breaks in between (everything it does may be done twice). Events
 * go the other way by loop_post, each with an arena of its own. The items belong to the thread alone. */
#include "share/share_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"

#define MESSAGE_BYTES   (64u << 20)
#define PAUSE_MIN_MS    20 /* between looks for calls and results */
#define PAUSE_MAX_MS    200
#define AGAIN_MIN_MS    200 /* between tries to reach Redis */
#define AGAIN_MAX_MS    5000
#define CLOSE_MS        5000
#define CONNECTION_WORK 1024 /* messages in a row before the rest has its turn */

uint64_t share_now_ms(void)
{
    return clock_now_ms();
}

/* Events */

static void take_posted(struct share *s, struct share_posted *p)
{
    worker_lock(&s->thread);
    struct share_posted **at = &s->posted;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    worker_unlock(&s->thread);
}

static void on_posted(void *arg)
{
    struct share_posted *p = arg;
    take_posted(p->share, p);
    p->share->o.on_event(p->share->o.arg, &p->event);
    arena_free(p->arena);
}

/* False: no memory. */
static bool keep(struct arena *a, struct str *s)
{
    if (s->ptr)
        *s = arena_copy(a, *s);
    else
        *s = STR("");
    return s->ptr;
}

static bool keep_call(struct arena *a, struct share_call *c)
{
    return keep(a, &c->key) && keep(a, &c->expert) && keep(a, &c->system) && keep(a, &c->user);
}

bool share_result_keep(struct arena *a, struct share_result *r)
{
    return keep(a, &r->key) && keep(a, &r->expert) && keep(a, &r->paid) && keep(a, &r->text);
}

/* Without memory for it an event is lost as by a machine that dies: its call is taken over. */
void share_tell(struct share *s, const struct share_event *e)
{
    struct arena *a = arena_create(MESSAGE_BYTES);
    struct share_posted *p = a ? ARENA_NEW(a, struct share_posted) : NULL;
    bool good = p;
    if (good) {
        *p = (struct share_posted){.share = s, .arena = a, .event = *e};
        good = keep_call(a, &p->event.call) && share_result_keep(a, &p->event.result) &&
               keep(a, &p->event.key) && keep(a, &p->event.id);
        p->event.text = e->text ? arena_printf(a, "%s", e->text) : NULL;
    }
    if (!good) {
        arena_free(a);
        return;
    }
    worker_lock(&s->thread);
    p->next = s->posted;
    s->posted = p;
    worker_unlock(&s->thread);
    if (loop_post(s->o.loop, on_posted, p) != OK) {
        take_posted(s, p);
        arena_free(a);
    }
}

void share_say(struct share *s, const char *text)
{
    char printable[sizeof(s->said)]; /* what others have written may be part of it */
    const struct share_event e = {.kind = SHARE_SAID, .text = printable};
    utf8_make_printable(printable, sizeof(printable), str_from(text));
    if (strcmp(s->said, printable) == 0)
        return;
    snprintf(s->said, sizeof(s->said), "%s", printable);
    share_tell(s, &e);
}

/* Names and entries */

struct str share_key(const struct share *s, const char *name, struct str expert,
                     char into[SHARE_KEY_BYTES])
{
    int len = snprintf(into, SHARE_KEY_BYTES, "leeroo:{%s}:%s%s%.*s", s->run, name,
                       expert.len > 0 ? ":" : "", STR_FMT(expert));
    CHECK(len > 0 && len < SHARE_KEY_BYTES);
    return (struct str){into, (size_t)len};
}

struct str share_price(const struct expert *e, char into[192])
{
    const struct price *p = &e->price;
    int len =
        snprintf(into, 192, "%lld %lld %lld %lld %lld %lld", (long long)p->input_nano_usd_per_m,
                 (long long)p->output_nano_usd_per_m, (long long)p->cached_saving_nano_usd_per_m,
                 (long long)p->cache_write_extra_nano_usd_per_m,
                 (long long)p->cache_write_1h_extra_nano_usd_per_m,
                 (long long)p->reasoning_extra_nano_usd_per_m);
    return (struct str){into, (size_t)len};
}

enum status share_run(struct share *s, const struct str *words, size_t count,
                      struct redis_value *ret, struct error *err)
{
    return redis_run(s->redis, words, count, ret, err);
}

enum status share_entry_words(struct redis_value entry, struct str *ret_id,
                              struct str words[SHARE_FIELDS_MAX], size_t *ret_count,
                              struct error *err)
{
    struct redis_value id = redis_item(entry, 0), fields = redis_item(entry, 1);
    if (id.kind != REDIS_TEXT || id.text.len == 0 || id.text.len >= SHARE_ID_BYTES)
        return error_set(err, ERR_INPUT, "an entry without an id");
    *ret_id = id.text;
    *ret_count = 0;
    if (fields.kind != REDIS_LIST || fields.count > SHARE_FIELDS_MAX)
        return error_set(err, ERR_INPUT, "an entry that is none of ours");
    for (size_t i = 0; i < fields.count; i++) {
        struct redis_value v = redis_item(fields, i);
        if (v.kind != REDIS_TEXT)
            return error_set(err, ERR_INPUT, "an entry that is none of ours");
        words[i] = v.text;
    }
    *ret_count = fields.count;
    return OK;
}

/* Items */

struct share_item *share_item_add(struct share *s, const struct share_call *call, struct str id,
                                  struct error *err)
{
    size_t expert = expert_index(s->o.experts, s->o.expert_count, call->expert);
    struct arena *a = s->item_count < 4 * SHARE_CALLS_MAX ? arena_create(MESSAGE_BYTES) : NULL;
    struct share_item *item = a ? ARENA_NEW(a, struct share_item) : NULL;
    CHECK(expert < s->o.expert_count && id.len < SHARE_ID_BYTES);
    if (item)
        *item = (struct share_item){.arena = a, .call = *call, .expert = expert};
    if (!item || !keep_call(a, &item->call)) {
        arena_free(a);
        error_set(err, ERR_MEMORY, "out of memory for a call");
        return NULL;
    }
    memcpy(item->id, id.ptr, id.len);
    item->next = s->items;
    s->items = item;
    s->item_count++;
    return item;
}

void share_item_remove(struct share *s, struct share_item *item)
{
    struct share_item **at = &s->items;
    while (*at != item)
        at = &(*at)->next;
    *at = item->next;
    s->item_count--;
    arena_free(item->arena);
}

struct share_item *share_item_find(const struct share *s, struct str key)
{
    struct share_item *item = s->items;
    while (item && !str_equal(item->call.key, key))
        item = item->next;
    return item;
}

struct share_item *share_item_by_id(const struct share *s, size_t expert, struct str id)
{
    struct share_item *item = s->items;
    while (item && (item->expert != expert || !str_equal(str_from(item->id), id)))
        item = item->next;
    return item;
}

/* Claims */

enum status share_take_off(struct share *s, size_t expert, struct str id, struct error *err)
{
    char key[SHARE_KEY_BYTES];
    struct redis_value v;
    struct str stream = share_key(s, "calls", s->o.experts[expert].name, key);
    enum status status =
        share_run(s, REDIS_WORDS(STR("XACK"), stream, STR("experts"), id), &v, err);
    if (status == OK)
        status = share_run(s, REDIS_WORDS(STR("XDEL"), stream, id), &v, err);
    return status;
}

/* What came of one XREADGROUP: nothing, or [[stream, [entry, ...]]]. A group that is not there is no failure: Redis has
 * begun anew, and the leader will see to it. */
static enum status take_claims(struct share *s, size_t expert, share_claimed_fn *fn, bool *ret_any,
                               struct error *err)
{
    struct redis_value reply;
    enum status status = redis_take(s->redis, &reply, err);
    if (status != OK)
        return status;
    if (reply.kind == REDIS_REFUSED && !str_starts(reply.text, STR("NOGROUP")))
        return error_set(err, ERR_UPSTREAM, "Redis refuses XREADGROUP: %.*s",
                         (int)(reply.text.len < 200 ? reply.text.len : 200), reply.text.ptr);
    struct redis_value entries = redis_item(redis_item(reply, 0), 1);
    for (size_t i = 0; i < entries.count && status == OK; i++) {
        *ret_any = true;
        status = fn(s, expert, redis_item(entries, i), err);
    }
    return status;
}

static enum status ask_claims(struct share *s, size_t expert, size_t count, struct error *err)
{
    char key[SHARE_KEY_BYTES], number[24];
    snprintf(number, sizeof(number), "%zu", count);
    const struct str words[] = {
        STR("XREADGROUP"), STR("GROUP"),
        STR("experts"),    str_from(s->consumer),
        STR("COUNT"),      str_from(number),
        STR("STREAMS"),    share_key(s, "calls", s->o.experts[expert].name, key),
        STR(">")};
    return redis_send(s->redis, words, sizeof(words) / sizeof(words[0]), err);
}

/* In one exchange: so many experts are asked for, by turns, that all together cannot give more than `limit`. `fn` sends
 * no commands. */
enum status share_claim(struct share *s, size_t limit, share_claimed_fn *fn, bool *ret_any,
                        struct error *err)
{
    size_t experts[64], count = 0, all = s->o.expert_count;
    size_t most = limit < 64 ? limit : 64;
    for (size_t i = 0; i < all && count < most; i++) {
        size_t e = (s->turn + i) % all;
        if (!s->takes_of || s->takes_of[e])
            experts[count++] = e;
    }
    enum status status = OK;
    for (size_t i = 0; i < count && status == OK; i++)
        status = ask_claims(s, experts[i], limit / count, err);
    for (size_t i = 0; i < count && status == OK; i++)
        status = take_claims(s, experts[i], fn, ret_any, err);
    s->turn = count > 0 ? (experts[count - 1] + 1) % all : 0;
    return status;
}

/* Messages */

static enum status send_message(struct share *s, const struct share_message *m, struct error *err)
{
    struct arena *a = arena_create(MESSAGE_BYTES);
    struct share_message *own = a ? ARENA_NEW(a, struct share_message) : NULL;
    bool good = own;
    if (good) {
        *own = *m;
        own->arena = a;
        good = keep_call(a, &own->call) && share_result_keep(a, &own->result) &&
               keep(a, &own->key) && keep(a, &own->id);
    }
    if (!good) {
        arena_free(a);
        return error_set(err, ERR_MEMORY, "out of memory for a message to other machines");
    }
    worker_lock(&s->thread);
    if (s->last)
        s->last->next = own;
    else
        s->first = own;
    s->last = own;
    worker_unlock_and_wake(&s->thread);
    return OK;
}

enum status share_add(struct share *s, const struct share_call *c, struct error *err)
{
    return send_message(s, &(struct share_message){.task = TASK_ADD, .call = *c}, err);
}

enum status share_settle(struct share *s, struct str key, struct str id, struct error *err)
{
    return send_message(s, &(struct share_message){.task = TASK_SETTLE, .key = key, .id = id}, err);
}

enum status share_answer(struct share *s, const struct share_result *r, struct error *err)
{
    return send_message(s, &(struct share_message){.task = TASK_ANSWER, .result = *r}, err);
}

enum status share_refuse(struct share *s, size_t expert, struct error *err)
{
    return send_message(s, &(struct share_message){.task = TASK_REFUSE, .expert = expert}, err);
}

enum status share_stop(struct share *s, struct error *err)
{
    return send_message(s, &(struct share_message){.task = TASK_STOP}, err);
}

static struct share_message *first_message(struct share *s)
{
    worker_lock(&s->thread);
    struct share_message *m = s->first;
    worker_unlock(&s->thread);
    return m;
}

static void drop_first(struct share *s)
{
    worker_lock(&s->thread);
    struct share_message *m = s->first;
    s->first = m->next;
    if (!s->first)
        s->last = NULL;
    worker_unlock(&s->thread);
    arena_free(m->arena);
}

static enum status do_messages(struct share *s, struct error *err)
{
    struct share_message *m;
    enum status status = OK;
    for (int i = 0; i < CONNECTION_WORK && status == OK && (m = first_message(s)); i++) {
        status = s->o.leads ? leader_message(s, m, err) : worker_message(s, m, err);
        if (status == OK)
            drop_first(s);
    }
    return status;
}

/* The thread */

static enum status connect_run(struct share *s, struct error *err)
{
    enum status status = redis_connect(&s->url, &s->redis, err);
    if (status == OK)
        status = s->o.leads ? leader_connected(s, err) : worker_connected(s, err);
    if (status != OK) {
        redis_close(s->redis);
        s->redis = NULL;
    }
    return status;
}

static void say_away(struct share *s, const struct error *err)
{
    char text[400];
    snprintf(text, sizeof(text), "Redis is away, and waited for: %.300s", err->text);
    if (!s->away) {
        share_say(s, text);
        s->lost_ms = share_now_ms();
    }
    s->away = true;
}

static enum status turn(struct share *s, bool *ret_busy, struct error *err)
{
    enum status status = s->redis ? OK : connect_run(s, err);
    if (status == OK && s->away) {
        s->away = false;
        share_say(s, "Redis is back");
    }
    if (status == OK)
        status = do_messages(s, err);
    if (status == OK)
        status = s->o.leads ? leader_turn(s, ret_busy, err) : worker_turn(s, ret_busy, err);
    if (status == OK)
        return OK;
    redis_close(s->redis);
    s->redis = NULL;
    say_away(s, err);
    return status;
}

/* What waits yet, and the run's end. */
static void end_thread(struct share *s)
{
    struct error err;
    uint64_t end_ms = share_now_ms() + CLOSE_MS;
    bool done = false;
    while (!done && share_now_ms() < end_ms) {
        enum status status = s->redis ? OK : connect_run(s, &err);
        if (status == OK)
            status = do_messages(s, &err);
        done = status == OK && !first_message(s);
        if (done && s->over)
            done = (status = leader_over(s, &err)) == OK;
        if (status != OK) {
            redis_close(s->redis);
            s->redis = NULL;
        }
        if (!done)
            (void)nanosleep(&(struct timespec){0, AGAIN_MIN_MS * 1000000}, NULL);
    }
}

static bool has_message(void *arg)
{
    return ((const struct share *)arg)->first;
}

/* Without a connection a message is no reason to try sooner. */
static void run_thread(void *arg)
{
    struct share *s = arg;
    struct error err;
    uint32_t pause_ms = PAUSE_MIN_MS, again_ms = AGAIN_MIN_MS;
    bool good;
    do {
        bool busy = false;
        good = turn(s, &busy, &err) == OK;
        pause_ms = busy ? 0 : pause_ms < PAUSE_MIN_MS ? PAUSE_MIN_MS : pause_ms * 3 / 2;
        if (pause_ms > PAUSE_MAX_MS)
            pause_ms = PAUSE_MAX_MS;
        again_ms = good ? AGAIN_MIN_MS : again_ms * 2 < AGAIN_MAX_MS ? again_ms * 2 : AGAIN_MAX_MS;
    } while (worker_wait(&s->thread, good ? has_message : NULL, good ? pause_ms : again_ms) !=
             WORKER_STOP);
    end_thread(s);
}

/* Opening and closing */

static enum status name_consumer(struct share *s, struct error *err)
{
    char host[17] = "";
    uint32_t chance;
    enum status status = digest_random(&chance, sizeof(chance), err);
    if (s->o.leads) {
        snprintf(s->consumer, sizeof(s->consumer), "leader");
        return OK;
    }
    (void)gethostname(host, sizeof(host) - 1);
    snprintf(s->consumer, sizeof(s->consumer), "%s-%ld-%08x", host, (long)getpid(), chance);
    return status;
}

/* One piece: what is said of the options, then what they need, then the connection. */
static enum status prepare(struct share *s, struct error *err)
{
    const struct share_options *o = &s->o;
    enum status status = redis_url_parse(str_from(o->url), s->arena, &s->url, err);
    if (status == OK && o->run && !share_run_valid(str_from(o->run)))
        status = error_set(err, ERR_USAGE, "'%.60s' is no name of a run", o->run);
    if (status != OK)
        return status;
    if (!s->url.password)
        s->url.password = o->password;
    snprintf(s->run, sizeof(s->run), "%s", o->run ? o->run : "");
    s->refused = ARENA_ARRAY(s->arena, o->expert_count + 1, bool);
    s->sent = ARENA_ARRAY(s->arena, SHARE_CALLS_MAX, struct share_sent);
    if (!o->leads)
        s->takes_of = ARENA_ARRAY(s->arena, o->expert_count + 1, bool);
    if (!s->refused || !s->sent || (!o->leads && !s->takes_of))
        return error_set(err, ERR_MEMORY, "out of memory");
    status = name_consumer(s, err);
    if (status == OK && (status = connect_run(s, err)) != OK) {
        struct buf place;
        buf_init(&place, REDIS_URL_BYTES);
        redis_url_write(&s->url, &place);
        error_prefix(err, "%s", place.ptr);
        buf_done(&place);
    }
    return status;
}

/* One piece: what is half made is let go of by share_close. */
enum status share_open(const struct share_options *o, struct share **ret, struct error *err)
{
    struct arena *a = arena_create(MESSAGE_BYTES);
    struct share *s = a ? ARENA_NEW(a, struct share) : NULL;
    struct error local;
    CHECK(o->takes <= SHARE_CALLS_MAX && (o->leads ? !!o->run : o->takes > 0));
    err = err ? err : &local;
    if (!s) {
        arena_free(a);
        return error_set(err, ERR_MEMORY, "out of memory");
    }
    s->arena = a;
    s->o = *o;
    worker_init(&s->thread);
    enum status status = prepare(s, err);
    if (status != OK) {
        share_close(s, false);
        return status;
    }
    *ret = s;
    return OK;
}

size_t share_found_count(const struct share *s)
{
    return s->item_count;
}

const struct share_call *share_found(const struct share *s, size_t i)
{
    const struct share_item *item = s->items;
    while (item && i-- > 0)
        item = item->next;
    return item ? &item->call : NULL;
}

enum status share_start(struct share *s, struct error *err)
{
    s->started = true;
    return worker_start(&s->thread, run_thread, s, err);
}

/* One piece: the thread first, then all that either side may have left. */
void share_close(struct share *s, bool over)
{
    if (!s)
        return;
    worker_lock(&s->thread);
    s->over = over && s->o.leads;
    worker_unlock(&s->thread);
    worker_stop(&s->thread);
    redis_close(s->redis);
    while (s->items)
        share_item_remove(s, s->items);
    for (size_t i = 0; s->sent && i < SHARE_CALLS_MAX; i++)
        arena_free(s->sent[i].arena);
    while (s->first)
        drop_first(s);
    while (s->posted) {
        struct arena *a = s->posted->arena;
        s->posted = s->posted->next;
        arena_free(a);
    }
    worker_done(&s->thread);
    arena_free(s->arena);
}
