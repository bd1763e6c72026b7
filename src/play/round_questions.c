/* Where a round's questions come from: all that the files have in the first round, and what generators and the sandbox
 * make up in each (play/questions.h).
 *
 * Answers that were paid for to find out whether a question tells experts apart are outcomes like others: they are
 * taken into the run at once. Which those are hangs on the round alone, not on what the journal happens to hold. One
 * thread. */
#include "play/play_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "play/questions.h"
#include "pose/from_ledger.h"
#include "pose/question_file.h"

#define SPLIT_EXPERTS       3 /* the cheapest, which a question must tell apart */
#define FORECAST_CHARACTERS 300

struct play_split { /* a cell that was asked for the sake of the question */
    struct str id;
    size_t expert;
};

struct play_questions {
    struct questions *questions;
    struct dataset *protect[PLAY_LIST_MAX];
    size_t protect_count;
    struct str domains[PLAY_LIST_MAX];
    size_t generators[PLAY_LIST_MAX], cheap[SPLIT_EXPERTS], cheap_count;
    struct traffic traffic;
    struct buf split; /* of struct play_split, of this round */
};

/* Opening */

static size_t find_experts(const struct play *p, const struct play_list *names, size_t *ret)
{
    for (size_t i = 0; i < names->count; i++)
        ret[i] = expert_index(p->o->experts, p->o->expert_count, str_from(names->items[i]));
    return names->count;
}

static int64_t usual_price(const struct expert *e)
{
    return price_cost_nano_usd(&e->price, 1000, 1000);
}

static void find_cheap(const struct play *p, struct play_questions *own)
{
    for (size_t n = 0; n < SPLIT_EXPERTS && n < p->o->expert_count; n++) {
        size_t best = SIZE_MAX;
        for (size_t e = 0; e < p->o->expert_count; e++) {
            bool taken = false;
            for (size_t i = 0; i < n; i++)
                taken = taken || own->cheap[i] == e;
            if (!taken && (best == SIZE_MAX ||
                           usual_price(&p->o->experts[e]) < usual_price(&p->o->experts[best])))
                best = e;
        }
        own->cheap[own->cheap_count++] = best;
    }
}

/* What the gateway has kept until now, with what its users said of it. */
static enum status load_traffic(struct play *p, struct play_questions *own, struct error *err)
{
    const struct from_ledger_options o = {.kept = p->o->kept, .ledger = p->o->ledger};
    if (!p->s->from_ledger)
        return OK;
    if (!o.kept)
        return error_set(err, ERR_USAGE,
                         "no prompts are kept: the configuration needs `keep` for --from ledger");
    return from_ledger_read(&o, p->kept, &own->traffic, err);
}

/* The job of a cell, written down: the questions ask it for their own sake. */
static enum status split_cell(void *arg, const struct query *q, size_t expert, struct arena *a,
                              struct call_job *ret, struct error *err)
{
    struct play *p = arg;
    const struct play_split cell = {arena_copy(p->arena, q->id), expert};
    buf_add(&p->questions->split, (struct str){(const char *)&cell, sizeof(cell)});
    if (!cell.id.ptr || buf_status(&p->questions->split, NULL) != OK)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    return play_query_job(q, p->o->experts[expert].name, expert, a, ret, err);
}

static enum status load_protected(struct play *p, struct play_questions *own, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; i < p->s->protect.count && status == OK; i++) {
        status = dataset_load(p->s->protect.items[i], DATASET_QUERIES, &own->protect[i], err);
        own->protect_count += status == OK;
    }
    return status;
}

