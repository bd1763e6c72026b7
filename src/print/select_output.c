/* The universe as tables for a person at a terminal: the set step by step, what it is compared with, what each member
 * is for, who comes next, who is dominated, the sets of domains.
 *
 * Pure functions from figures to text in a buffer, but for the one that prints it; any thread. Names stand last in a
 * row, because they may be of any length. */
#include "print/select_output.h"

#include <math.h>
#include <string.h>

#include "base/screen.h"
#include "print/printable.h"

#define LINE_WIDTH      80
#define NAMES_INDENT    "\n            "
#define DOMAINS_NAMED   3  /* of a member: where most is lost without it */
#define DOMAIN_ROWS_MIN 20 /* domains of fewer questions are named only where there are no others */
#define NEXT_NAMED      3  /* candidates outside that would add most */
#define DOMINATED_ROWS  20

/* "  6.4307", "       -" where no cost is known. */
static void add_usd(struct buf *b, int64_t nano_usd)
{
    if (nano_usd >= CANDIDATE_COST_UNKNOWN)
        buf_addf(b, "%12s", "-");
    else
        buf_addf(b, "%12.4f", candidate_usd(nano_usd));
}

static void add_name(struct buf *b, const struct candidates *c, size_t candidate)
{
    struct str name = candidate_name(c, candidate);
    buf_addf(b, "  %.*s\n", STR_FMT(name));
}

/* Names on lines of their own, below the row that they belong to. */
static void add_names(struct buf *b, const struct candidates *c, const size_t *members,
                      size_t count)
{
    size_t column = LINE_WIDTH;
    for (size_t i = 0; i < count; i++) {
        struct str name = candidate_name(c, members[i]);
        size_t width = utf8_count(name) + 1; /* with the comma behind it */
        bool fits = column + 1 + width <= LINE_WIDTH;
        buf_addf(b, "%s%.*s%s", fits ? " " : NAMES_INDENT, STR_FMT(name),
                 i + 1 < count ? "," : "\n");
        column = fits ? column + 1 + width : strlen(NAMES_INDENT) - 1 + width;
    }
}

/* The set */

static void write_head(const struct select_outputs *o, struct buf *b)
{
    const struct candidates *c = o->u->c;
    buf_addf(b, "%s: %zu candidate%s on %zu question%s", o->dataset, c->count,
             c->count == 1 ? "" : "s", c->rows, c->rows == 1 ? "" : "s");
    if (c->rows < c->d->query_count)
        buf_addf(b, " of %zu,\nthose of which every candidate's score is known", c->d->query_count);
    buf_addf(b, "\n\na set of %zu by %s", o->u->s.set.count, o->u->objective);
    if (o->rules->cost_max_nano_usd != INT64_MAX)
        buf_addf(b, " for at most %.6g USD",
                 (double)o->rules->cost_max_nano_usd / (double)NANO_PER_USD);
    buf_add_c(b, ": ");
    selection_promise_add(&o->u->s, b);
    buf_add_char(b, '\n');
    if (!o->routed && o->rules->count_max < c->count && o->u->s.set.count < o->rules->count_max &&
        o->rules->cost_max_nano_usd == INT64_MAX)
        buf_addf(b, "no candidate beyond these %zu adds anything\n", o->u->s.set.count);
}

static void write_steps(const struct select_outputs *o, struct buf *b)
{
    const struct chosen_set *set = &o->u->s.set;
    int64_t cost = 0;
    buf_addf(b, "\n  %8s%12s%12s%12s  %s\n", "adds", "achieves %", "USD/1,000", "together",
             "member");
    for (size_t i = 0; i < set->count; i++) {
        int64_t own = o->u->c->cost_nano_usd[set->members[i]];
        double before = i ? set->values[i - 1] : 0;
        cost += own;
        buf_addf(b, "  %+8.2f%12.2f", 100 * o->u->s.unit * (set->values[i] - before),
                 100 * o->u->s.unit * set->values[i]);
        add_usd(b, own);
        add_usd(b, cost);
        add_name(b, o->u->c, set->members[i]);
    }
}

