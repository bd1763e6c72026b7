/* A worker's side of a run: claims, keeps them alive while it asks, and sends what comes of them. See share.h.
 *
 * Runs on the thread of share.c. The items are the calls at hand. A claim is acknowledged by the leader alone, once he
 * has stored its result: a worker that dies leaves claims that nobody keeps alive, and those are taken over. */
#include <stdio.h>
#include <string.h>

#include "share/share_int.h"

#define RESEND_MS 60000
#define LOOK_MS   500 /* for a run, and for its end */

/* The run */

static void fail(struct share *s, const char *text)
{
    char printable[300];
    const struct share_event e = {.kind = SHARE_FAILED, .text = printable};
    utf8_make_printable(printable, sizeof(printable), str_from(text));
    if (!s->told_over)
        share_tell(s, &e);
    s->told_over = true;
}

static enum status find_run(struct share *s, struct error *err)
{
    struct redis_value v;
    char text[300];
    enum status status = share_run(s, REDIS_WORDS(STR("HKEYS"), STR("leeroo:runs")), &v, err);
    if (status != OK)
        return status;
    if (v.count == 0)
        share_say(s, "no run is there yet: waiting for one");
    struct redis_value first = redis_item(v, 0), second = redis_item(v, 1);
    if (v.count > 1) {
        snprintf(text, sizeof(text), "%zu runs are there (%.*s, %.*s, ...): say which, --run NAME",
                 v.count, STR_FMT(str_slice(first.text, 0, 100)),
                 STR_FMT(str_slice(second.text, 0, 100)));
        fail(s, text);
    }
    if (v.count == 1 && share_run_valid(first.text))
        snprintf(s->run, sizeof(s->run), "%.*s", STR_FMT(first.text));
    return OK;
}

/* Marks the experts that both sides have, at one price, and says which are not. */
static void compare_experts(struct share *s, struct redis_value all)
{
    char text[400], price[192];
    int len = snprintf(text, sizeof(text), "joined %.100s", s->run);
    memset(s->takes_of, 0, s->o.expert_count * sizeof(*s->takes_of));
    for (size_t i = 0; i + 1 < all.count; i += 2) {
        struct str name = redis_item(all, i).text;
        size_t e = expert_index(s->o.experts, s->o.expert_count, name);
        const char *why = NULL;
        if (e == SIZE_MAX)
            why = "is not in the configuration here";
        else if (!str_equal(redis_item(all, i + 1).text, share_price(&s->o.experts[e], price)))
            why = "has another price here";
        else if (s->refused[e])
            why = "refuses the key that it has here";
        else
            s->takes_of[e] = true;
        if (why && (size_t)len < sizeof(text))
            len += snprintf(text + len, sizeof(text) - (size_t)len,
                            "; %.*s %s, its calls are left to others",
                            (int)(name.len < 60 ? name.len : 60), name.ptr, why);
    }
    share_say(s, text);
}

static enum status look_at_run(struct share *s, struct error *err)
{
    char key[SHARE_KEY_BYTES];
    struct redis_value v;
    if (!s->run[0])
        return find_run(s, err);
    enum status status =
        share_run(s, REDIS_WORDS(STR("EXISTS"), share_key(s, "over", STR(""), key)), &v, err);
    if (status == OK)
        s->over_there = v.number == 1;
    if (status == OK && !s->over_there)
        status = share_run(s, REDIS_WORDS(STR("HGETALL"), share_key(s, "experts", STR(""), key)),
                           &v, err);
    if (status == OK && !s->over_there && v.count > 0)
        compare_experts(s, v);
    if (status == OK && !s->over_there && v.count == 0)
        share_say(s, "the run is not there: waiting for its leader");
    return status;
}

/* Claims that were lost meanwhile, or a group that is gone, are no failure: what comes of the call is sent all the
 * same, and the leader decides. */
static enum status keep_alive(struct share *s, struct error *err)
{
    char key[SHARE_KEY_BYTES];
    struct redis_value v;
    enum status status = OK;
    for (const struct share_item *item = s->items; item && status == OK; item = item->next) {
        status =
            redis_send(s->redis,
                       REDIS_WORDS(STR("XCLAIM"), share_key(s, "calls", item->call.expert, key),
                                   STR("experts"), str_from(s->consumer), STR("0"),
                                   str_from(item->id), STR("JUSTID")),
                       err);
        if (status == OK)
            status = redis_take(s->redis, &v, err);
    }
    s->beat_ms = share_now_ms() + SHARE_BEAT_MS;
    return status;
}

