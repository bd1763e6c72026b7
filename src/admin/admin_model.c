/* GET /v1/admin/model: what decides, what it makes of the experts, and how it has decided lately. At the desk: the
 * ledger is read, and means over the model's sample are taken.
 *
 * What is about the model comes from the snapshot that the request began with; what is about traffic from the ledger,
 * where there is one, and is empty where there is none. It must not be called on a loop. */
#include <math.h>
#include <sys/stat.h>

#include "admin/admin_curve.h"
#include "admin/admin_int.h"
#include "base/clock.h"
#include "base/json.h"
#include "store/search.h"

/* The model */

static const char *kind_of(const struct config *c)
{
    size_t placed = 0;
    for (size_t i = 0; c->placed && i < c->expert_count; i++)
        placed += c->placed[i] != NULL;
    return placed == 0 ? "outcomes" : placed == c->expert_count ? "prior" : "mixed";
}

static void write_model(const struct snapshot *s, struct buf *out)
{
    const struct config *c = s->config;
    const char *kind = kind_of(c);
    struct stat st;
    bool file = !config_all_placed(c) && c->model_path && stat(c->model_path, &st) == 0;
    size_t rows = 0;
    for (size_t i = 0; i < model_expert_count(s->model); i++) {
        size_t n = model_expert_at(s->model, i)->outcomes;
        rows = n > rows ? n : rows;
    }
    buf_addf(out, "{\"model\":{\"checksum\":\"%016llx\",\"kind\":\"%s\"",
             (unsigned long long)model_checksum(s->model), kind);
    figures_write_text(out, "file", file ? str_from(c->model_path) : STR(""));
    if (file)
        buf_addf(out, ",\"rows\":%zu,\"trained_ms\":%lld}", rows,
                 (long long)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000);
    else
        buf_add_c(out, ",\"rows\":null,\"trained_ms\":null}");
    figures_write_text(out, "reference", c->experts[c->reference].name);
}

/* Experts */

/* Of each of the model's arms over its sample, at the prices in force. */
struct means {
    double *quality, *cost_usd; /* [arms]; NULL: there is no sample, or no memory for it */
};

static struct means means_of(const struct snapshot *s, struct arena *a)
{
    const struct model *m = s->model;
    struct model_sample sample = model_sample(m);
    struct means ret = {ARENA_ARRAY(a, sample.arms, double), ARENA_ARRAY(a, sample.arms, double)};
    struct price *prices = ARENA_ARRAY(a, model_expert_count(m), struct price);
    float *costs = sample.rows ? ARENA_ARRAY(a, sample.rows * sample.arms, float) : NULL;
    if (!ret.quality || !ret.cost_usd || !prices || !costs)
        return (struct means){0};
    for (size_t i = 0; i < model_expert_count(m); i++)
        prices[i] = model_expert_at(m, i)->price;
    for (size_t i = 0; i < s->config->expert_count; i++) {
        size_t k = model_expert_index(m, s->config->experts[i].name);
        if (k != SIZE_MAX)
            prices[k] = s->config->experts[i].price;
    }
    model_sample_price(m, prices, costs);
    for (size_t i = 0; i < sample.rows * sample.arms; i++) {
        ret.quality[i % sample.arms] += (double)sample.quality[i] / (double)sample.rows;
        ret.cost_usd[i % sample.arms] += (double)costs[i] / (double)sample.rows;
    }
    return ret;
}

static void write_expert(const struct snapshot *s, size_t i, const struct means *means,
                         double share, struct buf *out)
{
    const struct config *c = s->config;
    size_t k = model_expert_index(s->model, c->experts[i].name);
    const struct model_expert *e = k == SIZE_MAX ? NULL : model_expert_at(s->model, k);
    const char *placed = c->placed ? c->placed[i] : NULL;
    buf_add_c(out, "{\"name\":");
    json_write_string(out, c->experts[i].name);
    figures_write_real(out, "quality", !e ? NAN : means->quality ? means->quality[k] : e->accuracy);
    figures_write_real(out, "cost_usd",
                       !e               ? NAN
                       : means->quality ? means->cost_usd[k]
                                        : e->mean_cost_usd);
    if (e && !placed)
        buf_addf(out, ",\"outcomes\":%zu", e->outcomes);
    else
        buf_add_c(out, ",\"outcomes\":null");
    buf_addf(out, ",\"placed\":\"%s\"", placed ? "prior" : "outcomes");
    figures_write_text(out, "why", str_from(placed));
    figures_write_real(out, "answered_share", share);
    buf_add_char(out, '}');
}

