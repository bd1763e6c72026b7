/* Entries of streams: see share_entry.h.
 *
 * Pure: no sockets, no memory of its own, nothing but views into the words of an entry, on any thread. An entry may
 * have been put there by anybody who has the password: every value has a length or a range, texts are UTF-8, and what
 * will not do is refused by its name, so that a person can find out who has written it. */
#include "share/share_entry.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"

#define RUN_BYTES_MAX 100

/* Writing */

static void add_text(struct share_words *w, struct str name, struct str value)
{
    CHECK(w->count + 2 <= SHARE_FIELDS_MAX);
    w->words[w->count++] = name;
    w->words[w->count++] = value;
}

static void add_number(struct share_words *w, struct str name, int64_t value)
{
    CHECK(w->number_count < sizeof(w->numbers) / sizeof(w->numbers[0]));
    char *into = w->numbers[w->number_count++];
    snprintf(into, sizeof(w->numbers[0]), "%" PRId64, value);
    add_text(w, name, str_from(into));
}

static void add_asked(struct share_words *w, uint64_t asked)
{
    char *into = w->numbers[w->number_count++];
    snprintf(into, sizeof(w->numbers[0]), "%016" PRIx64, asked);
    add_text(w, STR("asked"), str_from(into));
}

void share_call_write(const struct share_call *c, struct share_words *w)
{
    w->count = w->number_count = 0;
    add_text(w, STR("key"), c->key);
    add_text(w, STR("expert"), c->expert);
    add_asked(w, c->asked);
    add_text(w, STR("system"), c->system);
    add_text(w, STR("user"), c->user);
    add_number(w, STR("output_tokens"), c->output_tokens);
    add_number(w, STR("most_nano_usd"), c->most_nano_usd);
}

static const char *const ends[] = {
    [SHARE_ANSWERED] = "answered", [SHARE_BROKEN] = "broken", [SHARE_TOO_DEAR] = "too dear"};

static void add_certainty(struct share_words *w, const struct certainty *c)
{
    struct buf text;
    if (!c->known)
        return;
    buf_init(&text, sizeof(w->certainty));
    certainty_write(c, &text);
    snprintf(w->certainty, sizeof(w->certainty), "%.*s", STR_FMT(buf_str(&text)));
    buf_done(&text);
    add_text(w, STR("certainty"), str_from(w->certainty));
}

void share_result_write(const struct share_result *r, struct share_words *w)
{
    w->count = w->number_count = 0;
    add_text(w, STR("key"), r->key);
    add_text(w, STR("expert"), r->expert);
    add_asked(w, r->asked);
    add_text(w, STR("paid"), r->paid);
    add_text(w, STR("end"), str_from(ends[r->end]));
    add_text(w, STR("text"), r->text);
    add_number(w, STR("http_status"), r->http_status);
    add_text(w, STR("basis"), str_from(cost_basis_name(r->basis)));
    add_number(w, STR("input_tokens"), r->input_tokens);
    add_number(w, STR("output_tokens"), r->output_tokens);
    add_number(w, STR("cost_nano_usd"), r->cost_nano_usd);
    add_number(w, STR("latency_ms"), r->latency_ms);
    add_certainty(w, &r->certainty);
}

/* Reading */

struct reading {
    const struct str *words;
    size_t count;
    struct error *err;
};

static enum status lacks(const struct reading *r, const char *name, const char *what)
{
    return error_set(r->err, ERR_INPUT, "an entry's \"%s\" should be %s", name, what);
}

/* The last of that name counts. */
static bool find(const struct reading *r, const char *name, struct str *ret)
{
    bool found = false;
    for (size_t i = 0; i + 1 < r->count; i += 2)
        if (str_equal(r->words[i], str_from(name))) {
            *ret = r->words[i + 1];
            found = true;
        }
    return found;
}

static enum status read_text(const struct reading *r, const char *name, size_t min, size_t max,
                             struct str *ret)
{
    struct str text;
    if (!find(r, name, &text) || text.len < min)
        return lacks(r, name, "there");
    if (text.len > max)
        return lacks(r, name, "shorter");
    if (!utf8_valid(text))
        return lacks(r, name, "UTF-8");
    *ret = text;
    return OK;
}

/* Without a NUL or an end of line: what a journal and a person can take. */
static enum status read_name(const struct reading *r, const char *name, size_t max, struct str *ret)
{
    struct str text;
    enum status status = read_text(r, name, 1, max, &text);
    if (status == OK && !utf8_printable(text))
        return lacks(r, name, "printable");
    if (status == OK)
        *ret = text;
    return status;
}

