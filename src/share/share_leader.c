/* The leader's side of a run: calls out, results in, claims of the dead. See share.h.
 *
 * Runs on the thread of share.c (and, when the run is opened, before it). The items are what is out; Redis holds the
 * same in its streams, and where the two differ after a connection was lost, the leader's items say what is right: an
 * entry that is no item is taken off, an item whose entry is gone is waited for as for a machine that may be dead. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "share/share_int.h"

#define FOUND_MAX 512 /* entries looked at of one expert */

/* Entries to take off: the reply in which they were found must be read first. What finds no room is found again. */

static void put_off(struct share *s, size_t expert, struct str id)
{
    if (s->off_count == SHARE_CALLS_MAX || id.len >= SHARE_ID_BYTES)
        return;
    struct share_off *off = &s->off[s->off_count++];
    *off = (struct share_off){.expert = expert};
    memcpy(off->id, id.ptr, id.len);
}

static enum status drop_result(struct share *s, struct str id, struct error *err)
{
    char key[SHARE_KEY_BYTES];
    struct redis_value v;
    return share_run(s, REDIS_WORDS(STR("XDEL"), share_key(s, "results", STR(""), key), id), &v,
                     err);
}

static enum status take_all_off(struct share *s, struct error *err)
{
    enum status status = OK;
    while (s->off_count > 0 && status == OK) {
        const struct share_off *off = &s->off[s->off_count - 1];
        status = off->expert == SIZE_MAX ? drop_result(s, str_from(off->id), err)
                                         : share_take_off(s, off->expert, str_from(off->id), err);
        if (status == OK)
            s->off_count--;
    }
    return status;
}

static void lose(struct share *s, struct share_item *item)
{
    const struct share_event e = {.kind = SHARE_LOST, .key = item->call.key};
    share_tell(s, &e);
    share_item_remove(s, item);
}

/* A connection */

static enum status announce(struct share *s, struct error *err)
{
    char key[SHARE_KEY_BYTES], price[192], now[24];
    struct redis_value v;
    snprintf(now, sizeof(now), "%" PRId64, clock_wall_ms());
    struct str over = share_key(s, "over", STR(""), key);
    enum status status = share_run(s, REDIS_WORDS(STR("DEL"), over), &v, err);
    if (status == OK)
        status = share_run(
            s, REDIS_WORDS(STR("HSET"), STR("leeroo:runs"), str_from(s->run), str_from(now)), &v,
            err);
    struct str experts = share_key(s, "experts", STR(""), key);
    for (size_t e = 0; e < s->o.expert_count && status == OK; e++)
        status = share_run(s,
                           REDIS_WORDS(STR("HSET"), experts, s->o.experts[e].name,
                                       share_price(&s->o.experts[e], price)),
                           &v, err);
    return status;
}

static enum status make_group(struct share *s, size_t expert, struct error *err)
{
    char key[SHARE_KEY_BYTES];
    struct redis_value v;
    struct str stream = share_key(s, "calls", s->o.experts[expert].name, key);
    enum status status = share_run(s,
                                   REDIS_WORDS(STR("XGROUP"), STR("CREATE"), stream, STR("experts"),
                                               STR("0"), STR("MKSTREAM")),
                                   &v, err);
    return status == ERR_UPSTREAM && str_find(str_from(err->text), STR("BUSYGROUP"), 0) < SIZE_MAX
               ? OK
               : status;
}

/* One entry that Redis has. */
static enum status meet(struct share *s, size_t expert, struct redis_value entry, struct error *err)
{
    struct str id = STR(""), words[SHARE_FIELDS_MAX];
    struct share_call call;
    size_t count;
    enum status status = share_entry_words(entry, &id, words, &count, NULL);
    if (status == OK)
        status = share_call_parse(words, count, &call, NULL);
    struct share_item *item = share_item_by_id(s, expert, id);
    if (!item && status == OK && (item = share_item_find(s, call.key)) && item->id[0])
        item = NULL;
    if (!item && status == OK && !s->started && s->item_count < 2 * SHARE_CALLS_MAX &&
        str_equal(call.expert, s->o.experts[expert].name) && !share_item_find(s, call.key) &&
        !(item = share_item_add(s, &call, id, err)))
        return ERR_MEMORY;
    if (!item) {
        put_off(s, expert, id);
        return OK;
    }
    if (!item->id[0])
        memcpy(item->id, id.ptr, id.len); /* sent, though the answer did not come */
    item->seen = true;
    return OK;
}

static enum status list_calls(struct share *s, size_t expert, struct error *err)
{
    char key[SHARE_KEY_BYTES], most[16];
    struct redis_value v;
    snprintf(most, sizeof(most), "%d", FOUND_MAX);
    enum status status =
        share_run(s,
                  REDIS_WORDS(STR("XRANGE"), share_key(s, "calls", s->o.experts[expert].name, key),
                              STR("-"), STR("+"), STR("COUNT"), str_from(most)),
                  &v, err);
    for (size_t i = 0; status == OK && i < v.count; i++)
        status = meet(s, expert, redis_item(v, i), err);
    return status == OK ? take_all_off(s, err) : status;
}

