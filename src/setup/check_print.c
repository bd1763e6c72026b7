/* What `leeroo check` found, for people: a few lines on the whole, a table of experts, one of policies, then what to
 * look at.
 *
 * It prints what command_check.c has gathered and finds nothing by itself; check_json.c says the same for programs, so
 * a new finding goes to both. Widths are counted in bytes: names are those of the configuration. */
#include "setup/check_print.h"

#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "infer/infer_engine.h"

static const char *auth_text(const struct config *c)
{
    switch (c->auth) {
    case AUTH_REQUIRED:
        return "keys asked for";
    case AUTH_OFF:
        return "nobody asked for a key";
    default:
        return c->remote ? "keys asked for" : "keys asked for once there are any";
    }
}

static void print_whole(const struct check_found *f, FILE *out)
{
    const struct config *c = f->config;
    fprintf(out, "%-10s%.*s, %s, %s\n", "listen", STR_FMT(c->listen),
            c->tls.certificate ? "TLS" : "plain HTTP", auth_text(c));
    fprintf(out, "%-10s%s%s%s\n", "page", f->page.url, f->page.on ? ", " : "",
            page_reach_text(&f->page));
    size_t idle = setup_idle_plans(c, f->model);
    fprintf(out, "%-10s%s (%016" PRIx64 "), %zu experts, %zu plans", "model",
            config_all_placed(c) ? "none yet, estimates are a prior" : c->model_path,
            model_checksum(f->model), model_expert_count(f->model),
            model_arm_count(f->model) - model_expert_count(f->model));
    if (idle)
        fprintf(out, " (%zu over experts that are not configured)", idle);
    fputc('\n', out);
    fprintf(out, "%-10s%.*s\n", "reference", STR_FMT(c->experts[c->reference].name));
    check_start_print(&f->start, out);
}

static int width_of(const struct config *c)
{
    size_t width = 6;
    for (size_t i = 0; i < c->expert_count; i++)
        width = c->experts[i].name.len > width ? c->experts[i].name.len : width;
    for (size_t i = 0; i < c->embedder_count; i++)
        width = c->embedders[i].name.len > width ? c->embedders[i].name.len : width;
    for (size_t i = 0; i < c->encoder_count; i++)
        width = strlen(c->encoders[i].name) > width ? strlen(c->encoders[i].name) : width;
    for (size_t i = 0; i < c->policy_count; i++)
        width = c->policies[i].name.len > width ? c->policies[i].name.len : width;
    return (int)width;
}

static void print_limits(const struct expert_limits *l, FILE *out)
{
    const char *before = "; at most ";
    if (l->concurrency) {
        fprintf(out, "%s%u at once", before, l->concurrency);
        before = ", ";
    }
    if (l->requests_per_minute) {
        fprintf(out, "%s%u requests a minute", before, l->requests_per_minute);
        before = ", ";
    }
    if (l->tokens_per_minute)
        fprintf(out, "%s%u tokens a minute", before, l->tokens_per_minute);
}

static void print_price_source(const struct config_origin *origin, FILE *out)
{
    fprintf(out, "; price of %s",
            origin->price_from == CONFIG_PRICE_CONFIGURED ? "the configuration"
            : origin->price_from == CONFIG_PRICE_OF_MODEL ? "the model file"
                                                          : "the catalogue");
    if (origin->price_from == CONFIG_PRICE_OF_CATALOGUE)
        fprintf(out, " (%.*s, %.*s)", STR_FMT(origin->known->provider),
                STR_FMT(origin->known->date));
}

/* Where all prices are the configuration's, as `leeroo init` writes them, none is worth a word. */
static bool is_worth_telling(const struct config_origin *origins, size_t count)
{
    for (size_t i = 0; origins && i < count; i++)
        if (origins[i].price_from != CONFIG_PRICE_CONFIGURED)
            return true;
    return false;
}

/* What a model in this process is. */
static void print_model(const struct expert *e, FILE *out)
{
    const struct infer_engine *engine = e->gguf ? infer_find(e->url) : NULL;
    if (!engine)
        return;
    const struct infer_facts f = infer_facts_of(engine);
    fprintf(out, " (%s, %zu slots)", f.lm->description, f.slots);
}

