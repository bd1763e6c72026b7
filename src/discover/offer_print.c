/* What `leeroo init` found: a line for each endpoint that was asked, and a table of the models there.
 *
 * It prints what command_init.c has gathered and finds nothing by itself. Texts of endpoints are shown only as far as
 * they are printable; keys are in none of them. Widths are counted in bytes. */
#include "discover/offer_print.h"

#include "base/check.h"
#include "base/file.h"
#include "base/json.h"

#define JSON_BYTES_MAX (256u << 20)
#define NAME_WIDTH_MAX 48

static const char *state_name(enum endpoint_state state)
{
    static const char *const names[] = {"not asked", "listed", "no list",     "refused",
                                        "not ready", "broken", "not reached", "a Leeroo gateway"};
    CHECK(state >= 0 && state <= ENDPOINT_GATEWAY);
    return names[state];
}

static void print_listed(const struct endpoint *s, FILE *out)
{
    const struct model_list *list = &s->list;
    if (s->from_catalogue)
        fprintf(out, "has no list of models (HTTP %d); of the catalogue: ", s->http_status);
    fprintf(out, "%zu model%s to chat with", list->count, list->count == 1 ? "" : "s");
    if (list->others)
        fprintf(out, ", and %zu other%s", list->others, list->others == 1 ? "" : "s");
    if (list->left_out)
        fprintf(out, "; %zu more are left out", list->left_out);
}

/* One line; one piece, because it is a row of words for each state. */
static void print_endpoint(const struct endpoint *s, FILE *out)
{
    char text[200];
    fprintf(out, "%.*s (%.*s%s%s): ", STR_FMT(s->title), STR_FMT(s->url), s->key_name ? ", " : "",
            s->key_name ? s->key_name : "");
    switch (s->state) {
    case ENDPOINT_NOT_ASKED:
        fprintf(out, "not asked; --yes asks it");
        break;
    case ENDPOINT_LISTED:
        print_listed(s, out);
        break;
    case ENDPOINT_GATEWAY:
        fprintf(out, "a Leeroo gateway; its experts are not asked through it");
        break;
    case ENDPOINT_NO_LIST:
        fprintf(out, "has no list of models (HTTP %d)", s->http_status);
        break;
    case ENDPOINT_REFUSED:
        fprintf(out, "%s (HTTP %d)", s->key_name ? "does not take the key" : "wants a key",
                s->http_status);
        break;
    case ENDPOINT_LOADING:
        fprintf(out, "not ready (HTTP %d): it is loading, or has too much to do; ask again",
                s->http_status);
        break;
    default:
        fprintf(out, "%s", state_name(s->state));
        if (s->http_status)
            fprintf(out, " (HTTP %d)", s->http_status);
    }
    if (s->text[0]) {
        utf8_make_printable(text, sizeof(text), str_from(s->text));
        fprintf(out, ": %s", text);
    }
    fputc('\n', out);
}

void offer_print_endpoints(const struct endpoint_list *s, bool quiet_ports, FILE *out)
{
    for (size_t i = 0; i < s->count; i++)
        if (!(quiet_ports && s->items[i].own && s->items[i].state == ENDPOINT_NOBODY))
            print_endpoint(&s->items[i], out);
}

static int width_of(const struct offer_list *offers)
{
    size_t width = 6;
    for (size_t i = 0; i < offers->count; i++)
        width = offers->items[i].name.len > width ? offers->items[i].name.len : width;
    return (int)(width < NAME_WIDTH_MAX ? width : NAME_WIDTH_MAX);
}

static void print_offer(const struct offer *o, size_t number, int width, FILE *out)
{
    fprintf(out, "%4zu %c %-*.*s ", number, o->marked ? '*' : ' ', width, STR_FMT(o->name));
    if (o->price_from == OFFER_UNPRICED)
        fprintf(out, "%9s %9s ", "?", "?");
    else
        fprintf(out, "%9.6g %9.6g ", money_usd(o->price.input_nano_usd_per_m),
                money_usd(o->price.output_nano_usd_per_m));
    if (o->context_tokens)
        fprintf(out, "%9u\n", o->context_tokens);
    else
        fprintf(out, "%9s\n", "-");
}