/* What the leader's earlier process was asking itself is lost with it. */
static enum status forget_own(struct share *s, size_t expert, struct error *err)
{
    char key[SHARE_KEY_BYTES];
    struct redis_value v;
    enum status status =
        share_run(s,
                  REDIS_WORDS(STR("XREADGROUP"), STR("GROUP"), STR("experts"),
                              str_from(s->consumer), STR("STREAMS"),
                              share_key(s, "calls", s->o.experts[expert].name, key), STR("0")),
                  &v, err);
    struct redis_value entries = status == OK ? redis_item(redis_item(v, 0), 1) : v;
    for (size_t i = 0; status == OK && i < entries.count; i++) {
        struct redis_value id = redis_item(redis_item(entries, i), 0);
        struct share_item *item = share_item_by_id(s, expert, id.text);
        if (id.kind == REDIS_TEXT)
            put_off(s, expert, id.text);
        if (item)
            share_item_remove(s, item);
    }
    return status == OK ? take_all_off(s, err) : status;
}

enum status leader_connected(struct share *s, struct error *err)
{
    uint64_t now = share_now_ms();
    s->off_count = 0;
    for (struct share_item *item = s->items; item; item = item->next)
        item->seen = false;
    enum status status = announce(s, err);
    for (size_t e = 0; e < s->o.expert_count && status == OK; e++) {
        status = make_group(s, e, err);
        if (status == OK && !s->started)
            status = forget_own(s, e, err);
        if (status == OK)
            status = list_calls(s, e, err);
    }
    for (struct share_item *item = s->items; item && status == OK; item = item->next)
        item->missing_ms = item->seen || item->mine || !item->id[0] ? 0 : now;
    snprintf(s->last_result, sizeof(s->last_result), "0-0");
    s->look_ms = now + SHARE_DEAD_MS; /* who is alive shows himself again first */
    return status;
}

/* Messages */

static enum status send_call(struct share *s, struct share_item *item, struct error *err)
{
    char key[SHARE_KEY_BYTES];
    struct share_words w;
    struct redis_value v;
    struct str words[SHARE_FIELDS_MAX + 3] = {
        STR("XADD"), share_key(s, "calls", item->call.expert, key), STR("*")};
    share_call_write(&item->call, &w);
    memcpy(words + 3, w.words, w.count * sizeof(w.words[0]));
    enum status status = share_run(s, words, w.count + 3, &v, err);
    if (status != OK)
        return status;
    if (v.kind != REDIS_TEXT || v.text.len >= SHARE_ID_BYTES)
        return error_set(err, ERR_UPSTREAM, "Redis gives an entry no id");
    memcpy(item->id, v.text.ptr, v.text.len);
    return OK;
}

static enum status add(struct share *s, const struct share_message *m, struct error *err)
{
    struct share_item *item = share_item_find(s, m->call.key);
    if (!item && !(item = share_item_add(s, &m->call, STR(""), err)))
        return ERR_MEMORY;
    return item->id[0] ? OK : send_call(s, item, err);
}

/* In this order: with the result gone a call that is left would be made again. */
static enum status settle(struct share *s, const struct share_message *m, struct error *err)
{
    struct share_item *item = share_item_find(s, m->key);
    enum status status = OK;
    if (item && item->id[0])
        status = share_take_off(s, item->expert, str_from(item->id), err);
    if (status == OK && m->id.len > 0)
        status = drop_result(s, m->id, err);
    if (status == OK && item)
        share_item_remove(s, item);
    return status;
}

enum status leader_message(struct share *s, const struct share_message *m, struct error *err)
{
    switch (m->task) {
    case TASK_ADD:
        return add(s, m, err);
    case TASK_SETTLE:
        return settle(s, m, err);
    case TASK_STOP:
        s->stopping = true;
        break;
    case TASK_ANSWER:
    case TASK_REFUSE:
        break;
    }
    return OK;
}

/* Turns */

static enum status claimed(struct share *s, size_t expert, struct redis_value entry,
                           struct error *err)
{
    struct redis_value id = redis_item(entry, 0);
    struct share_item *item = share_item_by_id(s, expert, id.text);
    (void)err;
    if (id.kind != REDIS_TEXT)
        return OK;
    if (!item) {
        put_off(s, expert, id.text);
        return OK;
    }
    item->mine = true;
    const struct share_event e = {.kind = SHARE_CALL, .call = item->call, .key = item->call.key};
    share_tell(s, &e);
    return OK;
}