static enum status read_number(const struct reading *r, const char *name, int64_t *ret)
{
    struct str text;
    int64_t number;
    if (!find(r, name, &text) || str_to_int64(text, &number) != OK || number < 0)
        return lacks(r, name, "a whole number from 0");
    *ret = number;
    return OK;
}

static enum status read_asked(const struct reading *r, uint64_t *ret)
{
    struct str text = STR("");
    const bool good = find(r, "asked", &text) && str_to_hash(text, ret) == OK;
    return good ? OK : lacks(r, "asked", "16 hexadecimal digits");
}

static enum status read_call(const struct reading *r, struct share_call *c)
{
    enum status status = read_text(r, "key", 1, SHARE_NAME_BYTES, &c->key);
    if (status == OK)
        status = read_name(r, "expert", SHARE_NAME_BYTES, &c->expert);
    if (status == OK)
        status = read_asked(r, &c->asked);
    if (status == OK)
        status = read_text(r, "system", 0, SHARE_TEXT_BYTES, &c->system);
    if (status == OK)
        status = read_text(r, "user", 0, SHARE_TEXT_BYTES, &c->user);
    if (status == OK)
        status = read_number(r, "output_tokens", &c->output_tokens);
    return status == OK ? read_number(r, "most_nano_usd", &c->most_nano_usd) : status;
}

enum status share_call_parse(const struct str *words, size_t count, struct share_call *ret,
                             struct error *err)
{
    const struct reading r = {words, count, err};
    struct share_call c = {.asked = 0};
    enum status status = read_call(&r, &c);
    if (status == OK)
        *ret = c;
    return status;
}

static enum status read_end(const struct reading *r, enum share_end *ret)
{
    struct str text = STR("");
    if (find(r, "end", &text))
        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
            if (str_equal(text, str_from(ends[i]))) {
                *ret = (enum share_end)i;
                return OK;
            }
    return lacks(r, "end", "answered, broken or too dear");
}

static enum status read_basis(const struct reading *r, enum cost_basis *ret)
{
    struct str text = STR("");
    const bool good = find(r, "basis", &text) && cost_basis_read(text, ret);
    return good ? OK : lacks(r, "basis", "usage, estimated, predicted or limited");
}

/* Only of an expert that tells log-probabilities. */
static enum status read_certainty(const struct reading *r, struct certainty *ret)
{
    struct str text;
    struct json_value list;
    if (!find(r, "certainty", &text))
        return OK;
    bool good = json_parse(text, "certainty", 1, &list, NULL) == OK && certainty_read(list, ret);
    return good ? OK : lacks(r, "certainty", "[mean, least, last]");
}

static enum status read_numbers(const struct reading *r, struct share_result *x)
{
    int64_t http_status = 0;
    enum status status = read_number(r, "http_status", &http_status);
    if (status == OK && http_status > 999)
        status = lacks(r, "http_status", "at most 999");
    x->http_status = (int)http_status;
    if (status == OK)
        status = read_number(r, "input_tokens", &x->input_tokens);
    if (status == OK)
        status = read_number(r, "output_tokens", &x->output_tokens);
    if (status == OK)
        status = read_number(r, "cost_nano_usd", &x->cost_nano_usd);
    return status == OK ? read_number(r, "latency_ms", &x->latency_ms) : status;
}

static enum status read_result(const struct reading *r, struct share_result *x)
{
    enum status status = read_text(r, "key", 1, SHARE_NAME_BYTES, &x->key);
    if (status == OK)
        status = read_name(r, "expert", SHARE_NAME_BYTES, &x->expert);
    if (status == OK)
        status = read_asked(r, &x->asked);
    if (status == OK)
        status = read_name(r, "paid", SHARE_ID_BYTES - 1, &x->paid);
    if (status == OK)
        status = read_end(r, &x->end);
    if (status == OK)
        status = read_text(r, "text", 0, SHARE_TEXT_BYTES, &x->text);
    if (status == OK)
        status = read_basis(r, &x->basis);
    if (status == OK)
        status = read_certainty(r, &x->certainty);
    return status == OK ? read_numbers(r, x) : status;
}

enum status share_result_parse(const struct str *words, size_t count, struct share_result *ret,
                               struct error *err)
{
    const struct reading r = {words, count, err};
    struct share_result x = {.asked = 0};
    enum status status = read_result(&r, &x);
    if (status == OK)
        *ret = x;
    return status;
}

bool share_run_valid(struct str run)
{
    bool good = run.len > 0 && run.len <= RUN_BYTES_MAX && run.ptr[0] != '.';
    for (size_t i = 0; good && i < run.len; i++) {
        char c = run.ptr[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    }
    return good;
}