static enum status write_experts(struct figures *f, const struct snapshot *s, struct arena *a,
                                 struct buf *out, struct error *err)
{
    const struct config *c = s->config;
    struct str *names = ARENA_ARRAY(a, c->expert_count, struct str);
    struct history_expert *heard = ARENA_ARRAY(a, c->expert_count, struct history_expert);
    struct history_now now;
    uint64_t answered = 0;
    if (!names || !heard)
        return error_set(err, ERR_MEMORY, "out of memory for experts");
    for (size_t i = 0; i < c->expert_count; i++)
        names[i] = c->experts[i].name;
    history_read(f->history, names, c->expert_count, &now, heard);
    for (size_t i = 0; i < c->expert_count; i++)
        answered += heard[i].answered;
    struct means means = means_of(s, a);
    buf_add_c(out, ",\"experts\":[");
    for (size_t i = 0; i < c->expert_count; i++) {
        buf_add_c(out, i ? "," : "");
        write_expert(s, i, &means, answered ? (double)heard[i].answered / (double)answered : NAN,
                     out);
    }
    buf_add_char(out, ']');
    return OK;
}

/* Policies */

struct points {
    const struct config *config;
    struct search_policy *found; /* [policy_count] */
};

static void take_policy(const struct search_policy *p, void *arg)
{
    struct points *points = arg;
    for (size_t i = 0; i < points->config->policy_count; i++)
        if (str_equal(points->config->policies[i].name, p->policy))
            points->found[i] = *p;
}

/* That of a budget is in force now; one that wants a quality has none. */
static double lambda_of(const struct route_policy *p, const struct budget_named *budgets,
                        size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(budgets[i].name, p->name))
            return budgets[i].lambda;
    return p->policy.min_quality > 0 ? NAN : p->policy.lambda;
}

/* One piece: the configuration's policies, with what budgets and ledger say of each. */
static enum status write_policies(struct figures *f, const struct snapshot *s, struct arena *a,
                                  struct buf *out, struct error *err)
{
    const struct config *c = s->config;
    struct points points = {c, ARENA_ARRAY(a, c->policy_count, struct search_policy)};
    size_t count = pool_budgets(s->pool, NULL);
    struct budget_named *budgets = ARENA_ARRAY(a, count + 1, struct budget_named);
    enum status status = OK;
    if (!points.found || !budgets)
        return error_set(err, ERR_MEMORY, "out of memory for policies");
    pool_budgets(s->pool, budgets);
    if (f->reader)
        status = desk_ledger_status(
            ledger_read_policies(f->reader, history_period_begin(HISTORY_DAY, clock_wall_ms()),
                                 take_policy, &points, err),
            err);
    buf_add_c(out, ",\"policies\":[");
    for (size_t i = 0; i < c->policy_count; i++) {
        const struct search_policy *p = &points.found[i];
        buf_add_c(out, i ? ",{\"name\":" : "{\"name\":");
        json_write_string(out, c->policies[i].name);
        figures_write_real(out, "lambda", lambda_of(&c->policies[i], budgets, count));
        figures_write_real(out, "quality", p->requests ? p->quality : NAN);
        figures_write_real(out, "cost_usd", p->requests ? p->cost_usd : NAN);
        buf_addf(out, ",\"requests\":%lld}", (long long)p->requests);
    }
    buf_add_char(out, ']');
    return status;
}

/* The object */

static void take_decision(const struct search_decision *d, void *arg)
{
    curve_add_decision(arg, d->decision, d->begin_ms);
}

static void take_score(const struct search_score *s, void *arg)
{
    curve_add_score(arg, s->decision, s->plan, s->expert, s->quality, s->score);
}

static enum status write_traffic(struct figures *f, const struct snapshot *s, struct arena *a,
                                 struct buf *out, struct error *err)
{
    struct curve curve;
    enum status status = curve_init(&curve, model_checksum(s->model), a, err);
    if (status == OK && f->reader)
        status = desk_ledger_status(
            ledger_read_decisions(f->reader, CURVE_DECISIONS_MAX, take_decision, &curve, err), err);
    if (status == OK && f->reader)
        status = desk_ledger_status(ledger_read_scores(f->reader, take_score, &curve, err), err);
    if (status == OK)
        curve_write(&curve, out);
    return status;
}

static enum status write_all(struct figures *f, struct desk_job *job, struct arena *a,
                             struct error *err)
{
    const struct snapshot *s = job->snapshot;
    enum status status = f->reader ? desk_ledger(f, job, err) : OK;
    if (status != OK)
        return status;
    write_model(s, &job->out);
    status = write_experts(f, s, a, &job->out, err);
    if (status == OK)
        status = write_policies(f, s, a, &job->out, err);
    if (status == OK)
        status = write_traffic(f, s, a, &job->out, err);
    buf_add_char(&job->out, '}');
    return status;
}

void admin_model(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    figures_ask(w, x, caller, write_all, STR(""));
}
