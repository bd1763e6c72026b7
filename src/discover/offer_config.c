/* leeroo.yaml, as `leeroo init` writes it: what is marked, with comments that say where each figure is from and what
 * else could stand there.
 *
 * Texts that came from outside are quoted as JSON quotes them, which YAML reads, or made printable where they stand in
 * a comment; fuzz/fuzz_init.c holds the file to being read as what was offered. Pure functions, any thread. */
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "discover/offer.h"

enum { PORT = 8080, PORT_ELSE = 8090 };

static const char head[] =
    "# Written by `leeroo init` on %.*s. All keys: docs/configuration.md, or `man leeroo-serve`.\n"
    "# Is it right, do the experts answer:  leeroo check --connect\n"
    "# The gateway:                         leeroo serve\n"
    "\n"
    "listen: 127.0.0.1:%d\n"
    "state_dir: leeroo-state  # the ledger (`leeroo spend`), client keys, budgets; beside this "
    "file\n"
    "\n"
    "# Without a `model:` experts are placed by what is known of them. `leeroo play --spend 2` "
    "asks and judges them, and\n"
    "# learns who is good at what.\n"
    "\n"
    "experts:  # prices in USD per million tokens\n";

static const char tail[] = "\n"
                           "# Who is asked: utility = quality - lambda * USD. Clients choose by "
                           "`\"model\": \"leeroo/NAME\"`, or name an expert.\n"
                           "policies:\n"
                           "  default: {lambda: 10}   # a cent more must buy 0.1 of quality\n"
                           "  best: {lambda: 0}       # whatever it costs\n"
                           "  thrift: {lambda: 100}\n"
                           "  # steady: {budget: 2}   # USD per 1,000 requests\n";

static bool is_word(struct str s)
{
    static const struct str reserved[] = {STR_INIT("true"), STR_INIT("false"), STR_INIT("null"),
                                          STR_INIT("yes"),  STR_INIT("no"),    STR_INIT("on"),
                                          STR_INIT("off"),  STR_INIT("y"),     STR_INIT("n")};
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (str_equal_nocase(s, reserved[i]))
            return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || memchr("-._/", c, 4))))
            return false;
    }
    return s.len > 0;
}

static void write_text(struct buf *out, const char *key, struct str value)
{
    buf_addf(out, "%s: ", key);
    if (is_word(value))
        buf_add(out, value);
    else
        json_write_string(out, value);
    buf_add_char(out, '\n');
}

static void write_comment(struct buf *out, struct str text)
{
    char printable[200];
    size_t length = utf8_make_printable(printable, sizeof(printable), text);
    buf_add(out, (struct str){printable, length});
}

static void write_usd(struct buf *out, const char *key, int64_t nano_usd)
{
    struct buf text;
    buf_init(&text, 64);
    money_format_usd_short(&text, nano_usd);
    struct str s = buf_str(&text);
    if (str_ends(s, STR(".00")))
        s.len -= 3;
    buf_addf(out, "%s: %.*s", key, STR_FMT(s));
    buf_done(&text);
}

static void write_price_source(struct buf *out, const struct offer *o, struct str date)
{
    switch (o->price_from) {
    case OFFER_PRICE_OWN:
        buf_add_c(out, "runs on a machine of one's own; or what it costs you");
        break;
    case OFFER_PRICE_LISTED:
        buf_addf(out, "as its endpoint said on %.*s", STR_FMT(date));
        break;
    case OFFER_PRICE_CATALOGUE:
        buf_addf(out, "%.*s, %.*s", STR_FMT(o->known->source), STR_FMT(o->known->date));
        if (!o->endpoint->provider)
            buf_addf(out, ", as at %.*s", STR_FMT(o->known->provider));
        break;
    default:
        buf_add_c(out, "as given to leeroo init");
    }
}