/* One piece: nearly all of it is what the settings are to the questions. */
enum status play_questions_open(struct play *p, struct error *err)
{
    if (p->s->everything)
        return OK;
    struct play_questions *own = ARENA_NEW(p->kept, struct play_questions);
    bool makes_up = p->s->generators.count > 0 || p->s->sandbox;
    if (!own)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    p->questions = own;
    buf_init(&own->split, QUESTIONS_ROUND_MAX * SPLIT_EXPERTS * 2 * sizeof(struct play_split));
    find_cheap(p, own);
    for (size_t i = 0; i < p->s->domains.count; i++)
        own->domains[i] = str_from(p->s->domains.items[i]);
    enum status status = load_protected(p, own, err);
    if (status == OK)
        status = load_traffic(p, own, err);
    if (status != OK)
        return status;
    const struct questions_options o = {
        .seed = p->s->seed,
        .folder = run_path(p->run),
        .files = p->s->questions.items,
        .file_count = p->s->questions.count,
        .traffic = own->traffic.questions,
        .traffic_count = own->traffic.count,
        .generators = own->generators,
        .generator_count = find_experts(p, &p->s->generators, own->generators),
        .sandbox = p->s->sandbox,
        .shares = {[POSED_GENERATED] = makes_up && p->s->generators.count > 0 ? 1 : 0,
                   [POSED_SANDBOX] = makes_up && p->s->sandbox ? 1 : 0},
        .protect = (const struct dataset *const *)own->protect,
        .protect_count = own->protect_count,
        .domains = own->domains,
        .domain_count = p->s->domains.count,
        .cheap = own->cheap,
        .cheap_count = own->cheap_count,
        .cell = split_cell,
        .arg = p,
        .experts = p->o->experts};
    return questions_create(&o, &own->questions, err);
}

void play_questions_close(struct play *p)
{
    if (!p->questions)
        return;
    questions_free(p->questions->questions);
    for (size_t i = 0; i < p->questions->protect_count; i++)
        dataset_free(p->questions->protect[i]);
    buf_done(&p->questions->split);
}

/* A round */

static enum status add_all(struct play *p, const struct posed *items, size_t count,
                           struct error *err)
{
    enum status status = OK;
    size_t at;
    for (size_t i = 0; i < count && status == OK; i++)
        status = run_add_query(p->run, &items[i].query, &at, err);
    return status;
}

/* What the files have; again in later rounds, where it is all there, for a run that was given more files. */
static enum status add_listed(struct play *p, struct error *err)
{
    enum status status = OK;
    for (size_t s = POSED_FILE; s <= POSED_TRAFFIC && status == OK; s++) {
        const struct question_source_sum *sum =
            questions_listed(p->questions->questions, (enum posed_source)s);
        status = add_all(p, sum->items, sum->count, err);
    }
    return status;
}

/* `first`: the complaint about the first of them. */
static void count_dropped(struct play_posed *into, const struct drop_counts *dropped,
                          const struct error *first)
{
    drop_counts_add(&into->dropped, dropped);
    if (into->first.status == OK)
        into->first = *first;
}

static void count_listed(struct play *p)
{
    for (size_t s = POSED_FILE; s <= POSED_TRAFFIC; s++) {
        const struct question_source_sum *sum =
            questions_listed(p->questions->questions, (enum posed_source)s);
        count_dropped(&p->r.posed, &sum->dropped, &sum->first);
    }
}

/* What users said of answers: weak outcomes, until the expert is asked. Never of questions that models are compared
 * on. */
static enum status take_opinions(struct play *p, struct error *err)
{
    const struct traffic *t = &p->questions->traffic;
    const struct dataset *d = run_dataset(p->run);
    enum status status = OK;
    for (size_t i = 0; i < t->outcome_count && status == OK; i++) {
        const struct traffic_outcome *o = &t->outcomes[i];
        size_t query = run_find_query(p->run, t->questions[o->question].query.id);
        size_t expert = expert_index(p->o->experts, p->o->expert_count, o->expert);
        if (query == SIZE_MAX || expert == SIZE_MAX || dataset_outcome(d, query, expert)->present ||
            publish_validates(d->queries[query].text_hash))
            continue;
        status = run_set_outcome(p->run, query, expert, &o->outcome, (struct str){NULL, 0}, err);
    }
    return status;
}