static void print_left_out(const struct offer_list *offers, FILE *out)
{
    size_t n = offers->responses_only;
    if (n)
        fprintf(out, "       %zu model%s left out, which %s behind /responses only\n", n,
                n == 1 ? "" : "s", n == 1 ? "is" : "are");
    if (offers->unnamed)
        fprintf(out, "       %zu left out: too many are called alike\n", offers->unnamed);
}

void offer_print_table(const struct offer_list *offers, size_t row_max, FILE *out)
{
    int width = width_of(offers);
    size_t rows = 0, hidden = 0;
    fprintf(out, "   #   %-*s %9s %9s %9s\n", width, "expert", "in $/M", "out $/M", "context");
    for (size_t i = 0; i < offers->count; i++) {
        const struct offer *o = &offers->items[i];
        if (i == 0 || o->endpoint != offers->items[i - 1].endpoint) {
            rows = hidden = 0;
            fprintf(out, "%.*s\n", STR_FMT(o->endpoint->title));
        }
        bool shown = row_max == 0 || o->marked || rows < row_max;
        if (shown)
            print_offer(o, i + 1, width, out);
        rows += shown;
        hidden += !shown;
        bool last = i + 1 == offers->count || offers->items[i + 1].endpoint != o->endpoint;
        if (last && hidden)
            fprintf(out, "       and %zu more, by name or number; --list shows them\n", hidden);
    }
    print_left_out(offers, out);
}

/* For programs */

static void text(struct buf *b, const char *before, const char *name, struct str value)
{
    buf_addf(b, "%s\"%s\":", before, name);
    json_write_string(b, value);
}

static void write_endpoint(struct buf *b, const struct endpoint *s)
{
    text(b, "{", "title", s->title);
    text(b, ",", "url", s->url);
    text(b, ",", "key", str_from(s->key_name));
    text(b, ",", "state", str_from(state_name(s->state)));
    buf_addf(b, ",\"http_status\":%d,\"models\":%zu,\"others\":%zu", s->http_status, s->list.count,
             s->list.others);
    if (s->text[0])
        text(b, ",", "error", str_from(s->text));
    buf_add_char(b, '}');
}

static void write_offer(struct buf *b, const struct offer *o)
{
    static const char *const names[] = {"unknown", "given", "listed", "catalogue", "own"};
    text(b, "{", "name", o->name);
    text(b, ",", "upstream_model", o->model->id);
    text(b, ",", "url", o->url);
    text(b, ",", "from", o->endpoint->title);
    buf_addf(b, ",\"context\":%u,\"output_limit\":%u,\"marked\":%s,\"price\":", o->context_tokens,
             o->output_tokens, o->marked ? "true" : "false");
    if (o->price_from == OFFER_UNPRICED) {
        buf_add_c(b, "null}");
        return;
    }
    buf_add_c(b, "{\"input\":");
    money_format_usd(b, o->price.input_nano_usd_per_m);
    buf_add_c(b, ",\"output\":");
    money_format_usd(b, o->price.output_nano_usd_per_m);
    text(b, ",", "from", str_from(names[o->price_from]));
    buf_add_c(b, "}}");
}

enum status offer_print_json(const struct endpoint_list *s, const struct offer_list *offers,
                             FILE *out, struct error *err)
{
    struct buf b;
    buf_init(&b, JSON_BYTES_MAX);
    buf_add_c(&b, "{\"endpoints\":[");
    for (size_t i = 0; i < s->count; i++) {
        buf_add_c(&b, i ? "," : "");
        write_endpoint(&b, &s->items[i]);
    }
    buf_add_c(&b, "],\"experts\":[");
    for (size_t i = 0; i < offers->count; i++) {
        buf_add_c(&b, i ? "," : "");
        write_offer(&b, &offers->items[i]);
    }
    buf_add_c(&b, "]}\n");
    return file_print(out, &b, err);
}
