/* What a request asks for beside its messages, in the body's "leeroo" or in x-leeroo-* headers: rows of a table of
 * member, header and type. All values become texts first, so that both ways are read by one reader and complain in the
 * same words. On the worker's thread; what is read lives in the exchange's arena. Whether the caller may have what it
 * asks for is not judged here, but in caller.c. */
#include "serve/target.h"

#include "base/hash.h"
#include "base/nearest.h"
#include "config/config_read.h"

#define TEXT_BYTES_MAX 16384 /* of one value, lists joined */
#define LAMBDA_MAX     1e15  /* as in leeroo.yaml */
#define MAX_LATENCY_MS 86400000.0

enum wish { EXPERTS, LAMBDA, MIN_QUALITY, MAX_COST, MAX_LATENCY, PLANS, PLAN, POLICY, WISHES };

static const struct row {
    const char *member, *header, *in_body; /* in_body: what errors call it */
    bool number, text, list;
    char separator; /* of a list as a text */
    const char *right;
} rows[WISHES] = {
    [EXPERTS] = {"experts", "x-leeroo-experts", "leeroo.experts", false, true, true, ',',
                 "must be a list of experts' names"},
    [LAMBDA] = {"lambda", "x-leeroo-lambda", "leeroo.lambda", true, false, false, 0,
                "must be a number, not negative: quality per USD"},
    [MIN_QUALITY] = {"min_quality", "x-leeroo-min-quality", "leeroo.min_quality", true, false,
                     false, 0, "must be a number above 0, at most 1"},
    [MAX_COST] = {"max_cost", "x-leeroo-max-cost", "leeroo.max_cost", true, true, false, 0,
                  "must be an amount in USD above 0, like 0.01"},
    [MAX_LATENCY] = {"max_latency", "x-leeroo-max-latency", "leeroo.max_latency", true, true, false,
                     0, "must be a duration above 0, like 1.5s, 800ms or 1500 (milliseconds)"},
    [PLANS] = {"plans", "x-leeroo-plans", "leeroo.plans", false, true, true, ';',
               "must be a text such as \"none\", or a list of them"},
    [PLAN] = {"plan", "x-leeroo-plan", "leeroo.plan", false, true, true, ';',
              "must be a text such as \"none\", or a list of them"},
    [POLICY] = {"policy", "x-leeroo-policy", "leeroo.policy", false, true, false, 0,
                "must be the name of a policy"},
};

struct value {
    struct str text;
    const char *param; /* NULL: not given */
};

struct reader {
    const struct pool *pool;
    const struct caller *caller;
    struct arena *arena;
    struct value values[WISHES];
    const char *param;
    struct error *err;
};

static enum status bad(struct reader *x, const char *param, const char *what)
{
    x->param = param;
    return error_set(x->err, ERR_INPUT, "%s %s", param, what);
}

static enum status wrong(struct reader *x, enum wish w)
{
    return bad(x, x->values[w].param, rows[w].right);
}

/* The body */

static enum status too_long(struct reader *x, enum wish w)
{
    return bad(x, rows[w].in_body, "is too long");
}

static enum status decode(struct reader *x, enum wish w, struct json_value item, struct str *ret)
{
    if (item.type != JSON_STRING || item.raw.len > TEXT_BYTES_MAX)
        return item.type == JSON_STRING ? too_long(x, w) : bad(x, rows[w].in_body, rows[w].right);
    if (json_string_decode(item, x->arena, ret) == OK)
        return OK;
    return error_set(x->err, ERR_MEMORY, "out of memory for a decision");
}

/* One piece: the buffer that joins the items has to go on every way out. */
static enum status join(struct reader *x, enum wish w, struct json_value list, struct str *ret)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value item;
    struct str text = {0};
    struct buf joined;
    enum status status = OK;
    size_t count = 0;
    buf_init(&joined, TEXT_BYTES_MAX);
    for (; status == OK && json_array_next(&it, &item); count++) {
        status = decode(x, w, item, &text);
        if (status != OK)
            break;
        if (count > 0)
            buf_add_char(&joined, rows[w].separator);
        buf_add(&joined, text);
    }
    if (status == OK && count == 0)
        status = bad(x, rows[w].in_body, rows[w].right);
    struct str copy = arena_copy(x->arena, buf_str(&joined));
    if (status == OK && joined.status == ERR_TOO_LARGE)
        status = too_long(x, w);
    else if (status == OK && (joined.status != OK || !copy.ptr))
        status = error_set(x->err, ERR_MEMORY, "out of memory for a decision");
    buf_done(&joined);
    if (status == OK)
        *ret = copy;
    return status;
}

static enum status read_member(struct reader *x, enum wish w, struct json_value item)
{
    const struct row *row = &rows[w];
    struct value *into = &x->values[w];
    if (into->param)
        return bad(x, row->in_body, "is given twice");
    into->param = row->in_body;
    if (item.type == JSON_NUMBER && row->number) {
        into->text = item.raw;
        return OK;
    }
    if (item.type == JSON_ARRAY && row->list)
        return join(x, w, item, &into->text);
    if (item.type == JSON_STRING && row->text)
        return decode(x, w, item, &into->text);
    return wrong(x, w);
}

