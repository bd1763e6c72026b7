/* Writes the decisions of every operating point as CSV rows. A point on the curve is a mix of two policies, so the one
 * query in which they differ has two rows whose weights add up to 1.
 *
 * Belongs to one command's thread and waits for the disk. The report and its table are only read; the file appears
 * whole or not at all. */
#include "eval/decisions.h"

#include <errno.h>
#include <math.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/json.h"

#define DECISIONS_BUFFER_BYTES (1u << 20)
#define DECISIONS_FLUSH_BYTES  (1u << 18)

struct writer {
    const struct eval_set *set;
    const struct dataset *d;
    struct file_out out;
    const char *path;
    struct buf b, calls; /* calls: scratch of one cell */
};

/* One operating point: what its rows begin with. */
struct point {
    char name[40];
    double lambda; /* NaN: none */
};

static enum status flush(struct writer *w, size_t above_bytes, struct error *err)
{
    enum status status = buf_status(&w->b, err);
    if (status == OK)
        status = buf_status(&w->calls, err);
    if (status != OK || w->b.len <= above_bytes)
        return status;
    if (fwrite(w->b.ptr, 1, w->b.len, w->out.stream) != w->b.len)
        return error_set_errno(err, ERR_IO, errno, "cannot write %s", w->path);
    buf_clear(&w->b);
    return OK;
}

static struct str answerer(const struct eval_table *t, size_t q, size_t column)
{
    if (eval_is_plan(t, column))
        column = eval_plan_member(t, q, column, eval_plan_run(t, q, column)->winner);
    return t->names[column];
}

/* The cells `calls` and `answered`: "a+b" in the order of the plan. */
static void add_calls(struct writer *w, size_t q, size_t column)
{
    const struct eval_table *t = &w->set->table;
    bool plan = eval_is_plan(t, column);
    unsigned calls = plan ? eval_plan_run(t, q, column)->calls : 1;
    buf_clear(&w->calls);
    for (size_t i = 0; calls >> i; i++) {
        if (!(calls >> i & 1))
            continue;
        if (w->calls.len)
            buf_add_char(&w->calls, '+');
        buf_add(&w->calls, t->names[plan ? eval_plan_member(t, q, column, i) : column]);
    }
    csv_write_cell(&w->b, buf_str(&w->calls));
    buf_add_char(&w->b, ',');
    csv_write_cell(&w->b, answerer(t, q, column));
}

/* The cell `plan`: of a verified plan with the experts that it asks for this query, "verified(a→b→c)". */
static void add_plan(struct writer *w, size_t q, size_t column)
{
    const struct eval_table *t = &w->set->table;
    if (!eval_is_plan(t, column) || t->plans[column].kind != PLAN_VERIFIED) {
        csv_write_cell(&w->b, t->names[column]);
        return;
    }
    struct plan p = {.kind = PLAN_VERIFIED, .member_count = eval_plan_size(t, q, column)};
    for (size_t i = 0; i < p.member_count; i++)
        p.members[i] = eval_plan_member(t, q, column, i);
    buf_clear(&w->calls);
    plan_name_add(&w->calls, &p, t->names);
    csv_write_cell(&w->b, buf_str(&w->calls));
}

/* The cell `passed`: whose answer a check has passed. */
static void add_passed(struct writer *w, size_t q, size_t column)
{
    const struct eval_table *t = &w->set->table;
    buf_add_char(&w->b, ',');
    if (eval_is_plan(t, column) && eval_plan_run(t, q, column)->check == PLAN_PASSED)
        csv_write_cell(&w->b, answerer(t, q, column));
}

static void add_number(struct buf *b, double value)
{
    if (isfinite(value))
        json_write_double(b, value);
    else if (isinf(value))
        buf_add_c(b, "inf");
}

static void add_row(struct writer *w, const struct point *p, double weight, size_t q, size_t column)
{
    const struct eval_table *t = &w->set->table;
    const struct outcome *o = eval_outcome(t, q, column);
    struct buf *b = &w->b;
    csv_write_cell(b, w->d->queries[w->set->query_index[q]].id);
    buf_addf(b, ",%s,", p->name);
    add_number(b, p->lambda);
    buf_add_char(b, ',');
    add_number(b, weight);
    buf_add_char(b, ',');
    add_plan(w, q, column);
    buf_add_char(b, ',');
    add_calls(w, q, column);
    buf_add_char(b, ',');
    add_number(b, (double)o->score);
    buf_add_char(b, ',');
    money_format_usd(b, o->cost_nano_usd);
    if (t->verified)
        add_passed(w, q, column);
    buf_add_char(b, '\n');
}

/* All queries at a place on the curve. */
static enum status write_cut(struct writer *w, const struct report *r, const struct point *p,
                             const struct curve_cut *cut, uint32_t *choices, struct error *err)
{
    const struct curve_step *next = cut->share > 0 ? &r->sweep.steps[cut->steps] : NULL;
    enum status status = OK;
    curve_choices(&r->sweep, cut->steps, choices);
    for (size_t q = 0; q < r->queries && status == OK; q++) {
        bool mixed = next && next->query == q;
        if (!mixed || cut->share < 1)
            add_row(w, p, mixed ? 1 - cut->share : 1, q, choices[q]);
        if (mixed)
            add_row(w, p, cut->share, q, next->to);
        status = flush(w, DECISIONS_FLUSH_BYTES, err);
    }
    return status;
}

static enum status write_reference(struct writer *w, const struct report *r, struct error *err)
{
    const struct point p = {"reference", NAN};
    enum status status = OK;
    for (size_t q = 0; q < r->queries && status == OK; q++) {
        add_row(w, &p, 1, q, r->reference);
        status = flush(w, DECISIONS_FLUSH_BYTES, err);
    }
    return status;
}

static enum status write_all(struct writer *w, const struct report *r, uint32_t *choices,
                             struct error *err)
{
    enum status status = OK;
    buf_add_c(&w->b, "id,operating_point,lambda,weight,plan,calls,answered,score,cost_usd");
    buf_add_c(&w->b, w->set->table.verified ? ",passed\n" : "\n");
    for (size_t i = 0; i < r->at_count && status == OK; i++) {
        const struct report_at *at = &r->at[i];
        struct point p = {.lambda = at->cut.lambda};
        snprintf(p.name, sizeof(p.name), "%.6g", at->fraction);
        if (!isnan(at->spent_usd_per_1k))
            status = write_cut(w, r, &p, &at->cut, choices, err);
    }
    const struct curve_cut end = {.steps = r->steps};
    if (status == OK)
        status = write_cut(w, r, &(struct point){"lambda=0", 0}, &end, choices, err);
    if (status == OK)
        status = write_reference(w, r, err);
    return status == OK ? flush(w, 0, err) : status;
}

enum status decisions_write(const struct eval_set *set, const struct dataset *d,
                            const struct report *r, struct arena *a, const char *path,
                            struct error *err)
{
    struct writer w = {.set = set, .d = d, .path = path};
    uint32_t *choices = ARENA_ARRAY(a, r->queries, uint32_t);
    if (!choices)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = file_out_open(path, &w.out, err);
    if (status != OK)
        return status;
    buf_init(&w.b, DECISIONS_BUFFER_BYTES);
    buf_init(&w.calls, DECISIONS_BUFFER_BYTES);
    status = write_all(&w, r, choices, err);
    buf_done(&w.b);
    buf_done(&w.calls);
    if (status != OK) {
        file_out_abort(&w.out);
        return status;
    }
    return file_out_commit(&w.out, err);
}