/* The answers that the round's questions were tried by. */
static enum status take_split(struct play *p, struct error *err)
{
    const struct play_split *cells = (const void *)p->questions->split.ptr;
    size_t count = p->questions->split.len / sizeof(*cells);
    enum status status = OK;
    for (size_t i = 0; i < count && status == OK; i++) {
        struct call_job job;
        struct call_result result;
        size_t query = run_find_query(p->run, cells[i].id);
        if (query == SIZE_MAX ||
            dataset_outcome(run_dataset(p->run), query, cells[i].expert)->present)
            continue; /* the question went */
        status = play_cell_job(p->run, query, cells[i].expert, p->arena, &job, err);
        if (status == OK && calls_find(p->calls, &job, &result))
            status = play_take_answer(p, query, cells[i].expert, &result, err);
    }
    return status;
}

/* How unsure the model is of a question, and what choosing right among its experts is worth. */
static struct mix_point point_of(const struct play *p, const struct play_beliefs *b, size_t query,
                                 double lambda)
{
    const struct query *q = &run_dataset(p->run)->queries[query];
    size_t experts = p->o->expert_count;
    double doubt = 0, sum = 0, best = -INFINITY;
    for (size_t e = 0; e < experts; e++) {
        size_t at = query * experts + e;
        double utility =
            (double)b->quality[at] - lambda * (double)b->cost_nano_usd[at] / (double)NANO_PER_USD;
        doubt += (double)b->sd[at];
        sum += utility;
        best = fmax(best, utility);
    }
    return (struct mix_point){.domain = q->domain,
                              .level = questions_level(p->questions->questions, q->id),
                              .doubt = doubt / (double)experts,
                              .value = best - sum / (double)experts};
}

/* Of the questions so far, by the model of the round before; none where there is no model. */
static enum status gather_figures(struct play *p, struct mix_cell **ret, size_t *ret_count,
                                  struct error *err)
{
    const struct dataset *d = run_dataset(p->run);
    struct play_beliefs b;
    *ret_count = 0;
    *ret = NULL;
    if (!p->model || d->query_count == 0)
        return OK;
    struct mix_cell *cells = ARENA_ARRAY(p->arena, MIX_CELLS_MAX, struct mix_cell);
    struct mix_point *points = ARENA_ARRAY(p->arena, d->query_count, struct mix_point);
    if (!cells || !points)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    enum status status = play_believe(p->run, p->o, p->model, p->arena, &b, err);
    if (status != OK)
        return status;
    for (size_t q = 0; q < d->query_count; q++)
        points[q] = point_of(p, &b, q, p->o->policies[p->o->default_policy].lambda);
    *ret = cells;
    return mix_gather(points, d->query_count, cells, ret_count, err);
}

static int64_t rest_of_money(const struct play *p)
{
    return p->s->spend_nano_usd - p->spent_before_nano_usd;
}

static bool can_pay_a_request(const struct play *p)
{
    return questions_request_guess(p->questions->questions) <= rest_of_money(p);
}

bool play_pose_is_short(const struct play *p)
{
    return p->s->generators.count > 0 && p->r.posed.requests == 0 && !can_pay_a_request(p);
}

/* Without new questions the run would be over: every cell is known, or there are no questions at all. */
static enum status must_make_up(struct play *p, bool *ret, struct error *err)
{
    bool is_left = false;
    if (p->s->generators.count == 0 || !can_pay_a_request(p)) {
        *ret = false;
        return OK;
    }
    if (run_dataset(p->run)->query_count == 0) {
        *ret = p->s->questions.count == 0;
        return OK;
    }
    enum status status = play_is_left(p, &is_left, err);
    *ret = !is_left;
    return status;
}

/* For making questions up: a share of the round's money, and for a request that must be made what it takes of later
 * rounds'. */
static enum status money_for_posing(struct play *p, int64_t *ret, struct error *err)
{
    bool must = false;
    int64_t share = (int64_t)((double)p->r.budget_nano_usd * PLAY_POSE_SHARE) + 1;
    int64_t one = questions_request_guess(p->questions->questions);
    enum status status = one > share ? must_make_up(p, &must, err) : OK;
    *ret = must ? one : share;
    return status;
}