static void write_comparisons(const struct select_outputs *o, struct buf *b)
{
    const struct universe *u = o->u;
    buf_add_char(b, '\n');
    if (o->routed) {
        buf_addf(b, "  %8s%12.2f%12s", "", 100 * u->covers, "");
        add_usd(b, u->s.set.cost_nano_usd);
        buf_add_c(b, "  the set, if routing always knew whom to ask\n");
    }
    buf_addf(b, "  %8s%12.2f", "", 100 * u->c->score[u->best]);
    add_usd(b, u->c->cost_nano_usd[u->best]);
    buf_addf(b, "%12s", "");
    struct str best = candidate_name(u->c, u->best);
    buf_addf(b, "  the best single: %.*s\n  %8s%12.2f%12s", STR_FMT(best), "", 100 * u->all, "");
    add_usd(b, u->all_cost_nano_usd);
    buf_addf(b, "  all %zu candidates\n", u->c->count);
}

/* What each is for */

static void add_domain(struct buf *b, const struct universe *u, size_t domain)
{
    struct str name = u->c->domain[domain];
    printable_add(b, name.len ? name : STR("(no domain)"));
}

/* The domain, not yet named, in which most is lost without the member; SIZE_MAX when none loses anything. */
static size_t next_domain(const struct universe *u, const struct candidate_use *use,
                          size_t rows_min, const size_t *named, size_t count)
{
    size_t next = SIZE_MAX;
    for (size_t i = 0; i < u->c->domains; i++) {
        bool open = u->domain_sizes[i] >= rows_min && use->domain_worth[i] > 0;
        for (size_t n = 0; n < count; n++)
            open = open && named[n] != i;
        if (open && (next == SIZE_MAX || use->domain_worth[i] > use->domain_worth[next]))
            next = i;
    }
    return next;
}

static void write_domains_of(const struct universe *u, const struct candidate_use *use,
                             struct buf *b)
{
    size_t large = 0, named[DOMAINS_NAMED];
    for (size_t i = 0; i < u->c->domains; i++)
        large += u->domain_sizes[i] >= DOMAIN_ROWS_MIN;
    for (size_t i = 0; i < DOMAINS_NAMED; i++) {
        named[i] = next_domain(u, use, large ? DOMAIN_ROWS_MIN : 1, named, i);
        if (named[i] == SIZE_MAX)
            return;
        buf_add_c(b, i ? ", " : ": most in ");
        add_domain(b, u, named[i]);
        buf_addf(b, " %.1f", 100 * use->domain_worth[named[i]]);
    }
}

/* " ±0.21"; of one question there is none. */
static void add_error(struct buf *b, double error)
{
    if (isfinite(error))
        buf_addf(b, " ±%4.2f", 100 * error);
    else
        buf_addf(b, "%6s", "");
}

static void write_members(const struct universe *u, struct buf *b)
{
    buf_addf(b, "\n  %14s%12s  %s\n", "without", "alone %",
             "what each is for: points of coverage lost without it");
    for (size_t i = 0; i < u->s.set.count; i++) {
        const struct candidate_use *use = &u->uses[u->s.set.members[i]];
        struct str name = candidate_name(u->c, u->s.set.members[i]);
        buf_addf(b, "  %+8.2f", -100 * use->worth);
        add_error(b, use->worth_error);
        buf_addf(b, "%12.2f  %.*s", 100 * use->alone, STR_FMT(name));
        write_domains_of(u, use, b);
        buf_add_char(b, '\n');
    }
}

static size_t next_best(const struct universe *u, const size_t *taken, size_t count)
{
    size_t next = SIZE_MAX;
    for (size_t c = 0; c < u->c->count; c++) {
        bool out = !u->uses[c].member && u->uses[c].worth > 0;
        for (size_t i = 0; i < count; i++)
            out = out && taken[i] != c;
        if (out && (next == SIZE_MAX || u->uses[c].worth > u->uses[next].worth))
            next = c;
    }
    return next;
}

static void write_next(const struct universe *u, struct buf *b)
{
    size_t taken[NEXT_NAMED], nothing = 0;
    for (size_t i = 0; i < NEXT_NAMED; i++) {
        taken[i] = next_best(u, taken, i);
        if (taken[i] == SIZE_MAX)
            break;
        struct str name = candidate_name(u->c, taken[i]);
        buf_addf(b, "%s%.*s %+.2f", i ? ", " : "\nwould add most: ", STR_FMT(name),
                 100 * u->uses[taken[i]].worth);
        add_error(b, u->uses[taken[i]].worth_error);
        if (i + 1 == NEXT_NAMED || next_best(u, taken, i + 1) == SIZE_MAX)
            buf_add_char(b, '\n');
    }
    for (size_t c = 0; c < u->c->count; c++)
        nothing += !u->uses[c].member && u->uses[c].worth <= 0;
    if (nothing)
        buf_addf(b, "%zu candidate%s would add nothing\n", nothing, nothing == 1 ? "" : "s");
}

