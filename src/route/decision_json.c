/* The decision as JSON beside a request in the ledger.
 *
 * One is written for each request, on its way to the expert, so numbers are written as fixed decimals without printf.
 * What would not fit is left out whole: the object is always sound, and no longer than the buffer's limit. It reads a
 * choice and appends to a buffer, on any thread, and must not be called without a choice. */
#include "route/decision_json.h"

#include <math.h>
#include <string.h>

#include "base/money.h"
#include "route/silences.h"

#define QUALITY_DECIMALS  6
#define USD_DECIMALS      9
#define ITEM_BYTES_MAX    512 /* one name with its figures or its reason */
#define CLOSING_BYTES_MAX 64

/* value · 10^-decimals */
static void write_fixed(struct buf *out, int64_t value, unsigned decimals)
{
    char text[24], *at = text + sizeof(text);
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    for (unsigned i = 0; i <= decimals || left > 0; i++) {
        if (i == decimals && decimals > 0)
            *--at = '.';
        *--at = (char)('0' + left % 10);
        left /= 10;
    }
    if (value < 0)
        buf_add_char(out, '-');
    buf_add(out, (struct str){at, (size_t)(text + sizeof(text) - at)});
}

static void write_usd(struct buf *out, int64_t nano_usd)
{
    write_fixed(out, nano_usd, USD_DECIMALS);
}

static void write_quality(struct buf *out, double quality)
{
    write_fixed(out, llround(quality * 1e6), QUALITY_DECIMALS);
}

static void write_hex(struct buf *out, uint64_t value)
{
    char text[16];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
    buf_add(out, (struct str){text, sizeof(text)});
}

/* Whether one more item fits, with all that must follow. */
static bool has_room(const struct buf *out)
{
    return out->limit - out->len > ITEM_BYTES_MAX + CLOSING_BYTES_MAX;
}

static void write_name(struct buf *out, const char *before, struct str name)
{
    buf_add_c(out, before);
    buf_add(out, str_slice(name, 0, ITEM_BYTES_MAX / 2));
    buf_add_char(out, '"');
}

struct best {
    size_t arms[DECISION_ARMS_MAX];
    double utility[DECISION_ARMS_MAX];
    size_t count;
};

/* Those of [from, to) by utility, behind what is there already. */
static void add_best(struct best *b, const struct pool_choice *choice, size_t from, size_t to)
{
    size_t behind = b->count;
    for (size_t arm = from; arm < to && behind < DECISION_ARMS_MAX; arm++) {
        const struct estimate *e = &choice->estimates[arm];
        double u = (double)e->quality -
                   choice->decision.lambda * (double)estimate_weighed_nano_usd(e) * 1e-9;
        bool full = b->count == DECISION_ARMS_MAX;
        if (arm == b->arms[0] || (full && u <= b->utility[b->count - 1]))
            continue;
        size_t at = full ? b->count - 1 : b->count++;
        for (; at > behind && u > b->utility[at - 1]; at--) {
            b->arms[at] = b->arms[at - 1];
            b->utility[at] = b->utility[at - 1];
        }
        b->arms[at] = arm;
        b->utility[at] = u;
    }
}

/* The chosen one, experts, plans: whether they were candidates or not. */
static void write_estimates(const struct pool *p, const struct pool_choice *choice, struct buf *out)
{
    size_t experts = pool_settings(p)->expert_count;
    struct best best = {.arms = {choice->decision.arm}, .count = 1};
    add_best(&best, choice, 0, experts);
    add_best(&best, choice, experts, choice->arm_count);
    buf_add(out, STR(",\"estimates\":{"));
    for (size_t i = 0; i < best.count && has_room(out); i++) {
        const struct estimate *e = &choice->estimates[best.arms[i]];
        write_name(out, i ? ",\"" : "\"", choice->arms[best.arms[i]].name);
        buf_add(out, STR(":["));
        write_quality(out, (double)e->quality);
        buf_add_char(out, ',');
        write_usd(out, e->cost_nano_usd);
        buf_add_char(out, ']');
    }
    buf_add_char(out, '}');
}

static void write_ruled_out(const struct pool_choice *choice, struct buf *out)
{
    const char *before = "\"";
    buf_add(out, STR(",\"ruled_out\":{"));
    for (size_t i = 0; i < choice->arm_count && has_room(out); i++) {
        if (!choice->ruled_out[i])
            continue;
        write_name(out, before, choice->arms[i].name);
        buf_add(out, STR(":\""));
        buf_add(out, str_slice(str_from(choice->ruled_out[i]), 0, ITEM_BYTES_MAX / 4));
        buf_add_char(out, '"');
        before = ",\"";
    }
    buf_add_char(out, '}');
}

static void write_order(const struct pool *p, const struct pool_choice *choice, const char *key,
                        size_t from, size_t to, struct buf *out)
{
    buf_add_c(out, key);
    for (size_t i = from; i < to && has_room(out); i++)
        write_name(out, i > from ? ",\"" : "\"", pool_arm_at(p, choice->order[i])->name);
    buf_add_char(out, ']');
}

/* What of the input was taken for cached, where any was. */
static void write_cached(const struct pool *p, const struct pool_choice *choice, struct buf *out)
{
    bool any = false;
    size_t experts = pool_settings(p)->expert_count;
    for (size_t i = 0; choice->cached_tokens && i < experts && has_room(out); i++) {
        if (choice->cached_tokens[i] == 0)
            continue;
        write_name(out, any ? ",\"" : ",\"cached_tokens\":{\"", choice->arms[i].name);
        buf_add_char(out, ':');
        write_fixed(out, choice->cached_tokens[i], 0);
        any = true;
    }
    if (any)
        buf_add_char(out, '}');
}

/* Whose turn went on. */
static void write_holder(const struct pool *p, const struct pool_choice *choice, struct buf *out)
{
    const struct pool_target *t = &choice->target;
    if (!t->is_held)
        return;
    if (t->holder == SIZE_MAX)
        buf_add(out, STR(",\"turn_of\":null"));
    else
        write_name(out, ",\"turn_of\":\"", pool_arm_at(p, t->holder)->name);
}

/* One piece: a list of members, each where there is room. */
void decision_write(const struct pool *p, const struct pool_choice *choice, struct buf *out)
{
    const struct decision *d = &choice->decision;
    const struct plan *plan = &choice->arms[d->arm];
    write_order(p, choice, "{\"members\":[", 0, plan->member_count, out);
    buf_add(out, STR(",\"quality\":"));
    write_quality(out, d->quality);
    buf_add(out, STR(",\"cost_usd\":"));
    write_usd(out, d->cost_nano_usd);
    buf_add(out, STR(",\"model_checksum\":\""));
    write_hex(out, model_checksum(pool_model(p)));
    buf_add_char(out, '"');
    write_estimates(p, choice, out);
    if (choice->estimates[d->arm].unfamiliar > 0) {
        buf_add(out, STR(",\"unfamiliar\":"));
        write_quality(out, (double)choice->estimates[d->arm].unfamiliar);
    }
    write_order(p, choice, ",\"fallbacks\":[", plan->member_count, choice->order_count, out);
    write_ruled_out(choice, out);
    write_cached(p, choice, out);
    write_holder(p, choice, out);
    if (has_room(out))
        silences_write(p, choice, out);
    if (has_room(out))
        silences_write_paid(p, choice, out);
    buf_add_char(out, '}');
}