static enum status unknown_member(struct reader *x, struct json_value key)
{
    const char *names[WISHES], *nearest;
    struct str name = str_slice(key.raw, 1, key.raw.len - 1);
    for (int w = 0; w < WISHES; w++)
        names[w] = rows[w].member;
    nearest = str_nearest(name, names, WISHES);
    x->param = "leeroo";
    if (nearest)
        return error_set(x->err, ERR_INPUT, "leeroo has no member '%.*s'; did you mean '%s'?",
                         STR_FMT(name), nearest);
    return error_set(x->err, ERR_INPUT,
                     "leeroo has no member '%.*s'; there are experts, lambda, min_quality, "
                     "max_cost, max_latency, plans and policy",
                     (int)(name.len < 60 ? name.len : 60), name.ptr);
}

static enum status read_body(struct reader *x, struct json_value leeroo)
{
    struct json_iter it = json_iter_begin(leeroo);
    struct json_value key, item;
    enum status status = OK;
    if (leeroo.type != JSON_NONE && leeroo.type != JSON_OBJECT)
        return bad(x, "leeroo", "must be an object such as {\"plans\": \"none\"}");
    while (status == OK && json_object_next(&it, &key, &item)) {
        int w = 0;
        while (w < WISHES && !json_string_equal(key, str_from(rows[w].member)))
            w++;
        status = w < WISHES ? read_member(x, (enum wish)w, item) : unknown_member(x, key);
    }
    return status;
}

/* Headers count where the body says nothing of the same thing. */
static void read_headers(struct reader *x, const struct http_exchange *http)
{
    bool target = x->values[LAMBDA].param || x->values[MIN_QUALITY].param;
    bool plans = x->values[PLANS].param || x->values[PLAN].param;
    for (int w = 0; w < WISHES; w++) {
        struct value *into = &x->values[w];
        bool said = ((w == LAMBDA || w == MIN_QUALITY) && target) ||
                    ((w == PLANS || w == PLAN) && plans) || into->param;
        struct str value = said ? (struct str){0} : http_header_get(http, rows[w].header);
        if (value.ptr)
            *into = (struct value){str_trim(value), rows[w].header};
    }
}

/* What the values mean */

static enum status exclude(struct reader *x, enum wish a, enum wish b)
{
    if (!x->values[a].param || !x->values[b].param)
        return OK;
    x->param = x->values[b].param;
    return error_set(x->err, ERR_INPUT, "%s and %s exclude each other", x->values[a].param,
                     x->values[b].param);
}

/* Nobody trades quality for money where one expert is asked for. */
static enum status refuse_for_expert(struct reader *x, const struct pool_target *t)
{
    static const enum wish choices[] = {LAMBDA, MIN_QUALITY, MAX_LATENCY, POLICY};
    if (t->expert == SIZE_MAX)
        return OK;
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++)
        if (x->values[choices[i]].param)
            return bad(x, x->values[choices[i]].param,
                       "says how to choose, but model names the expert");
    return OK;
}

static enum status apply_policy(struct reader *x, struct pool_target *t)
{
    const struct value *v = &x->values[POLICY];
    if (!v->param)
        return OK;
    size_t index = pool_policy_index(x->pool, v->text);
    if (index != SIZE_MAX) {
        t->policy = index;
        return OK;
    }
    x->param = v->param;
    return error_set(x->err, ERR_INPUT, "%s: there is no policy '%.*s'; /v1/models lists them",
                     v->param, (int)(v->text.len < 60 ? v->text.len : 60), v->text.ptr);
}

static enum status apply_numbers(struct reader *x, struct pool_target *t)
{
    const struct value *v = x->values;
    double number = 0;
    if (v[LAMBDA].param) {
        if (str_to_double(v[LAMBDA].text, &number) != OK || !(number >= 0 && number <= LAMBDA_MAX))
            return wrong(x, LAMBDA);
        t->has_lambda = true;
        t->lambda = number;
    }
    if (v[MIN_QUALITY].param) {
        if (str_to_double(v[MIN_QUALITY].text, &number) != OK || !(number > 0 && number <= 1))
            return wrong(x, MIN_QUALITY);
        t->min_quality = number;
    }
    if (v[MAX_COST].param && (money_parse_usd(v[MAX_COST].text, &t->max_cost_nano_usd) != OK ||
                              t->max_cost_nano_usd <= 0))
        return wrong(x, MAX_COST);
    if (v[MAX_LATENCY].param) {
        if (conf_parse_ms(v[MAX_LATENCY].text, &number) != OK ||
            !(number >= 1 && number <= MAX_LATENCY_MS))
            return wrong(x, MAX_LATENCY);
        t->max_latency_ms = (uint32_t)number;
    }
    return OK;
}

