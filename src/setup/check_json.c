/* What `leeroo check` found, for programs: one object.
 *
 * It writes what command_check.c has gathered and finds nothing by itself; check_print.c says the same for people, so a
 * new finding goes to both. Members keep their names and order once they are told. */
#include <inttypes.h>

#include "base/json.h"
#include "base/money.h"
#include "setup/check_print.h"

#define JSON_BYTES_MAX (4u << 20)

static void member(struct buf *b, const char *before, const char *name)
{
    buf_addf(b, "%s\"%s\":", before, name);
}

static void text(struct buf *b, const char *before, const char *name, struct str value)
{
    member(b, before, name);
    json_write_string(b, value);
}

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

static void write_reply(struct buf *b, const struct check_reply *r)
{
    text(b, ",\"connect\":{", "result", str_from(check_reach_name(r->reach)));
    buf_addf(b, ",\"fine\":%s,\"http_status\":%d,\"took_ms\":%llu,\"models\":%zu",
             truth(check_reach_fine(r->reach)), r->http_status, (unsigned long long)r->took_ms,
             r->models);
    if (r->text[0])
        text(b, ",", "error", str_from(r->text));
    buf_add_char(b, '}');
}

static void write_price_source(struct buf *b, const struct config_origin *origin)
{
    text(b, ",", "from", str_from(config_price_source_name(origin->price_from)));
    if (origin->price_from != CONFIG_PRICE_OF_CATALOGUE)
        return;
    text(b, ",", "provider", origin->known->provider);
    text(b, ",", "date", origin->known->date);
}

/* origins NULL: prices are all the configuration's. `placed`: on what its estimates are founded, where it has no
 * outcomes; NULL: on outcomes. */
static void write_expert(struct buf *b, const struct expert *list,
                         const struct config_origin *origins, size_t i, const char *placed,
                         const struct check_reply *reply)
{
    const struct expert *e = &list[i];
    text(b, i ? ",{" : "{", "name", e->name);
    text(b, ",", "dialect", str_from(e->dialect->name));
    text(b, ",", "url", e->url);
    text(b, ",", "upstream_model", e->upstream_model);
    if (e->parameters.len > 0) {
        buf_add_c(b, ",\"parameters\":");
        buf_add(b, e->parameters);
    }
    buf_addf(b, ",\"key\":%s,\"context\":%u,\"price\":{\"input\":", truth(e->api_key.len > 0),
             e->context_tokens);
    money_format_usd(b, e->price.input_nano_usd_per_m);
    buf_add_c(b, ",\"output\":");
    money_format_usd(b, e->price.output_nano_usd_per_m);
    if (origins)
        write_price_source(b, &origins[i]);
    buf_addf(b,
             "},\"limits\":{\"concurrency\":%u,\"requests_per_minute\":%u,"
             "\"tokens_per_minute\":%u}",
             e->limits.concurrency, e->limits.requests_per_minute, e->limits.tokens_per_minute);
    if (placed)
        text(b, ",", "placed", str_from(placed));
    if (reply)
        write_reply(b, reply);
    buf_add_char(b, '}');
}

static void write_encoder(struct buf *b, const struct check_encoder *e)
{
    text(b, "{", "name", str_from(e->name));
    text(b, ",", "where", str_from(e->where));
    buf_addf(b, ",\"used\":%s,\"tried\":%s,\"fine\":%s,\"width\":%zu,\"ms\":", truth(e->used),
             truth(e->tried), truth(e->status == OK), e->width);
    json_write_double(b, e->ms);
    buf_addf(b, ",\"file_bytes\":%llu", (unsigned long long)e->file_bytes);
    if (e->status != OK)
        text(b, ",", "error", str_from(e->text));
    buf_add_char(b, '}');
}

static void write_verify(struct buf *b, const struct check_verify *v)
{
    const struct verify_settings *s = v->settings;
    text(b, ",\"verify\":{", "name", s->name);
    text(b, ",", "kind", str_from(verify_kind_name(s->kind)));
    buf_addf(b, ",\"strict\":%s,\"tried\":%s,\"fine\":%s", truth(s->strict), truth(v->tried),
             truth(v->fine));
    if (v->tried) {
        text(b, ",", "verdict", str_from(verify_verdict_name(v->end.verdict)));
        text(b, ",", "why", str_from(v->end.why));
        buf_addf(b, ",\"took_ms\":%llu", (unsigned long long)v->end.elapsed_ms);
    }
    buf_add_char(b, '}');
}

static void write_policy(struct buf *b, const struct check_found *f, size_t i)
{
    const struct config *c = f->config;
    const struct route_policy *p = &c->policies[i];
    text(b, i ? ",{" : "{", "name", p->name);
    buf_addf(b, ",\"default\":%s,\"lambda\":", truth(i == c->default_policy));
    json_write_double(b, p->policy.lambda);
    buf_add_c(b, ",\"budget\":");
    json_write_double(b, p->policy.budget_usd_per_1k);
    buf_add_c(b, ",\"min_quality\":");
    json_write_double(b, p->policy.min_quality);
    buf_add_c(b, ",\"max_cost\":");
    money_format_usd(b, p->policy.max_cost_nano_usd);
    text(b, ",", "plans", p->plans.len ? p->plans : STR("all"));
    buf_add_c(b, ",\"experts\":[");
    for (size_t e = 0, n = 0; e < c->expert_count; e++)
        if (!p->use || p->use[e]) {
            buf_add_c(b, n++ ? "," : "");
            json_write_string(b, c->experts[e].name);
        }
    buf_add_char(b, ']');
    for (size_t k = 0; k < f->verify_count; k++)
        if (f->verify[k].policy == i)
            write_verify(b, &f->verify[k]);
    buf_add_char(b, '}');
}