/* origins NULL: prices are all the configuration's. */
static void print_experts(const char *what, const struct expert *list,
                          const struct config_origin *origins, size_t count, int width, FILE *out)
{
    fprintf(out, "\n%-*s  %-9s  %-4s  %8s  %8s  %8s  %s\n", width, what, "dialect", "key", "in $/M",
            "out $/M", "context", "asked as");
    const bool told = is_worth_telling(origins, count);
    for (size_t i = 0; i < count; i++) {
        const struct expert *e = &list[i];
        char context[16] = "-";
        if (e->context_tokens)
            snprintf(context, sizeof(context), "%u", e->context_tokens);
        fprintf(out, "%-*.*s  %-9s  %-4s  %8.6g  %8.6g  %8s  %.*s at %.*s", width, STR_FMT(e->name),
                e->dialect->name, e->api_key.len ? "set" : "none",
                money_usd(e->price.input_nano_usd_per_m), money_usd(e->price.output_nano_usd_per_m),
                context, STR_FMT(e->upstream_model), STR_FMT(e->url));
        print_model(e, out);
        if (e->parameters.len > 0)
            fprintf(out, " with %.*s", STR_FMT(e->parameters));
        print_limits(&e->limits, out);
        if (told)
            print_price_source(&origins[i], out);
        fputc('\n', out);
    }
}

/* Whose estimates are no more than a prior, and on what it is founded. */
static void print_placed(const struct config *c, int width, FILE *out)
{
    bool any = false;
    for (size_t i = 0; c->placed && i < c->expert_count; i++) {
        if (!c->placed[i])
            continue;
        fprintf(out, "%s%-*.*s  %s\n", any ? "" : "\n", width, STR_FMT(c->experts[i].name),
                c->placed[i]);
        any = true;
    }
    if (any)
        fprintf(out, "`leeroo play` asks and judges them, and learns what they are worth\n");
}

static void print_rule(const struct policy *p, FILE *out)
{
    if (p->budget_usd_per_1k > 0)
        fprintf(out, "budget %.6g USD per 1,000 requests", p->budget_usd_per_1k);
    else if (p->min_quality > 0)
        fprintf(out, "quality at least %.6g", p->min_quality);
    else if (p->lambda > 0)
        fprintf(out, "lambda %.6g", p->lambda);
    else
        fprintf(out, "the best predicted");
    if (p->max_cost_nano_usd > 0)
        fprintf(out, ", at most %.9g USD a request", money_usd(p->max_cost_nano_usd));
}

static void print_policies(const struct config *c, int width, FILE *out)
{
    fprintf(out, "\n%-*s  rule\n", width, "policy");
    for (size_t i = 0; i < c->policy_count; i++) {
        const struct route_policy *p = &c->policies[i];
        fprintf(out, "%-*.*s  ", width, STR_FMT(p->name));
        print_rule(&p->policy, out);
        for (size_t e = 0, n = 0; p->use && e < c->expert_count; e++)
            if (p->use[e])
                fprintf(out, "%s%.*s", n++ ? ", " : "; only ", STR_FMT(c->experts[e].name));
        if (p->plans.len)
            fprintf(out, "; plans %.*s", STR_FMT(p->plans));
        fprintf(out, "%s\n", i == c->default_policy ? "  (default)" : "");
    }
}

static void print_aliases(const struct config *c, FILE *out)
{
    if (c->alias_count > 0)
        fputc('\n', out);
    for (size_t i = 0; i < c->alias_count; i++) {
        const struct model_alias *a = &c->aliases[i];
        bool is_expert = a->expert != SIZE_MAX;
        fprintf(out, "alias %.*s is %s%.*s\n", STR_FMT(a->pattern), is_expert ? "" : "leeroo/",
                STR_FMT(is_expert ? c->experts[a->expert].name : c->policies[a->policy].name));
    }
}

static void print_reply(const struct expert *e, const struct check_reply *r, int width, FILE *out)
{
    fprintf(out, "%-*.*s  %s", width, STR_FMT(e->name), check_reach_name(r->reach));
    if (r->http_status)
        fprintf(out, ", HTTP %d in %llu ms", r->http_status, (unsigned long long)r->took_ms);
    if (r->reach == REACH_NO_MODEL)
        fprintf(out, ": '%.*s' is not among the %zu that it lists", STR_FMT(e->upstream_model),
                r->models);
    if (r->reach == REACH_REFUSED)
        fprintf(out, ": %s", e->api_key.len ? "it does not take the key" : "it wants an api_key");
    if (r->reach == REACH_LOADING)
        fprintf(out, ": it is loading, or has too much to do; ask again");
    fprintf(out, "%s%s\n", r->text[0] ? ": " : "", r->text);
}

