/* GET /v1/admin/requests: those that are looked for, page by page; GET /v1/admin/requests/ID: one with all that is
 * known of it, whoever's it is.
 *
 * The handlers belong to the loop of their worker and only hand over what is asked; the rest is the desk's: the ledger,
 * the names of keys, and the file of kept prompts, which are shown to whoever is let in here and to nobody else. */
#include <string.h>

#include "admin/admin_filter.h"
#include "admin/admin_int.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "base/percent.h"
#include "keys/client_keys.h"
#include "store/kept.h"
#include "watch/request_json.h"

#define REQUEST_PATH STR("/v1/admin/requests/")
#define KEYS_USUAL   64

/* Names of keys, by their ids */

struct key_labels {
    struct arena *arena;
    struct map *index; /* NULL: no memory */
    struct str *names;
    size_t count, capacity;
};

static void take_label(void *arg, const struct key_row *row, const struct key_spent *spent)
{
    struct key_labels *n = arg;
    struct str id = arena_copy(n->arena, row->id), name = arena_copy(n->arena, row->name);
    (void)spent;
    if (n->count == n->capacity) {
        size_t more = n->capacity ? 2 * n->capacity : KEYS_USUAL;
        struct str *names = ARENA_ARRAY(n->arena, more, struct str);
        if (!names)
            return;
        for (size_t i = 0; i < n->count; i++)
            names[i] = n->names[i];
        n->names = names;
        n->capacity = more;
    }
    if (id.ptr && name.ptr && map_put(n->index, id, (uint32_t)n->count) == OK)
        n->names[n->count++] = name;
}

static struct key_labels read_labels(struct figures *f, struct arena *a)
{
    struct key_labels n = {.arena = a, .index = map_create(KEYS_USUAL)};
    if (n.index)
        keys_each(f->gateway->keys, clock_wall_ms(), take_label, &n);
    return n;
}

static struct str label_of(const struct key_labels *n, struct str id)
{
    uint32_t at;
    return n->index && map_get(n->index, id, &at) ? n->names[at] : STR("");
}

/* A row of the list */

/* What a check said of the answer that stands, which is in the request's calls. */
static struct str verdict_of(const struct ledger_found *f)
{
    struct json_value list, call;
    struct str verdict = STR("");
    if (f->calls.len == 0 || json_parse(f->calls, "calls", 1, &list, NULL) != OK)
        return verdict;
    for (struct json_iter it = json_iter_begin(list); json_array_next(&it, &call);)
        if (json_string_equal(json_get(call, "checked"), f->expert))
            verdict = json_inside(json_get(call, "verdict"));
    return verdict;
}

static void write_integer(struct buf *out, const char *key, int64_t value, int64_t unknown)
{
    buf_addf(out, ",\"%s\":", key);
    if (value == unknown)
        buf_add_c(out, "null");
    else
        buf_add_int(out, value);
}

/* One piece: the members in their order. */
static void write_row(const struct ledger_found *f, const struct key_labels *keys, struct buf *out)
{
    buf_add_c(out, "{\"id\":");
    json_write_string(out, f->id);
    buf_addf(out, ",\"begin_ms\":%lld", (long long)f->begin_ms);
    figures_write_text(out, "front", f->front);
    figures_write_text(out, "key", f->key);
    figures_write_text(out, "key_name", label_of(keys, f->key));
    figures_write_text(out, "model", f->model);
    figures_write_text(out, "policy", f->policy);
    figures_write_text(out, "plan", f->plan);
    figures_write_text(out, "expert", f->expert);
    figures_write_text(out, "outcome", f->outcome);
    write_integer(out, "http_status", f->http_status, 0);
    figures_write_usd(out, "cost_usd", f->cost_nano_usd);
    if (f->reference_nano_usd)
        figures_write_usd(out, "reference_usd", f->reference_nano_usd);
    else
        buf_add_c(out, ",\"reference_usd\":null");
    figures_write_real(out, "quality", f->quality);
    figures_write_real(out, "lambda", f->lambda);
    write_integer(out, "input_tokens", f->input_tokens, -1);
    write_integer(out, "output_tokens", f->output_tokens, -1);
    write_integer(out, "first_token_ms", f->first_token_ms, -1);
    write_integer(out, "total_ms", f->total_ms, -1);
    write_integer(out, "attempts", f->attempts, -1);
    buf_addf(out, ",\"cached\":%s", f->cached ? "true" : "false");
    figures_write_text(out, "problem", f->problem);
    buf_addf(out, ",\"stream\":%s", f->stream ? "true" : "false");
    figures_write_text(out, "verified", verdict_of(f));
    buf_add_char(out, '}');
}