static enum status unknown_expert(struct reader *x, struct str name)
{
    const struct pool_settings *c = pool_settings(x->pool);
    const char *param = x->values[EXPERTS].param;
    struct buf known;
    buf_init(&known, 200);
    for (size_t i = 0; i < c->expert_count; i++)
        if (caller_may_hear_of(x->caller, c->experts[i].name))
            buf_addf(&known, "%s%.*s", known.len ? ", " : "", STR_FMT(c->experts[i].name));
    x->param = param;
    enum status status =
        error_set(x->err, ERR_INPUT, "%s: there is no expert '%.*s'; there are %s%s", param,
                  (int)(name.len < 60 ? name.len : 60), name.ptr, known.ptr ? known.ptr : "",
                  known.status == OK ? "" : ", ...");
    buf_done(&known);
    return status;
}

/* Who is not named may not serve. */
static enum status apply_experts(struct reader *x, struct pool_target *t)
{
    static const struct pool_bar bar = {"not in this request", ERR_INPUT};
    const struct pool_settings *c = pool_settings(x->pool);
    struct str rest = x->values[EXPERTS].text;
    if (!x->values[EXPERTS].param)
        return OK;
    bool *named = ARENA_ARRAY(x->arena, c->expert_count, bool), any = false;
    if (!named)
        return error_set(x->err, ERR_MEMORY, "out of memory for a decision");
    while (rest.len > 0) {
        struct str name = str_trim(str_split(&rest, ','));
        size_t i = expert_index(c->experts, c->expert_count, name);
        if (i == SIZE_MAX && name.len > 0)
            return unknown_expert(x, name);
        if (name.len > 0)
            any = named[i] = true;
    }
    if (!any)
        return wrong(x, EXPERTS);
    t->names_experts = true;
    for (size_t i = 0; i < c->expert_count; i++) {
        enum status status = named[i] ? OK : pool_bar_expert(x->pool, t, i, bar, x->arena, x->err);
        if (status != OK)
            return status;
    }
    return OK;
}

static enum status apply(struct reader *x, struct pool_target *t)
{
    enum status status = exclude(x, LAMBDA, MIN_QUALITY);
    if (status == OK)
        status = exclude(x, PLANS, PLAN);
    if (status == OK)
        status = refuse_for_expert(x, t);
    if (status == OK)
        status = apply_policy(x, t);
    if (status == OK)
        status = apply_numbers(x, t);
    if (status == OK)
        status = apply_experts(x, t);
    const struct value *plans = &x->values[x->values[PLAN].param ? PLAN : PLANS];
    t->plans = plans->text;
    t->plans_param = plans->param;
    return status;
}

enum status target_read(const struct pool *p, const struct caller *caller,
                        const struct http_exchange *x, const struct openai_request *r,
                        struct pool_target *ret, const char **ret_param, const char **ret_code,
                        struct error *err)
{
    struct reader reader = {.pool = p, .caller = caller, .arena = x->arena, .err = err};
    struct pool_target target;
    enum status status = pool_target_find(p, r->model, &target, err);
    if (status != OK) {
        *ret_param = "model";
        *ret_code = "model_not_found";
        return status;
    }
    status = read_body(&reader, r->leeroo);
    if (status == OK) {
        read_headers(&reader, x);
        status = apply(&reader, &target);
    }
    if (status != OK)
        *ret_param = reader.param;
    else
        *ret = target;
    return status;
}

struct str target_tenant(const struct caller *c)
{
    return client_key_id(c->key);
}

static bool has_cache(const struct pool_settings *c)
{
    for (size_t i = 0; i < c->expert_count; i++)
        if (affinity_has_cache(&c->experts[i]))
            return true;
    return false;
}

enum status target_recall(struct affinity *t, const struct pool *p, const struct openai_request *r,
                          struct str tenant, uint64_t now_ms, struct arena *a,
                          struct pool_target *target, struct error *err)
{
    const struct pool_settings *c = pool_settings(p);
    if (!affinity_is_worth_it(r) || !has_cache(c))
        return OK;
    struct affinity_prefix *prefix = ARENA_NEW(a, struct affinity_prefix);
    uint32_t *cached = ARENA_ARRAY(a, c->expert_count, uint32_t);
    if (!prefix || !cached)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    affinity_prefix_read(r, hash64(tenant, 0), a, prefix);
    affinity_find(t, prefix, c->experts, c->expert_count, now_ms, cached);
    target->prefix = prefix;
    target->cached_tokens = cached;
    return OK;
}

/* What clients call a session; Codex and Claude Code have names of their own. */
static struct str session_name(const struct http_exchange *x)
{
    static const char *const names[] = {"x-session-id", "session_id", "session-id",
                                        "conversation_id", "x-claude-code-session-id"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct str value = http_header_get(x, names[i]);
        if (value.len > 0)
            return value;
    }
    return STR("");
}

void target_hold(struct sessions *t, const struct http_exchange *x, const struct pool *p,
                 const struct openai_request *r, struct str tenant, uint64_t now_ms,
                 struct pool_target *target, struct session *ret)
{
    const struct pool_settings *c = pool_settings(p);
    *ret = (struct session){0};
    if (!session_is_worth_it(r))
        return;
    session_read(t, r, session_name(x), hash64(tenant, 0), now_ms, x->arena, ret);
    target->is_held = session_is_held(ret);
    target->holder = session_holder(ret, c->experts, c->expert_count);
}