static void write_dominated(const struct universe *u, struct buf *b)
{
    size_t count = 0, members = 0;
    for (size_t c = 0; c < u->c->count; c++) {
        const struct candidate_use *use = &u->uses[c];
        if (use->dominated_by == SIZE_MAX)
            continue;
        if (count == 0)
            buf_addf(b, "\n  %16s%14s  %s\n", "worse by", "dearer by",
                     "dominated: another is better beyond noise, for no more money");
        if (count++ >= DOMINATED_ROWS)
            continue;
        struct str name = candidate_name(u->c, c), by = candidate_name(u->c, use->dominated_by);
        buf_addf(b, "  %9.2f ±%5.2f", 100 * use->behind, 100 * use->behind_error);
        buf_addf(b, "%14.4f",
                 candidate_usd(u->c->cost_nano_usd[c] - u->c->cost_nano_usd[use->dominated_by]));
        buf_addf(b, "  %.*s, by %.*s%s\n", STR_FMT(name), STR_FMT(by),
                 use->member ? " (in the set)" : "");
        members += use->member;
    }
    if (count > DOMINATED_ROWS)
        buf_addf(b, "  and %zu more; --json lists them\n", count - DOMINATED_ROWS);
    if (members)
        buf_add_c(b, "  who is in the set all the same is right where the others are not\n");
}

/* Domains */

static void write_domain_sets(const struct universe *u, struct buf *b)
{
    if (!u->domain_count)
        return;
    buf_addf(b, "\n  %10s%12s%12s%12s  %s\n", "questions", "single %", "achieves %", "USD/1,000",
             "domain, its set");
    for (size_t i = 0; i < u->domain_count; i++) {
        const struct domain_set *d = &u->domains[i];
        buf_addf(b, "  %10zu%12.2f%12.2f", d->questions, 100 * d->best_score,
                 100 * selection_mean(&d->s));
        add_usd(b, d->s.set.cost_nano_usd);
        buf_add_c(b, "  ");
        add_domain(b, u, d->domain);
        buf_add_c(b, d->s.promise == SELECTION_PROVED ? "" : " (not proved)");
        add_names(b, u->c, d->s.set.members, d->s.set.count);
    }
    buf_addf(b, "  %10zu%12s%12.2f", u->c->rows, "", 100 * u->joint_covers);
    add_usd(b, u->joint_cost_nano_usd);
    buf_addf(b, "  all of them together, %zu member%s\n", u->joint_count,
             u->joint_count == 1 ? "" : "s");
}

/* Routed */

static void write_routed(const struct select_outputs *o, struct buf *b)
{
    const struct routed_choice *choice = o->routed->choice;
    const struct routed_figures *f = o->routed->figures;
    buf_addf(b,
             "\nrouted at %.4f USD per 1,000 questions%s;\neach proposal trained by itself and "
             "measured on %zu held-out questions\n\n  %10s%16s%12s  %s\n",
             f->budget_usd_per_1k, o->routed->plans ? ", with plans" : "", choice->queries,
             "routed %", "behind", "with less %", "proposal");
    for (size_t i = 0; i < choice->count; i++) {
        const struct routed_final *x = &choice->finals[i];
        buf_addf(b, "  %10.2f%9.2f ±%5.2f%12.2f  %s%s", 100 * x->score, 100 * x->behind,
                 100 * x->behind_error, 100 * x->below, x->from,
                 i == choice->taken ? " (taken)" : "");
        add_names(b, o->u->c, x->members, x->count);
    }
}

enum status select_print(const struct select_outputs *o, FILE *to, struct error *err)
{
    struct buf out;
    buf_init(&out, SELECT_OUTPUT_BYTES);
    write_head(o, &out);
    write_steps(o, &out);
    write_comparisons(o, &out);
    if (o->routed)
        write_routed(o, &out);
    write_members(o->u, &out);
    write_next(o->u, &out);
    write_dominated(o->u, &out);
    write_domain_sets(o->u, &out);
    return screen_print(to, &out, err);
}