static void write_alias(struct buf *b, const struct config *c, size_t i)
{
    const struct model_alias *a = &c->aliases[i];
    bool is_expert = a->expert != SIZE_MAX;
    buf_add_c(b, i ? "," : "");
    json_write_string(b, a->pattern);
    buf_addf(b, ":\"%s%.*s\"", is_expert ? "" : "leeroo/",
             STR_FMT(is_expert ? c->experts[a->expert].name : c->policies[a->policy].name));
}

/* The members in the order of the object. */
static void write_config(struct buf *b, const struct check_found *f)
{
    const struct config *c = f->config;
    text(b, ",", "listen", c->listen);
    buf_addf(b, ",\"tls\":%s,\"state\":%s,\"ledger\":%s", truth(c->tls.certificate),
             truth(c->state_dir), truth(c->ledger.store));
    buf_add_c(b, ",\"start\":{");
    check_start_json(&f->start, b);
    buf_add_char(b, '}');
    text(b, ",\"page\":{", "url", str_from(f->page.url));
    text(b, ",", "opens", str_from(f->page.on ? page_opens_name(f->page.opens) : "off"));
    buf_addf(b, ",\"admin_keys\":%zu}", f->page.admin_keys);
    bool is_prior = config_all_placed(c);
    buf_addf(b, ",\"model\":{\"prior\":%s", truth(is_prior));
    if (!is_prior)
        text(b, ",", "path", str_from(c->model_path));
    buf_addf(
        b, ",\"checksum\":\"%016" PRIx64 "\",\"experts\":%zu,\"plans\":%zu,\"idle_plans\":%zu}",
        model_checksum(f->model), model_expert_count(f->model),
        model_arm_count(f->model) - model_expert_count(f->model), setup_idle_plans(c, f->model));
    text(b, ",", "reference", c->experts[c->reference].name);
    buf_add_c(b, ",\"experts\":[");
    for (size_t i = 0; i < c->expert_count; i++)
        write_expert(b, c->experts, c->origins, i, c->placed ? c->placed[i] : NULL,
                     f->replies ? &f->replies[i] : NULL);
    buf_add_c(b, "],\"embeddings\":[");
    for (size_t i = 0; i < c->embedder_count; i++)
        write_expert(b, c->embedders, NULL, i, NULL, NULL);
    buf_add_c(b, "],\"encoders\":[");
    for (size_t i = 0; i < f->encoder_count; i++) {
        buf_add_c(b, i ? "," : "");
        write_encoder(b, &f->encoders[i]);
    }
    buf_addf(b, "],\"memory_bytes\":%llu,\"policies\":[", (unsigned long long)f->memory_bytes);
    for (size_t i = 0; i < c->policy_count; i++)
        write_policy(b, f, i);
    buf_add_c(b, "],\"aliases\":{");
    for (size_t i = 0; i < c->alias_count; i++)
        write_alias(b, c, i);
    buf_add_c(b, "},\"warnings\":[");
    for (size_t i = 0; i < f->warning_count; i++) {
        text(b, i ? ",{" : "{", "what", str_from(f->warnings[i].what));
        if (f->warnings[i].policy.len)
            text(b, ",", "policy", f->warnings[i].policy);
        if (f->warnings[i].expert.len)
            text(b, ",", "expert", f->warnings[i].expert);
        text(b, ",", "mend", str_from(f->warnings[i].mend));
        buf_add_char(b, '}');
    }
    buf_add_char(b, ']');
}

static void write_problem(struct buf *b, const char *before, const struct error *problem)
{
    buf_add_c(b, before);
    text(b, "{", "message", str_from(problem->text));
    buf_addf(b, ",\"line\":%zu,\"column\":%zu}", problem->line, problem->column);
}

void check_print_json(const struct check_found *f, FILE *out)
{
    struct buf b;
    buf_init(&b, JSON_BYTES_MAX);
    text(&b, "{", "config", str_from(f->path));
    buf_addf(&b, ",\"fine\":%s", truth(f->fine));
    if (f->config)
        write_config(&b, f);
    if (f->problems.count > 0) {
        write_problem(&b, ",\"error\":", &f->problems.list[0]);
    }
    buf_add_c(&b, ",\"problems\":[");
    for (size_t i = 0; i < f->problems.count; i++)
        write_problem(&b, i ? "," : "", &f->problems.list[i]);
    buf_add_char(&b, ']');
    buf_add_c(&b, "}\n");
    fwrite(b.ptr, 1, b.len, out);
    buf_done(&b);
}
