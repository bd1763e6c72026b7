/* The universe as one JSON object, for programs: see select_output.h. Every member is always there; what does not exist
 * is null or an empty list. Scores are shares of 1, costs USD per 1,000 questions.
 *
 * Pure functions from figures to bytes in a buffer, but for the one that prints it; any thread. Members may be added;
 * their names and units are relied upon and must not change. */
#include <math.h>

#include "base/file.h"
#include "base/json.h"
#include "print/select_output.h"

static void key(struct buf *b, const char *name)
{
    buf_addf(b, "\"%s\": ", name);
}

static void number(struct buf *b, const char *name, double value)
{
    buf_add_c(b, ", ");
    key(b, name);
    json_write_double(b, value); /* null for NaN */
}

static void write_names(const struct candidates *c, const size_t *members, size_t count,
                        struct buf *b)
{
    buf_add_char(b, '[');
    for (size_t i = 0; i < count; i++) {
        buf_add_c(b, i ? ", " : "");
        json_write_string(b, candidate_name(c, members[i]));
    }
    buf_add_char(b, ']');
}

static void write_promise(const struct selection *s, struct buf *b)
{
    buf_addf(b, ", \"optimal\": %s", s->promise == SELECTION_PROVED ? "true" : "false");
    number(b, "bound", s->bound * s->unit);
    number(b, "greedy_share", s->share ? 1 - exp(-1) : NAN);
}

static void write_steps(const struct universe *u, struct buf *b)
{
    buf_add_c(b, ",\n \"steps\": [");
    for (size_t i = 0; i < u->s.set.count; i++) {
        size_t member = u->s.set.members[i];
        double before = i ? u->s.set.values[i - 1] : 0;
        buf_add_c(b, i ? ",\n  {\"name\": " : "\n  {\"name\": ");
        json_write_string(b, candidate_name(u->c, member));
        number(b, "adds", (u->s.set.values[i] - before) * u->s.unit);
        number(b, "achieves", u->s.set.values[i] * u->s.unit);
        number(b, "usd_per_1k", candidate_usd(u->c->cost_nano_usd[member]));
        buf_add_char(b, '}');
    }
    buf_add_char(b, ']');
}

static void write_domains_of(const struct universe *u, const struct candidate_use *use,
                             struct buf *b)
{
    buf_add_c(b, ", \"domains\": {");
    for (size_t i = 0, n = 0; i < u->c->domains; i++) {
        if (use->domain_worth[i] <= 0)
            continue;
        buf_add_c(b, n++ ? ", " : "");
        json_write_string(b, u->c->domain[i]);
        buf_add_c(b, ": ");
        json_write_double(b, use->domain_worth[i]);
    }
    buf_add_char(b, '}');
}

static void write_candidates(const struct universe *u, struct buf *b)
{
    buf_add_c(b, ",\n \"candidates\": [");
    for (size_t i = 0; i < u->c->count; i++) {
        const struct candidate_use *use = &u->uses[i];
        buf_add_c(b, i ? ",\n  {\"name\": " : "\n  {\"name\": ");
        json_write_string(b, candidate_name(u->c, i));
        buf_addf(b, ", \"member\": %s", use->member ? "true" : "false");
        number(b, "score", u->c->score[i]);
        number(b, "usd_per_1k", candidate_usd(u->c->cost_nano_usd[i]));
        number(b, use->member ? "without" : "adds", use->member ? -use->worth : use->worth);
        number(b, use->member ? "without_se" : "adds_se", use->worth_error);
        number(b, "alone", use->alone);
        write_domains_of(u, use, b);
        buf_add_c(b, ", \"dominated_by\": ");
        if (use->dominated_by == SIZE_MAX) {
            buf_add_c(b, "null}");
            continue;
        }
        json_write_string(b, candidate_name(u->c, use->dominated_by));
        number(b, "behind", use->behind);
        number(b, "behind_se", use->behind_error);
        buf_add_char(b, '}');
    }
    buf_add_char(b, ']');
}

static void write_domain_set(const struct universe *u, const struct domain_set *d, struct buf *b)
{
    buf_add_c(b, "{\"domain\": ");
    json_write_string(b, u->c->domain[d->domain]);
    buf_addf(b, ", \"questions\": %zu, \"set\": ", d->questions);
    write_names(u->c, d->s.set.members, d->s.set.count, b);
    number(b, "achieves", selection_mean(&d->s));
    number(b, "usd_per_1k", candidate_usd(d->s.set.cost_nano_usd));
    write_promise(&d->s, b);
    buf_add_c(b, ", \"best_single\": ");
    json_write_string(b, candidate_name(u->c, d->best));
    number(b, "best_single_score", d->best_score);
    number(b, "all", d->all);
    buf_add_char(b, '}');
}