/* Messages */

static enum status send_result(struct share *s, const struct share_result *r, struct error *err)
{
    char key[SHARE_KEY_BYTES];
    struct share_words w;
    struct redis_value v;
    struct str words[SHARE_FIELDS_MAX + 3] = {STR("XADD"), share_key(s, "results", STR(""), key),
                                              STR("*")};
    share_result_write(r, &w);
    memcpy(words + 3, w.words, w.count * sizeof(w.words[0]));
    return share_run(s, words, w.count + 3, &v, err);
}

/* For a while: a Redis that begins anew has forgotten what it had. The oldest goes. */
static void keep_sent(struct share *s, const struct share_result *r)
{
    struct share_sent *sent = &s->sent[s->sent_next++ % SHARE_CALLS_MAX];
    arena_free(sent->arena);
    *sent = (struct share_sent){
        .arena = arena_create(2 * SHARE_TEXT_BYTES), .result = *r, .sent_ms = share_now_ms()};
    if (!sent->arena || share_result_keep(sent->arena, &sent->result))
        return;
    arena_free(sent->arena);
    sent->arena = NULL;
}

/* What was sent shortly before the connection was lost goes out again; the leader knows it by its payment. */
enum status worker_connected(struct share *s, struct error *err)
{
    enum status status = OK;
    s->look_ms = s->beat_ms = 0;
    for (size_t i = 0; i < SHARE_CALLS_MAX && status == OK; i++) {
        const struct share_sent *sent = &s->sent[i];
        if (sent->arena && sent->sent_ms + RESEND_MS >= s->lost_ms)
            status = send_result(s, &sent->result, err);
    }
    return status;
}

static enum status answer(struct share *s, const struct share_result *r, struct error *err)
{
    enum status status = send_result(s, r, err);
    struct share_item *item = share_item_find(s, r->key);
    if (status == OK && item)
        share_item_remove(s, item);
    if (status == OK)
        keep_sent(s, r);
    return status;
}

enum status worker_message(struct share *s, const struct share_message *m, struct error *err)
{
    switch (m->task) {
    case TASK_ANSWER:
        return answer(s, &m->result, err);
    case TASK_STOP:
        s->stopping = true;
        break;
    case TASK_REFUSE:
        if (m->expert < s->o.expert_count)
            s->refused[m->expert] = true;
        s->look_ms = 0;
        break;
    case TASK_ADD:
    case TASK_SETTLE:
        break;
    }
    return OK;
}

/* Turns */

static enum status claimed(struct share *s, size_t expert, struct redis_value entry,
                           struct error *err)
{
    struct str id = STR(""), words[SHARE_FIELDS_MAX];
    struct share_event e = {.kind = SHARE_CALL};
    struct error local;
    size_t count;
    enum status status = share_entry_words(entry, &id, words, &count, &local);
    if (status == OK)
        status = share_call_parse(words, count, &e.call, &local);
    if (status == OK && !str_equal(e.call.expert, s->o.experts[expert].name))
        status = error_set(&local, ERR_INPUT, "an entry of another expert");
    if (status != OK) {
        error_prefix(&local, "a call that is none is passed over");
        share_say(s, local.text);
        return OK;
    }
    if (!share_item_add(s, &e.call, id, err))
        return ERR_MEMORY;
    share_tell(s, &e);
    return OK;
}

enum status worker_turn(struct share *s, bool *ret_busy, struct error *err)
{
    uint64_t now = share_now_ms();
    enum status status = OK;
    if (now >= s->look_ms) {
        status = look_at_run(s, err);
        s->look_ms = now + LOOK_MS;
    }
    if (status == OK && now >= s->beat_ms)
        status = keep_alive(s, err);
    bool ending = s->stopping || s->over_there || s->told_over;
    if (status == OK && !ending && s->run[0] && s->item_count < s->o.takes)
        status = share_claim(s, s->o.takes - s->item_count, claimed, ret_busy, err);
    const struct share_event over = {.kind = SHARE_OVER};
    if (status == OK && ending && s->item_count == 0 && !s->told_over) {
        s->told_over = true;
        share_tell(s, &over);
    }
    return status;
}
