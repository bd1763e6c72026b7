/* Which cells a round buys: what is believed of each, whole rows of validation questions first, then what play/cells.h
 * chooses of the others.
 *
 * Pure but for the model, which estimates; the same run, settings and model give the same cells, so that a round which
 * was killed buys the same again. */
#include "play/play_int.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/hash.h"
#include "dialect/token_estimate.h"

int64_t play_round_budget(const struct play_settings *s, size_t round, int64_t spent_nano_usd)
{
    double all = pow(PLAY_GROWTH, (double)s->rounds) - 1;
    double until_now = pow(PLAY_GROWTH, (double)round) - 1;
    double to_come = round < s->rounds ? pow(PLAY_GROWTH, (double)(s->rounds - round + 1)) - 1 : 1;
    if (s->spend_nano_usd == PURSE_NO_CAP)
        return INT64_MAX;
    double left = (double)s->spend_nano_usd - (double)spent_nano_usd;
    if (left <= 0)
        return 0;
    if (round >= s->rounds)
        return s->spend_nano_usd - spent_nano_usd;
    /* A run that was given more rounds may have spent the share of this one, and more. */
    return (int64_t)fmax((double)s->spend_nano_usd * (until_now / all) - (double)spent_nano_usd,
                         left / to_come);
}

/* Beliefs */

/* What an expert's answers were so far: mean output tokens, or a guess. */
static double mean_output(const struct dataset *d, size_t expert)
{
    double sum = 0, count = 0;
    for (size_t q = 0; q < d->query_count; q++) {
        const struct outcome *o = dataset_outcome(d, q, expert);
        if (o->present && o->tokens_known) {
            sum += o->output_tokens;
            count++;
        }
    }
    return count > 0 ? sum / count : PLAY_OUTPUT_GUESS;
}

/* No answer is longer than it may be (0: no limit of the run's own), whatever was guessed or learnt. */
static double allowed_output(const struct play_settings *s, double tokens)
{
    return s->output_tokens > 0 ? fmin(tokens, (double)s->output_tokens) : tokens;
}

static int64_t expected_output(const struct dataset *d, const struct play_options *o, size_t expert)
{
    return (int64_t)ceil(allowed_output(o->settings, mean_output(d, expert)));
}

int64_t play_teacher_tokens(const struct run *run, const struct play_options *o)
{
    if (!o->settings->teacher)
        return 0;
    return expected_output(
        run_dataset(run), o,
        expert_index(o->experts, o->expert_count, str_from(o->settings->teacher)));
}

static void guess_costs(const struct dataset *d, const struct play_options *o, int64_t *costs)
{
    for (size_t e = 0; e < d->expert_count; e++) {
        const struct price *price = &o->experts[e].price;
        int64_t output = expected_output(d, o, e);
        for (size_t q = 0; q < d->query_count; q++) {
            int64_t input = tokens_from_characters(d->queries[q].prompt.len);
            costs[q * d->expert_count + e] = price_cost_nano_usd(price, input, output);
        }
    }
}

static void add_scoring(const struct run *run, const struct play_options *o, int64_t *costs)
{
    const struct dataset *d = run_dataset(run);
    const int64_t teacher_tokens = play_teacher_tokens(run, o);
    for (size_t q = 0; q < d->query_count; q++) {
        const struct play_scoring more = play_evaluate_cost(o, &d->queries[q], teacher_tokens);
        for (size_t e = 0; e < o->expert_count; e++)
            costs[q * o->expert_count + e] += more.teacher_nano_usd + more.judge_nano_usd;
    }
}

/* What an expert's answers have cost, over what had been guessed of them: 1 before there are any. */
static double cost_ratio(const struct dataset *d, size_t expert, const int64_t *costs)
{
    double paid = 0, guessed = 0;
    for (size_t q = 0; q < d->query_count; q++) {
        const struct outcome *o = dataset_outcome(d, q, expert);
        if (o->present && o->cost_known) {
            paid += (double)o->cost_nano_usd;
            guessed += (double)costs[q * d->expert_count + expert];
        }
    }
    return paid > 0 && guessed > 0 ? paid / guessed : 1;
}

