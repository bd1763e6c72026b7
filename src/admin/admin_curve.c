/* A curve as the orchestrator's own estimates have it: each of the last decisions is made again at every lambda of a
 * grid, over the estimates that were kept, and what would have been chosen is added up.
 *
 * Pure, any thread; it reads what the ledger holds, which may be of an earlier version or damaged, and passes over what
 * it cannot read. It must not be called on an event loop: a few hundred decisions take milliseconds. */
#include "admin/admin_curve.h"

#include <math.h>

#include "base/check.h"
#include "base/json.h"

#define GRID_FIRST (-8) /* lambda 10^(k/4): from 0.01 ... */
#define GRID_LAST  40   /* ... to 10^10; 0 before them */

/* Reading */

/* [quality, cost_usd] */
static bool read_estimate(struct json_value pair, struct estimate *into)
{
    struct json_iter it = json_iter_begin(pair);
    struct json_value item;
    double quality;
    int64_t nano_usd;
    if (pair.type != JSON_ARRAY || !json_array_next(&it, &item) ||
        json_to_double(item, &quality) != OK || !(quality >= 0) || quality > 1)
        return false;
    if (!json_array_next(&it, &item) || item.type != JSON_NUMBER ||
        money_parse_usd(item.raw, &nano_usd) != OK)
        return false;
    *into = (struct estimate){.quality = (float)quality, .cost_nano_usd = nano_usd};
    return true;
}

/* Names are compared as they are written: both come from one writer. */
static bool has_key(struct json_value object, struct json_value key)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value name, value;
    while (json_object_next(&it, &name, &value))
        if (str_equal(name.raw, key.raw))
            return true;
    return false;
}

static bool read_decision(struct str text, struct json_value *root)
{
    return text.len > 0 && json_parse(text, "decision", 1, root, NULL) == OK;
}

static bool read_estimates(struct json_value root, struct curve_decision *d)
{
    struct json_value ruled_out = json_get(root, "ruled_out"), name, pair;
    struct json_iter it = json_iter_begin(json_get(root, "estimates"));
    bool any = false;
    d->count = 0;
    while (json_object_next(&it, &name, &pair) && d->count < CURVE_ESTIMATES_MAX) {
        size_t i = d->count;
        if (!read_estimate(pair, &d->estimates[i]))
            continue;
        d->eligible[i] = !has_key(ruled_out, name);
        d->is_plan[i] = str_find(name.raw, STR("("), 0) != SIZE_MAX;
        any |= d->eligible[i];
        d->count++;
    }
    return any;
}

static size_t bin_of(double share)
{
    return share >= 1 ? CURVE_BINS - 1 : (size_t)(share * CURVE_BINS);
}

/* How far apart the estimates of experts lie between which it was decided. */
static void add_doubt(struct curve *c, const struct curve_decision *d)
{
    double low = 1, high = 0;
    size_t experts = 0;
    for (size_t i = 0; i < d->count; i++) {
        if (!d->eligible[i] || d->is_plan[i])
            continue;
        low = fmin(low, (double)d->estimates[i].quality);
        high = fmax(high, (double)d->estimates[i].quality);
        experts++;
    }
    if (experts > 1)
        c->doubt[bin_of(high - low)].count++;
}

enum status curve_init(struct curve *c, uint64_t checksum, struct arena *a, struct error *err)
{
    *c = (struct curve){
        .checksum = checksum,
        .decisions = ARENA_ARRAY(a, CURVE_DECISIONS_MAX, struct curve_decision),
    };
    return c->decisions ? OK : error_set(err, ERR_MEMORY, "out of memory for decisions");
}

void curve_add_decision(struct curve *c, struct str decision, int64_t begin_ms)
{
    struct json_value root;
    uint64_t checksum;
    if (c->count == CURVE_DECISIONS_MAX || !read_decision(decision, &root) ||
        !read_estimates(root, &c->decisions[c->count]))
        return;
    struct str by = json_inside(json_get(root, "model_checksum"));
    add_doubt(c, &c->decisions[c->count]);
    c->of_model += str_to_hash(by, &checksum) == OK && checksum == c->checksum;
    c->from_ms = c->count && c->from_ms < begin_ms ? c->from_ms : begin_ms;
    c->to_ms = c->count && c->to_ms > begin_ms ? c->to_ms : begin_ms;
    c->count++;
}

static bool find_estimate(struct json_value root, struct str expert, double *ret)
{
    struct json_iter it = json_iter_begin(json_get(root, "estimates"));
    struct json_value name, pair;
    struct estimate e;
    while (json_object_next(&it, &name, &pair))
        if (json_string_equal(name, expert) && read_estimate(pair, &e)) {
            *ret = (double)e.quality;
            return true;
        }
    return false;
}