/* Also where nothing is to be made up: what the files lost is written down then. */
static enum status make_up(struct play *p, struct error *err)
{
    struct question_round round = {0};
    enum status status = OK;
    int64_t before = calls_told_nano_usd(p->calls);
    struct mix_cell *figures = NULL;
    bool makes_up = p->s->generators.count > 0 || p->s->sandbox;
    struct questions_wanted wanted = {.round = p->r.round,
                                      .count = makes_up ? p->s->round_questions : 0,
                                      .known = run_dataset(p->run)};
    if (p->r.budget_nano_usd != INT64_MAX)
        status = money_for_posing(p, &wanted.spend_nano_usd, err);
    buf_clear(&p->questions->split);
    if (status == OK && wanted.count > 0)
        status = gather_figures(p, &figures, &wanted.figure_count, err);
    wanted.figures = status == OK ? figures : NULL;
    if (status == OK)
        status = questions_round(p->questions->questions, p->calls, &wanted, &round, err);
    if (status == OK)
        status = add_all(p, round.items, round.count, err);
    p->r.spent_nano_usd += calls_told_nano_usd(p->calls) - before;
    p->r.posed = (struct play_posed){.requests = round.requests,
                                     .failed = round.failed,
                                     .generated = round.generated,
                                     .split = round.split,
                                     .dropped = round.dropped};
    return status == OK ? take_split(p, err) : status;
}

/* One file as it is. `posed` counts its lines that are no questions. */
static enum status add_file(const struct play_settings *s, size_t file, struct run *run,
                            struct arena *a, struct play_posed *posed, struct error *err)
{
    struct question_list list;
    struct question_file_result result = {0};
    char *prefix = arena_printf(a, "f%zu", file + 1);
    size_t at;
    if (!prefix)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    enum status status =
        question_file_read(s->questions.items[file], prefix, a, NULL, &list, &result, err);
    for (size_t i = 0; status == OK && i < list.count; i++)
        status = run_add_query(run, &list.items[i].query, &at, err);
    if (status == OK)
        count_dropped(posed, &result.dropped, &result.first);
    return status;
}

/* What is collected is what was asked for, duplicates or not. */
static enum status add_everything(struct play *p, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; i < p->s->questions.count && status == OK; i++)
        status = add_file(p->s, i, p->run, p->arena, &p->r.posed, err);
    return status;
}

static enum status add_new(struct play *p, struct error *err)
{
    enum status status = add_listed(p, err);
    if (status == OK)
        status = take_opinions(p, err);
    if (status == OK)
        status = make_up(p, err);
    if (status == OK && p->r.round == 1)
        count_listed(p);
    return status;
}

enum status play_pose(struct play *p, struct error *err)
{
    size_t before = run_dataset(p->run)->query_count;
    enum status status = p->s->everything ? add_everything(p, err) : add_new(p, err);
    p->r.questions_new = run_dataset(p->run)->query_count - before;
    return status;
}

/* Forecasts */

/* Stands for a question that nobody has made up yet. */
static enum status forecast_made_up(struct run *run, size_t round, size_t number, struct error *err)
{
    char text[FORECAST_CHARACTERS + 1];
    size_t at;
    memset(text, '.', sizeof(text) - 1);
    text[FORECAST_CHARACTERS] = '\0';
    int len = snprintf(text, sizeof(text), "question %zu of round %zu ", number, round);
    text[len] = '.';
    struct query q = {.text = str_from(text), .prompt = str_from(text)};
    q.text_hash = text_hash(q.text);
    return run_add_query(run, &q, &at, err);
}

enum status play_pose_forecast(const struct play_settings *s, struct run *run, size_t round,
                               bool with_files, struct arena *a, struct play_posed *posed,
                               struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; i < s->questions.count && status == OK && with_files; i++)
        status = add_file(s, i, run, a, posed, err);
    if (s->generators.count == 0 && !s->sandbox)
        return status;
    for (size_t i = 0; i < s->round_questions && status == OK; i++)
        status = forecast_made_up(run, round, i, err);
    return status;
}