void play_guess_costs(const struct run *run, const struct play_options *o, int64_t *ret)
{
    const struct dataset *d = run_dataset(run);
    guess_costs(d, o, ret);
    for (size_t e = 0; e < d->expert_count; e++) {
        const double ratio = cost_ratio(d, e, ret);
        for (size_t q = 0; q < d->query_count; q++) {
            int64_t *cost = &ret[q * d->expert_count + e];
            *cost = (int64_t)llround((double)*cost * ratio);
        }
    }
    add_scoring(run, o, ret);
}

/* One question's row by the model; an expert that it does not know could be anything. */
static void believe_row(const struct play_options *o, const size_t *columns,
                        const struct estimate *all, size_t row, const struct play_beliefs *b)
{
    for (size_t e = 0; e < o->expert_count; e++) {
        size_t at = row * o->expert_count + e;
        b->quality[at] = b->sd[at] = 0.5f;
        if (columns[e] == SIZE_MAX)
            continue;
        struct estimate est = all[columns[e]];
        est.output_tokens = (float)allowed_output(o->settings, est.output_tokens);
        b->quality[at] = est.quality;
        b->sd[at] = est.quality_sd;
        b->cost_nano_usd[at] = model_cost_nano_usd(&o->experts[e].price, &est);
    }
}

static enum status believe_model(const struct run *run, const struct play_options *o,
                                 const struct model *m, struct arena *a, struct play_beliefs *b,
                                 struct error *err)
{
    const struct dataset *d = run_dataset(run);
    size_t columns[DATASET_EXPERTS_MAX];
    struct features f;
    struct estimate *all = ARENA_ARRAY(a, model_arm_count(m) + 1, struct estimate);
    b->quality = ARENA_ARRAY(a, d->query_count * o->expert_count + 1, float);
    b->sd = ARENA_ARRAY(a, d->query_count * o->expert_count + 1, float);
    if (!all || !b->quality || !b->sd)
        return error_set(err, ERR_MEMORY, "out of memory for estimates");
    for (size_t e = 0; e < o->expert_count; e++)
        columns[e] = model_expert_index(m, o->experts[e].name);
    enum status status = features_init(&f, err);
    for (size_t q = 0; q < d->query_count && status == OK; q++) {
        status = model_estimate_text(m, d->queries[q].prompt, &f, all, err);
        if (status == OK)
            believe_row(o, columns, all, q, b);
    }
    features_done(&f);
    return status;
}

enum status play_believe(const struct run *run, const struct play_options *o, const struct model *m,
                         struct arena *a, struct play_beliefs *ret, struct error *err)
{
    const struct dataset *d = run_dataset(run);
    struct play_beliefs b = {.cost_nano_usd =
                                 ARENA_ARRAY(a, d->query_count * o->expert_count + 1, int64_t)};
    if (!b.cost_nano_usd)
        return error_set(err, ERR_MEMORY, "out of memory for estimates");
    guess_costs(d, o, b.cost_nano_usd);
    enum status status = m ? believe_model(run, o, m, a, &b, err) : OK;
    add_scoring(run, o, b.cost_nano_usd);
    if (status == OK)
        *ret = b;
    return status;
}

/* Cells */

struct choosing {
    const struct run *run;
    const struct play_options *o;
    const struct play_beliefs *b;
    const bool *left_out; /* [experts]; NULL: none */
    struct arena *arena;
    struct cell *cells;
    size_t count;
    int64_t cost_nano_usd;
};

/* What users said of an answer is worth less than asking. */
static bool is_hearsay(const struct choosing *c, size_t q, size_t e)
{
    return dataset_outcome(run_dataset(c->run), q, e)->known && !run_text(c->run, q, e).ptr;
}