void curve_add_score(struct curve *c, struct str decision, struct str plan, struct str expert,
                     double quality, double score)
{
    struct json_value root;
    bool own = str_equal(plan, STR("single")) && read_decision(decision, &root);
    if (own)
        (void)find_estimate(root, expert, &quality);
    if (!(quality >= 0) || quality > 1 || !(score >= 0) || score > 1)
        return;
    struct curve_bin *bin = &c->calibration[bin_of(quality)];
    bin->count++;
    bin->predicted += quality;
    bin->observed += score;
}

/* Writing */

static void write_real(struct buf *out, const char *key, double value)
{
    buf_addf(out, "\"%s\":", key);
    json_write_double(out, value);
}

struct point {
    double quality, cost_usd; /* means */
};

static struct point decide_all(const struct curve *c, double lambda)
{
    struct point sum = {0, 0};
    const struct policy policy = {.lambda = lambda};
    for (size_t i = 0; i < c->count; i++) {
        const struct curve_decision *d = &c->decisions[i];
        struct decision chosen;
        CHECK(decide(&policy, lambda, d->estimates, d->eligible, d->count, &chosen, NULL) == OK);
        sum.quality += chosen.quality;
        sum.cost_usd += money_usd(chosen.cost_nano_usd);
    }
    return (struct point){sum.quality / (double)c->count, sum.cost_usd / (double)c->count};
}

/* Lambdas that choose the same are one point, the first. */
static void write_points(const struct curve *c, struct buf *out)
{
    struct point last = {-1, -1};
    const char *before = "";
    buf_add_c(out, ",\"curve\":[");
    for (int k = GRID_FIRST - 1; c->count && k <= GRID_LAST; k++) {
        double lambda = k < GRID_FIRST ? 0 : pow(10, k / 4.0);
        struct point p = decide_all(c, lambda);
        if (p.quality == last.quality && p.cost_usd == last.cost_usd)
            continue;
        buf_addf(out, "%s{", before);
        write_real(out, "lambda", lambda);
        buf_add_char(out, ',');
        write_real(out, "quality", p.quality);
        buf_add_char(out, ',');
        write_real(out, "cost_usd", p.cost_usd);
        buf_add_char(out, '}');
        before = ",";
        last = p;
    }
    buf_add_char(out, ']');
}

static void write_bins(const struct curve_bin *bins, const char *key, bool means, struct buf *out)
{
    const char *before = "";
    buf_addf(out, ",\"%s\":[", key);
    for (size_t i = 0; i < CURVE_BINS; i++) {
        const struct curve_bin *b = &bins[i];
        if (means && b->count == 0)
            continue;
        buf_addf(out, "%s{", before);
        write_real(out, "from", (double)i / CURVE_BINS);
        buf_add_char(out, ',');
        write_real(out, "to", (double)(i + 1) / CURVE_BINS);
        buf_addf(out, ",\"n\":%zu", b->count);
        if (means) {
            buf_add_char(out, ',');
            write_real(out, "predicted", b->predicted / (double)b->count);
            buf_add_char(out, ',');
            write_real(out, "observed", b->observed / (double)b->count);
        }
        buf_add_char(out, '}');
        before = ",";
    }
    buf_add_char(out, ']');
}

static void write_basis(const struct curve *c, struct buf *out)
{
    size_t scores = 0;
    for (size_t i = 0; i < CURVE_BINS; i++)
        scores += c->calibration[i].count;
    buf_addf(out, ",\"basis\":{\"requests\":%zu,\"of_this_model\":%zu,\"feedback\":%zu", c->count,
             c->of_model, scores);
    if (c->count)
        buf_addf(out, ",\"from_ms\":%lld,\"to_ms\":%lld", (long long)c->from_ms,
                 (long long)c->to_ms);
    else
        buf_add_c(out, ",\"from_ms\":null,\"to_ms\":null");
    buf_addf(out,
             ",\"says\":\"curve and doubt: the last decisions in the ledger, at most %d, with the "
             "best %d estimates of each, among those that could serve; calibration: the last "
             "feedback\"}",
             CURVE_DECISIONS_MAX, CURVE_ESTIMATES_MAX);
}

void curve_write(const struct curve *c, struct buf *out)
{
    bool any = false;
    for (size_t i = 0; i < CURVE_BINS; i++)
        any |= c->doubt[i].count > 0;
    write_points(c, out);
    write_bins(c->calibration, "calibration", true, out);
    if (any)
        write_bins(c->doubt, "doubt", false, out);
    else
        buf_add_c(out, ",\"doubt\":[]");
    write_basis(c, out);
}