static void print_encoder(const struct check_encoder *e, int width, FILE *out)
{
    fprintf(out, "%-*s  %s", width, e->name, e->status == OK ? e->where : e->text);
    if (!e->tried)
        fputs(", not asked (--connect asks it)", out);
    else if (e->status == OK)
        fprintf(out, ", %zu numbers in %.1f ms", e->width, e->ms);
    if (e->status == OK && e->file_bytes)
        fprintf(out, ", a file of %.0f MB", (double)e->file_bytes * 1e-6);
    fputc('\n', out);
}

static void print_verify(const struct config *c, const struct check_verify *v, int width, FILE *out)
{
    const struct verify_end *end = &v->end;
    const char *before = ": ";
    fprintf(out, "%-*.*s  %.*s", width, STR_FMT(c->policies[v->policy].name),
            STR_FMT(v->settings->name));
    if (!v->tried && v->settings->kind == VERIFY_HTTP)
        fputs(", not asked (--connect asks it)", out);
    else if (!v->tried)
        fputs(v->settings->kind == VERIFY_EXPERT ? ", an expert" : ", of the request itself", out);
    else if (!v->fine)
        fputs(", cannot be asked", out);
    else if (end->abstains)
        fprintf(out, ", says nothing of a sample in %llu ms", (unsigned long long)end->elapsed_ms);
    else
        fprintf(out, ", %s a sample in %llu ms", end->verdict == VERIFY_PASS ? "passes" : "rejects",
                (unsigned long long)end->elapsed_ms);
    fprintf(out, "%s%s%s\n", end->why[0] ? before : "", end->why,
            v->settings->strict ? "; strict" : "");
}

/* "all well", or who cannot be asked. */
static void print_verdict(const struct check_found *f, FILE *out)
{
    bool heard = true, held = true;
    for (size_t i = 0; i < f->encoder_count; i++)
        heard &= f->encoders[i].status == OK;
    for (size_t i = 0; i < f->verify_count; i++)
        held &= f->verify[i].fine;
    const char *const who[] = {f->asked ? NULL : "experts", heard ? NULL : "encoders",
                               held ? NULL : "checks"};
    const char *before = "not all ";
    for (size_t i = 0; i < 3; i++)
        if (who[i]) {
            fprintf(out, "%s%s", before, who[i]);
            before = " and ";
        }
    if (!f->asked || !heard || !held)
        fprintf(out, " can be asked%s", f->problems.count ? ", and " : "\n");
    if (f->problems.count)
        fprintf(out, "%zu problem%s\n", f->problems.count + f->problems.more,
                f->problems.count == 1 ? "" : "s");
    else if (f->asked && heard && held)
        fputs("all well\n", out);
}

static void print_warnings(const struct check_found *f, FILE *out)
{
    if (f->warning_count)
        fputc('\n', out);
    for (size_t i = 0; i < f->warning_count; i++) {
        const struct setup_warning *w = &f->warnings[i];
        fprintf(out, "warning: %s", w->what);
        if (w->policy.len)
            fprintf(out, " (%.*s)", STR_FMT(w->policy));
        fprintf(out, "; %s\n", w->mend);
    }
}

/* One piece: the parts of the page in their order. */
void check_print_text(const struct check_found *f, FILE *out)
{
    const struct config *c = f->config;
    if (!c)
        return; /* the message goes to standard error */
    int width = width_of(c);
    print_whole(f, out);
    print_experts("expert", c->experts, c->origins, c->expert_count, width, out);
    if (c->embedder_count > 0)
        print_experts("embeds", c->embedders, NULL, c->embedder_count, width, out);
    print_placed(c, width, out);
    if (f->encoder_count)
        fprintf(out, "\n%-*s  reads questions\n", width, "encoder");
    for (size_t i = 0; i < f->encoder_count; i++)
        print_encoder(&f->encoders[i], width, out);
    if (f->memory_bytes)
        fprintf(out, "\n%.0f MB of memory with all models loaded\n",
                (double)f->memory_bytes * 1e-6);
    print_policies(c, width, out);
    print_aliases(c, out);
    if (f->verify_count)
        fprintf(out, "\n%-*s  its answers are checked by\n", width, "policy");
    for (size_t i = 0; i < f->verify_count; i++)
        print_verify(c, &f->verify[i], width, out);
    if (f->replies)
        fputc('\n', out);
    for (size_t i = 0; f->replies && i < c->expert_count; i++)
        print_reply(&c->experts[i], &f->replies[i], width, out);
    print_warnings(f, out);
    fprintf(out, "\n%s: %zu expert%s, %zu polic%s, ", f->path, c->expert_count,
            c->expert_count == 1 ? "" : "s", c->policy_count, c->policy_count == 1 ? "y" : "ies");
    print_verdict(f, out);
}