bool play_is_asked(const struct play_options *o, size_t expert)
{
    return !o->asked || o->asked[expert];
}

static bool is_open(const struct choosing *c, size_t q, size_t e)
{
    bool is_there = dataset_outcome(run_dataset(c->run), q, e)->present;
    return (!is_there || is_hearsay(c, q, e)) && play_is_asked(c->o, e) &&
           !(c->left_out && c->left_out[e]);
}

static void take(struct choosing *c, struct cell cell)
{
    size_t at = cell.question * c->o->expert_count + cell.expert;
    cell.quality = c->b->quality ? c->b->quality[at] : NAN;
    cell.quality_sd = c->b->sd ? c->b->sd[at] : NAN;
    c->cells[c->count++] = cell;
    c->cost_nano_usd += c->b->cost_nano_usd[at];
}

static void take_random(struct choosing *c, size_t q, size_t e)
{
    take(c, (struct cell){.question = (uint32_t)q, .expert = (uint32_t)e, .random = true});
}

struct drawn {
    uint64_t order;
    uint32_t query;
};

static int by_order(const void *a, const void *b)
{
    const struct drawn *x = a, *y = b;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* The validation questions in an order that is the same in every round, however many there are by then. */
static struct drawn *draw_rows(const struct choosing *c, size_t *ret_count)
{
    const struct dataset *d = run_dataset(c->run);
    struct drawn *rows = ARENA_ARRAY(c->arena, d->query_count + 1, struct drawn);
    size_t count = 0;
    for (size_t q = 0; rows && q < d->query_count; q++)
        if (publish_validates(d->queries[q].text_hash))
            rows[count++] = (struct drawn){
                hash64_mix(d->queries[q].text_hash, c->o->settings->seed), (uint32_t)q};
    if (rows)
        qsort(rows, count, sizeof(*rows), by_order);
    *ret_count = count;
    return rows;
}

static int64_t row_cost(const struct choosing *c, size_t q, size_t *ret_missing)
{
    int64_t sum = 0;
    *ret_missing = 0;
    for (size_t e = 0; e < c->o->expert_count; e++)
        if (is_open(c, q, e)) {
            sum += c->b->cost_nano_usd[q * c->o->expert_count + e];
            ++*ret_missing;
        }
    return sum;
}

/* Whole rows, for as long as the money lasts. */
static enum status choose_validation(struct choosing *c, int64_t budget_nano_usd, struct error *err)
{
    size_t count, missing;
    struct drawn *rows = draw_rows(c, &count);
    if (!rows)
        return error_set(err, ERR_MEMORY, "out of memory for cells");
    for (size_t i = 0; i < count && i < PLAY_VALIDATION_MAX; i++) {
        size_t q = rows[i].query;
        if (row_cost(c, q, &missing) > budget_nano_usd - c->cost_nano_usd)
            break;
        for (size_t e = 0; missing > 0 && e < c->o->expert_count; e++)
            if (is_open(c, q, e))
                take_random(c, q, e);
    }
    return OK;
}

static enum cell_state state_of(const struct choosing *c, size_t q, size_t e)
{
    const struct dataset *d = run_dataset(c->run);
    if (publish_validates(d->queries[q].text_hash))
        return CELL_BARRED;
    if (is_open(c, q, e))
        return CELL_OPEN;
    return dataset_outcome(d, q, e)->known ? CELL_KNOWN : CELL_BARRED;
}

/* Of the policies whose lambda is known before anything is decided. */
static size_t find_lambdas(const struct play_options *o, double lambdas[CELLS_LAMBDAS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < o->policy_count && count < CELLS_LAMBDAS_MAX; i++)
        if (o->policies[i].budget_usd_per_1k <= 0 && o->policies[i].min_quality <= 0)
            lambdas[count++] = o->policies[i].lambda;
    return count;
}

/* Experts can agree only where several were asked: questions that nothing but their agreement scores are asked as whole
 * rows. On MMLU-Pro without its answers, at a quarter of what all would cost, single cells gained nothing over the best
 * mix, and whole rows three fifths of what the whole matrix does. */
static double whole_share(const struct choosing *c)
{
    const struct dataset *d = run_dataset(c->run);
    const struct play_settings *s = c->o->settings;
    size_t open = 0;
    for (size_t q = 0; q < d->query_count; q++)
        open += d->queries[q].answer.len == 0 && d->queries[q].check.len == 0;
    if (open == 0 || s->teacher || s->judges.count > 0)
        return -1;
    return (double)open / (double)d->query_count;
}

static enum status make_problem(const struct choosing *c, int64_t budget_nano_usd,
                                struct cells_problem *ret, struct error *err)
{
    const struct dataset *d = run_dataset(c->run);
    size_t experts = c->o->expert_count, cells = d->query_count * experts;
    float *scores = ARENA_ARRAY(c->arena, cells + 1, float);
    enum cell_state *states = ARENA_ARRAY(c->arena, cells + 1, enum cell_state);
    if (!scores || !states)
        return error_set(err, ERR_MEMORY, "out of memory for cells");
    for (size_t i = 0; i < cells; i++) {
        scores[i] = d->outcomes[i].known ? d->outcomes[i].score : 0;
        states[i] = state_of(c, i / experts, i % experts);
    }
    *ret = (struct cells_problem){.questions = d->query_count,
                                  .experts = experts,
                                  .quality = c->b->quality,
                                  .quality_sd = c->b->sd,
                                  .scores = scores,
                                  .cost_nano_usd = c->b->cost_nano_usd,
                                  .states = states,
                                  .spend_nano_usd = budget_nano_usd,
                                  .whole_share = whole_share(c),
                                  .seed = c->o->settings->seed};
    return OK;
}

static enum status choose_others(struct choosing *c, int64_t budget_nano_usd, struct error *err)
{
    double lambdas[CELLS_LAMBDAS_MAX];
    struct cells_problem problem = {0};
    struct cells chosen;
    enum status status = make_problem(c, budget_nano_usd, &problem, err);
    problem.lambdas = lambdas;
    problem.lambda_count = find_lambdas(c->o, lambdas);
    if (status == OK)
        status = cells_choose(&problem, c->arena, &chosen, err);
    for (size_t i = 0; status == OK && i < chosen.count; i++)
        take(c, chosen.cells[i]);
    return status;
}

/* Every cell that is not known, question by question. */
static void choose_everything(struct choosing *c)
{
    const struct dataset *d = run_dataset(c->run);
    for (size_t q = 0; q < d->query_count; q++)
        for (size_t e = 0; e < c->o->expert_count; e++)
            if (is_open(c, q, e))
                take_random(c, q, e);
}

enum status play_choose(const struct run *run, const struct play_options *o,
                        const struct play_beliefs *b, const bool *left_out, int64_t budget_nano_usd,
                        struct arena *a, struct cells *ret, struct error *err)
{
    const struct dataset *d = run_dataset(run);
    struct choosing c = {.run = run, .o = o, .b = b, .left_out = left_out, .arena = a};
    int64_t validation = budget_nano_usd == INT64_MAX
                             ? INT64_MAX
                             : (int64_t)((double)budget_nano_usd * PLAY_VALIDATION_SHARE);
    enum status status = OK;
    c.cells = ARENA_ARRAY(a, d->query_count * o->expert_count + 1, struct cell);
    if (!c.cells)
        return error_set(err, ERR_MEMORY, "out of memory for cells");
    if (o->settings->everything) {
        choose_everything(&c);
    } else {
        status = choose_validation(&c, validation, err);
        if (status == OK)
            status = choose_others(&c, budget_nano_usd - c.cost_nano_usd, err);
    }
    if (status == OK)
        *ret = (struct cells){c.cells, c.count, c.cost_nano_usd};
    return status;
}