static void write_domain_sets(const struct universe *u, struct buf *b)
{
    buf_add_c(b, ",\n \"domains\": [");
    for (size_t i = 0; i < u->domain_count; i++) {
        buf_add_c(b, i ? ",\n  " : "\n  ");
        write_domain_set(u, &u->domains[i], b);
    }
    buf_add_c(b, "],\n \"union\": ");
    if (!u->domain_count) {
        buf_add_c(b, "null");
        return;
    }
    buf_add_c(b, "{\"set\": ");
    write_names(u->c, u->joint, u->joint_count, b);
    number(b, "achieves", u->joint_covers);
    number(b, "usd_per_1k", candidate_usd(u->joint_cost_nano_usd));
    buf_add_char(b, '}');
}

static void write_points(const char *name, const struct universe *u,
                         const struct frontier_point *points, size_t count, struct buf *b)
{
    key(b, name);
    buf_add_char(b, '[');
    for (size_t i = 0; i < count; i++) {
        buf_add_c(b, i ? ",\n  {\"set\": " : "\n  {\"set\": ");
        write_names(u->c, points[i].members, points[i].count, b);
        number(b, "achieves", points[i].achieves);
        number(b, "usd_per_1k", candidate_usd(points[i].cost_nano_usd));
        buf_addf(b, ", \"optimal\": %s}", points[i].proved ? "true" : "false");
    }
    buf_add_char(b, ']');
}

static void write_frontier(const struct universe *u, struct buf *b)
{
    buf_add_c(b, ",\n \"frontier\": {");
    write_points("by_number", u, u->by_number, u->by_number_count, b);
    buf_add_c(b, ",\n ");
    write_points("by_cost", u, u->by_cost, u->by_cost_count, b);
    buf_add_char(b, '}');
}

static void write_routed(const struct select_outputs *o, struct buf *b)
{
    buf_add_c(b, ",\n \"routed\": ");
    if (!o->routed) {
        buf_add_c(b, "null");
        return;
    }
    const struct routed_choice *choice = o->routed->choice;
    buf_addf(b, "{\"plans\": %s, \"questions\": %zu", o->routed->plans ? "true" : "false",
             choice->queries);
    number(b, "budget_usd_per_1k", o->routed->figures->budget_usd_per_1k);
    buf_add_c(b, ", \"proposals\": [");
    for (size_t i = 0; i < choice->count; i++) {
        const struct routed_final *f = &choice->finals[i];
        buf_add_c(b, i ? ",\n  {\"from\": " : "\n  {\"from\": ");
        json_write_string(b, str_from(f->from));
        buf_addf(b, ", \"taken\": %s, \"set\": ", i == choice->taken ? "true" : "false");
        write_names(o->u->c, f->members, f->count, b);
        number(b, "score", f->score);
        number(b, "below", f->below);
        number(b, "behind", f->behind);
        number(b, "behind_se", f->behind_error);
        buf_add_char(b, '}');
    }
    buf_add_c(b, "]}");
}

/* One piece: the object from its first byte to its last. */
enum status select_print_json(const struct select_outputs *o, FILE *to, struct error *err)
{
    const struct universe *u = o->u;
    struct buf out;
    buf_init(&out, SELECT_OUTPUT_BYTES);
    buf_add_c(&out, "{\"dataset\": ");
    json_write_string(&out, str_from(o->dataset));
    buf_addf(&out, ", \"questions\": %zu, \"questions_left_out\": %zu, \"objective\": ", u->c->rows,
             u->c->d->query_count - u->c->rows);
    json_write_string(&out, str_from(u->objective));
    buf_add_c(&out, ",\n \"set\": ");
    write_names(u->c, u->s.set.members, u->s.set.count, &out);
    number(&out, "achieves", selection_mean(&u->s));
    number(&out, "covers", u->covers);
    number(&out, "usd_per_1k", candidate_usd(u->s.set.cost_nano_usd));
    write_promise(&u->s, &out);
    buf_add_c(&out, ",\n \"best_single\": ");
    json_write_string(&out, candidate_name(u->c, u->best));
    number(&out, "best_single_score", u->c->score[u->best]);
    number(&out, "best_single_usd_per_1k", candidate_usd(u->c->cost_nano_usd[u->best]));
    number(&out, "all", u->all);
    number(&out, "all_usd_per_1k", candidate_usd(u->all_cost_nano_usd));
    write_steps(u, &out);
    write_candidates(u, &out);
    write_domain_sets(u, &out);
    write_frontier(u, &out);
    write_routed(o, &out);
    buf_add_c(&out, "}\n");
    return file_print(to, &out, err);
}