static enum status claim(struct share *s, bool *ret_busy, struct error *err)
{
    size_t mine = 0, unclaimed = 0;
    for (const struct share_item *item = s->items; item; item = item->next) {
        mine += item->mine;
        unclaimed += !item->mine && item->id[0];
    }
    if (s->stopping || mine >= s->o.takes || unclaimed == 0)
        return OK;
    return share_claim(s, s->o.takes - mine, claimed, ret_busy, err);
}

static void take_result(struct share *s, struct redis_value entry)
{
    struct str id = STR(""), words[SHARE_FIELDS_MAX];
    struct share_event e = {.kind = SHARE_RESULT};
    struct error err;
    size_t count;
    enum status status = share_entry_words(entry, &id, words, &count, &err);
    if (status == OK)
        status = share_result_parse(words, count, &e.result, &err);
    if (id.len > 0)
        snprintf(s->last_result, sizeof(s->last_result), "%.*s", STR_FMT(id));
    e.id = id;
    if (status == OK) {
        share_tell(s, &e);
        return;
    }
    put_off(s, SIZE_MAX, id);
    error_prefix(&err, "a result that is none is passed over");
    share_say(s, err.text);
}

static enum status read_results(struct share *s, bool *ret_busy, struct error *err)
{
    char key[SHARE_KEY_BYTES], most[16];
    struct redis_value v;
    snprintf(most, sizeof(most), "%d", SHARE_RESULTS_MAX);
    enum status status =
        share_run(s,
                  REDIS_WORDS(STR("XREAD"), STR("COUNT"), str_from(most), STR("STREAMS"),
                              share_key(s, "results", STR(""), key), str_from(s->last_result)),
                  &v, err);
    if (status != OK)
        return status;
    struct redis_value entries = redis_item(redis_item(v, 0), 1);
    for (size_t i = 0; i < entries.count; i++)
        take_result(s, redis_item(entries, i));
    *ret_busy |= entries.count > 0;
    return OK;
}

static enum status take_over(struct share *s, size_t expert, struct error *err)
{
    char key[SHARE_KEY_BYTES], idle[16];
    struct redis_value v;
    snprintf(idle, sizeof(idle), "%d", SHARE_DEAD_MS);
    enum status status = share_run(
        s,
        REDIS_WORDS(STR("XAUTOCLAIM"), share_key(s, "calls", s->o.experts[expert].name, key),
                    STR("experts"), str_from(s->consumer), str_from(idle), STR("0-0"), STR("COUNT"),
                    STR("64")),
        &v, err);
    struct redis_value entries = status == OK ? redis_item(v, 1) : v;
    for (size_t i = 0; status == OK && i < entries.count; i++) {
        struct redis_value id = redis_item(redis_item(entries, i), 0);
        struct share_item *item = share_item_by_id(s, expert, id.text);
        if (id.kind != REDIS_TEXT || (item && item->mine))
            continue;
        put_off(s, expert, id.text);
        if (item)
            lose(s, item);
    }
    return status == OK ? take_all_off(s, err) : status;
}

static enum status look_for_dead(struct share *s, struct error *err)
{
    uint64_t now = share_now_ms();
    enum status status = OK;
    struct share_item *next;
    for (size_t e = 0; e < s->o.expert_count && status == OK; e++)
        status = take_over(s, e, err);
    for (struct share_item *item = s->items; item && status == OK; item = next) {
        next = item->next;
        if (item->missing_ms > 0 && now - item->missing_ms >= SHARE_DEAD_MS)
            lose(s, item);
    }
    s->look_ms = now + SHARE_BEAT_MS;
    return status;
}

enum status leader_turn(struct share *s, bool *ret_busy, struct error *err)
{
    enum status status = claim(s, ret_busy, err);
    if (status == OK)
        status = read_results(s, ret_busy, err);
    if (status == OK)
        status = take_all_off(s, err);
    if (status == OK && share_now_ms() >= s->look_ms)
        status = look_for_dead(s, err);
    return status;
}

enum status leader_over(struct share *s, struct error *err)
{
    char key[SHARE_KEY_BYTES], other[SHARE_KEY_BYTES];
    struct redis_value v;
    enum status status = share_run(s,
                                   REDIS_WORDS(STR("SET"), share_key(s, "over", STR(""), key),
                                               STR("1"), STR("EX"), STR("86400")),
                                   &v, err);
    if (status == OK)
        status =
            share_run(s, REDIS_WORDS(STR("HDEL"), STR("leeroo:runs"), str_from(s->run)), &v, err);
    if (status == OK)
        status = share_run(s,
                           REDIS_WORDS(STR("DEL"), share_key(s, "results", STR(""), key),
                                       share_key(s, "experts", STR(""), other)),
                           &v, err);
    for (size_t e = 0; e < s->o.expert_count && status == OK; e++)
        status = share_run(
            s, REDIS_WORDS(STR("DEL"), share_key(s, "calls", s->o.experts[e].name, key)), &v, err);
    return status;
}