static void write_page(const struct search_page *page, const struct key_labels *keys,
                       struct buf *out)
{
    buf_add_c(out, "{\"requests\":[");
    for (size_t i = 0; i < page->count; i++) {
        buf_add_c(out, i ? "," : "");
        write_row(&page->rows[i], keys, out);
    }
    buf_add_c(out, "],\"next\":");
    if (page->more) {
        const struct ledger_found *last = &page->rows[page->count - 1];
        struct buf place;
        buf_init(&place, 2 * SEARCH_TEXT_BYTES_MAX);
        admin_filter_write_place(&(struct search_place){last->begin_ms, last->id}, &place);
        json_write_string(out, buf_str(&place));
        buf_done(&place);
    } else {
        buf_add_c(out, "null");
    }
    buf_add_char(out, '}');
}

static enum status find_requests(struct figures *f, struct desk_job *job, struct arena *a,
                                 struct error *err)
{
    struct ledger_search wanted;
    struct search_page page;
    enum status status = admin_filter_read(job->asked, a, &wanted, err);
    if (status == OK)
        status = desk_ledger(f, job, err);
    if (status == OK)
        status = desk_ledger_status(ledger_search(f->reader, &wanted, a, &page, err), err);
    if (status != OK)
        return status;
    struct key_labels keys = read_labels(f, a);
    write_page(&page, &keys, &job->out);
    map_free(keys.index);
    return OK;
}

/* One request */

static void write_trace(const struct ledger_found *found, struct buf *out)
{
    struct json_value decision = {0};
    if (found->decision.len > 0 &&
        json_parse(found->decision, "decision", 1, &decision, NULL) != OK)
        decision = (struct json_value){0};
    figures_write_text(out, "trace_id", json_inside(json_get(decision, "trace_id")));
}

/* Where prompts are not kept, or this one was not, or is forgotten, there is none to show. */
static void write_prompt(const struct config *c, struct str id, struct arena *a, struct buf *out)
{
    struct kept *k = NULL;
    struct str text = STR("");
    if (c->keep.file && kept_open(c->keep.file, KEPT_READ, &k, NULL) == OK &&
        kept_find(k, id, a, &text, NULL) != OK)
        text = STR("");
    kept_close(k);
    figures_write_text(out, "prompt", text);
}

static enum status find_request(struct figures *f, struct desk_job *job, struct arena *a,
                                struct error *err)
{
    struct ledger_found found;
    enum status status = desk_ledger(f, job, err);
    if (status != OK)
        return status;
    status = ledger_read_request(f->reader, job->asked, a, &found, err);
    if (status == ERR_NOT_FOUND && !job->is_fresh)
        return error_set(err, ERR_OVERLOAD,
                         "the ledger's storage is away; if the request is a recent one, it is "
                         "not there yet");
    if (status != ERR_NOT_FOUND)
        status = desk_ledger_status(status, err);
    if (status != OK)
        return status;
    struct key_labels keys = read_labels(f, a);
    request_json_write(&found, NULL, &job->out);
    if (job->out.len > 0 && job->out.status == OK)
        job->out.len--; /* the brace: more members follow */
    figures_write_text(&job->out, "key_name", label_of(&keys, found.key));
    write_trace(&found, &job->out);
    write_prompt(job->snapshot->config, found.id, a, &job->out);
    buf_add_char(&job->out, '}');
    map_free(keys.index);
    return OK;
}

void admin_requests(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    figures_ask(w, x, caller, find_requests, x->query);
}

void admin_request(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    struct str id = percent_decode(str_slice(x->path, REQUEST_PATH.len, x->path.len), x->arena);
    if (id.len == 0 || memchr(id.ptr, 0, id.len) || !utf8_valid(id))
        answer_error(x, NULL, ERR_NOT_FOUND, "no request of that id is in the ledger", NULL, NULL);
    else
        figures_ask(w, x, caller, find_request, id);
}