static void write_price(struct buf *out, const struct offer *o, struct str date)
{
    const struct price *p = &o->price;
    write_usd(out, "    price: {input", p->input_nano_usd_per_m);
    write_usd(out, ", output", p->output_nano_usd_per_m);
    if (p->cached_saving_nano_usd_per_m)
        write_usd(out, ", cached_input", price_cached_input_nano_usd_per_m(p));
    if (p->cache_write_extra_nano_usd_per_m)
        write_usd(out, ", cache_write", price_cache_write_nano_usd_per_m(p));
    if (p->cache_write_1h_extra_nano_usd_per_m)
        write_usd(out, ", cache_write_1h", price_cache_write_1h_nano_usd_per_m(p));
    if (p->reasoning_extra_nano_usd_per_m)
        write_usd(out, ", reasoning", price_reasoning_nano_usd_per_m(p));
    buf_add_c(out, "}  # ");
    write_price_source(out, o, date);
    buf_add_char(out, '\n');
}

static bool is_openai(const struct offer *o)
{
    return o->endpoint->provider && (str_equal(o->endpoint->provider->name, STR("openai")) ||
                                     str_equal(o->endpoint->provider->name, STR("azure")));
}

static void write_limits(struct buf *out, const struct offer *o)
{
    bool ollama = str_equal(o->endpoint->list.server, STR("Ollama"));
    if (o->context_tokens)
        buf_addf(out, "    context: %u\n", o->context_tokens);
    else if (ollama)
        buf_add_c(out, "    # context: 4096  # as Ollama's num_ctx is; it cuts longer prompts "
                       "without a word\n");
    if (o->output_tokens)
        buf_addf(out, "    output_limit: %u\n", o->output_tokens);
    if (is_openai(o) && o->abilities & CATALOGUE_REASONING)
        buf_add_c(out, "    limit_name: max_completion_tokens\n");
}

static void write_abilities(struct buf *out, const struct offer *o)
{
    const char *before = "";
    if (!o->abilities_known)
        return;
    buf_add_c(out, "    capabilities: [");
    if (o->abilities & CATALOGUE_TOOLS) {
        buf_add_c(out, "tools");
        before = ", ";
    }
    if (o->abilities & CATALOGUE_IMAGES) {
        buf_addf(out, "%simages", before);
        before = ", ";
    }
    buf_addf(out, "%sjson%s]\n", before,
             is_openai(o) && o->abilities & CATALOGUE_REASONING ? ", effort" : "");
}

static void write_expert(struct buf *out, const struct offer *o, struct str date)
{
    const struct endpoint *s = o->endpoint;
    CHECK(s);
    write_text(out, "  - name", o->name);
    if (!str_equal(o->name, o->model->id))
        write_text(out, "    upstream_model", o->model->id);
    write_text(out, "    url", o->url);
    if (s->key_name)
        buf_addf(out, "    api_key: env:%s\n", s->key_name);
    if (s->dialect != &dialect_openai)
        buf_addf(out, "    dialect: %s\n", s->dialect->name);
    if (s->api_version.len > 0)
        write_text(out, "    api_version", s->api_version);
    write_price(out, o, date);
    write_limits(out, o);
    write_abilities(out, o);
}

/* llama-server's usual port is this gateway's, too. */
static bool is_taken(const struct offer_list *offers)
{
    for (size_t i = 0; i < offers->count; i++) {
        struct str url = offers->items[i].url;
        if (provider_is_loopback(url) && str_find(url, STR(":8080/"), 0) != SIZE_MAX)
            return true;
    }
    return false;
}

void offers_write_config(const struct offer_list *offers, struct str date, struct buf *out)
{
    const struct endpoint *last = NULL;
    buf_addf(out, head, STR_FMT(date), is_taken(offers) ? PORT_ELSE : PORT);
    for (size_t i = 0; i < offers->count; i++) {
        const struct offer *o = &offers->items[i];
        if (!o->marked)
            continue;
        if (o->endpoint != last) {
            buf_addf(out, "%s  # ", last ? "\n" : "");
            write_comment(out, o->endpoint->title);
            buf_add_char(out, '\n');
        }
        last = o->endpoint;
        write_expert(out, o, date);
    }
    buf_add_c(out, tail);
}
