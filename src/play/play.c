/* The loop: see play.h.
 *
 * A round is seven steps, each in a file of its own (play_int.h); what is here is their order, what goes from one round
 * to the next, and when to end. One thread, which waits for experts, disk and training. Whatever fails on the way
 * leaves the run as it was after the last round, with the answers in its journal. */
#include "play/play_int.h"
#include "play/run_name.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "play/publish_file.h"
#include "prior/prior.h"
#include "runpage/runpage.h"
#include "train/train.h"

static void begin_figures(struct play *p)
{
    size_t round = run_rounds(p->run) + 1;
    p->r = (struct play_round){.round = round,
                               .rounds = p->s->rounds,
                               .budget_nano_usd =
                                   play_round_budget(p->s, round, p->spent_before_nano_usd),
                               .cap_nano_usd = p->s->spend_nano_usd,
                               .area = NAN,
                               .area_error = NAN,
                               .area_prior = NAN,
                               .gain_mix = NAN,
                               .gain_last = NAN,
                               .doubt = NAN,
                               .confidence = NAN,
                               .confidence_min = NAN,
                               .gain_in_force = NAN};
}

static size_t scores_known(const struct play *p)
{
    const struct dataset *d = run_dataset(p->run);
    size_t count = 0;
    for (size_t i = 0; i < d->query_count * d->expert_count; i++)
        count += d->outcomes[i].known;
    return count;
}

static void end_figures(struct play *p)
{
    const struct dataset *d = run_dataset(p->run);
    p->r.questions = d->query_count;
    p->r.outcomes = scores_known(p);
    p->r.spent_all_nano_usd = p->spent_before_nano_usd + p->r.spent_nano_usd;
    p->r.booked_nano_usd = calls_purse(p->calls)->spent_nano_usd;
    p->r.calls_ended = calls_ended(p->calls);
    p->r.cap_reached = calls_cap_reached(p->calls);
}

/* Those of two lists. */
static enum status join(struct play *p, struct cells *all, const struct cells *more,
                        struct error *err)
{
    struct cell *cells = ARENA_ARRAY(p->arena, all->count + more->count + 1, struct cell);
    if (!cells)
        return error_set(err, ERR_MEMORY, "out of memory for cells");
    if (all->count > 0)
        memcpy(cells, all->cells, all->count * sizeof(*cells));
    if (more->count > 0)
        memcpy(cells + all->count, more->cells, more->count * sizeof(*cells));
    all->cells = cells;
    all->count += more->count;
    return OK;
}

/* Of the round's money. What is answered will be scored. */
static int64_t money_left(const struct play *p)
{
    int64_t taken = p->r.spent_nano_usd + p->scoring_nano_usd;
    if (p->r.budget_nano_usd == INT64_MAX)
        return INT64_MAX;
    return p->r.budget_nano_usd > taken ? p->r.budget_nano_usd - taken : 0;
}

static void expect_scoring(struct play *p, const struct cells *cells)
{
    const struct dataset *d = run_dataset(p->run);
    const int64_t teacher_tokens = play_teacher_tokens(p->run, p->o);
    for (size_t i = 0; i < cells->count; i++) {
        const struct cell *c = &cells->cells[i];
        const struct play_scoring cost =
            play_evaluate_cost(p->o, &d->queries[c->question], teacher_tokens);
        if (run_text(p->run, c->question, c->expert).ptr)
            p->scoring_nano_usd += cost.teacher_nano_usd + cost.judge_nano_usd;
    }
}

/* The cells that are worth most of so much money. */
static enum status choose(struct play *p, int64_t nano_usd, struct cells *ret, struct error *err)
{
    struct play_beliefs beliefs;
    bool left_out[DATASET_EXPERTS_MAX];
    for (size_t e = 0; e < p->o->expert_count; e++)
        left_out[e] = calls_left_out(p->calls, e);
    enum status status =
        play_believe(p->run, p->o, p->model ? p->model : p->prior, p->arena, &beliefs, err);
    return status == OK
               ? play_choose(p->run, p->o, &beliefs, left_out, nano_usd, p->arena, ret, err)
               : status;
}

/* Cells for what is left of the round's money. */
static enum status buy(struct play *p, struct cells *all, size_t *ret_count, struct error *err)
{
    struct cells cells = {0};
    enum status status = choose(p, money_left(p), &cells, err);
    if (status == OK && cells.count > 0)
        status = play_ask(p, &cells, err);
    if (status == OK)
        status = join(p, all, &cells, err);
    if (status == OK)
        expect_scoring(p, &cells);
    *ret_count = cells.count;
    return status;
}

/* Again while much is left: before anybody was asked, what answers cost is a guess. */
static enum status buy_all(struct play *p, struct cells *all, struct error *err)
{
    size_t count = 1;
    enum status status = OK;
    for (int pass = 0; pass < PLAY_PASSES && status == OK && count > 0 && p->r.unpaid == 0;
         pass++) {
        if (pass > 0 && (double)money_left(p) < PLAY_PASS_SHARE * (double)p->r.budget_nano_usd)
            break;
        status = buy(p, all, &count, err);
    }
    return status;
}

enum status play_is_left(struct play *p, bool *ret, struct error *err)
{
    struct cells cells = {0};
    enum status status = choose(p, INT64_MAX, &cells, err);
    if (status == OK)
        *ret = cells.count > 0;
    return status;
}

static enum status find_shortage(struct play *p, struct error *err)
{
    bool is_left = false;
    enum status status = play_is_left(p, &is_left, err);
    p->is_short = is_left || play_pose_is_short(p);
    return status;
}

/* A round whose share of the money buys nothing takes of what later ones would have, as little as will do. */
static enum status buy_any(struct play *p, struct cells *all, struct error *err)
{
    const int64_t rest = p->s->spend_nano_usd - p->spent_before_nano_usd;
    if (p->s->members > 0)
        return play_probe(p, all, err);
    enum status status = buy_all(p, all, err);
    if (p->r.budget_nano_usd == INT64_MAX || p->s->everything)
        return status;
    for (int i = 0; i < PLAY_STRETCHES && status == OK && all->count == 0; i++) {
        if (p->r.budget_nano_usd >= rest)
            return find_shortage(p, err);
        bool last = i == PLAY_STRETCHES - 1 || p->r.budget_nano_usd > rest / 2;
        p->r.budget_nano_usd = last ? rest : 2 * p->r.budget_nano_usd;
        status = buy_all(p, all, err);
    }
    return status == OK && all->count == 0 ? find_shortage(p, err) : status;
}

static enum status learn(struct play *p, struct error *err)
{
    enum status status = run_save(p->run, err); /* plans are learnt from the texts on the disk */
    if (status == OK && !p->s->everything)
        status = play_learn(p, err);
    if (status == OK && !p->s->everything)
        status = play_measure(p, err);
    if (status == OK && !p->s->everything)
        status = play_publish(p, err);
    return status;
}

static enum status finish(struct play *p, const struct cells *cells, struct error *err)
{
    end_figures(p);
    enum status status = play_write_round(p, cells, err);
    if (status == OK)
        status = run_round_commit(p->run, err);
    if (status != OK)
        return status;
    p->spent_before_nano_usd = p->r.spent_all_nano_usd;
    if (p->o->on_round)
        p->o->on_round(p->o->arg, &p->r);
    return runpage_write(run_path(p->run), err);
}

/* Not one of the cells was answered. That is an error while nobody has answered anything yet: an expert that keeps
 * failing is no reason to give up what was learnt of others. */
static enum status check_answers(const struct play *p, const struct cells *cells, struct error *err)
{
    const struct dataset *d = run_dataset(p->run);
    bool has_answers = false;
    if (cells->count == 0 || p->r.cells > 0 || p->r.broken == 0)
        return OK;
    for (size_t i = 0; i < d->query_count * d->expert_count && !has_answers; i++)
        has_answers = d->outcomes[i].present && d->outcomes[i].cost_known;
    if (has_answers && !p->s->everything)
        return OK;
    return error_set(err, ERR_UPSTREAM, "no expert has answered: `leeroo check` asks them");
}

/* *ret_nothing: there was nothing to ask, or nobody who answers. It is a round all the same where answers get scores
 * that had none: a judge was named, or a command is allowed now. */
static enum status play_one(struct play *p, bool *ret_nothing, struct error *err)
{
    struct cells cells = {0};
    arena_reset(p->arena);
    calls_readmit(p->calls);
    p->scoring_nano_usd = 0;
    begin_figures(p);
    p->judged = NULL;
    p->passes = 0;
    memset(p->scored, 0, sizeof(p->scored));
    enum status status = run_round_begin(p->run, &p->folder, err);
    if (status == OK)
        status = play_pose(p, err);
    if (status == OK)
        status = buy_any(p, &cells, err);
    *ret_nothing = p->r.cells + p->r.unpaid == 0;
    if (status == OK)
        status = check_answers(p, &cells, err);
    const size_t known = scores_known(p);
    if (status == OK)
        status = play_evaluate(p, err);
    const bool is_round = !*ret_nothing || scores_known(p) > known;
    if (status == OK && is_round)
        status = learn(p, err);
    if (status == OK && is_round)
        status = finish(p, &cells, err);
    run_round_abort(p->run); /* where it has come to nothing */
    trained_free(p->trained);
    p->trained = NULL;
    return status;
}

/* What is expected of experts that nothing is known of yet. */
static enum status place_experts(struct play *p, struct error *err)
{
    size_t count = p->o->expert_count;
    struct prior_expert *experts = ARENA_ARRAY(p->kept, count + 1, struct prior_expert);
    struct prior_place *places = ARENA_ARRAY(p->kept, count + 1, struct prior_place);
    if (!experts || !places)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < count; e++)
        experts[e] = (struct prior_expert){.name = p->o->experts[e].name,
                                           .upstream = p->o->experts[e].upstream_model,
                                           .like = p->o->likes ? p->o->likes[e] : STR(""),
                                           .price = p->o->experts[e].price};
    return prior_model(experts, count, &p->prior, places, err);
}

/* At least one round where the settings want all rounds there are. */
static bool goes_on(const struct play *p, const struct play_end *end, size_t played)
{
    if (end->nothing_left || end->cap_reached || (p->o->stop && *p->o->stop))
        return false;
    return p->s->everything ? played == 0 : run_rounds(p->run) < p->s->rounds;
}

static enum status play_all(struct play *p, struct play_end *ret, struct error *err)
{
    enum status status = OK;
    size_t played = 0;
    const size_t before = run_rounds(p->run);
    ret->booked_before_nano_usd = calls_purse(p->calls)->spent_nano_usd;
    for (; status == OK && goes_on(p, ret, played); played++) {
        status = play_one(p, &ret->nothing_left, err);
        ret->cap_reached = calls_cap_reached(p->calls) || p->is_short;
    }
    if (status == OK && before > 0 && run_rounds(p->run) == before) /* of what is over already */
        status = runpage_write(run_path(p->run), err);
    ret->played = played;
    ret->rounds = run_rounds(p->run);
    ret->spent_nano_usd = p->spent_before_nano_usd;
    ret->booked_nano_usd = calls_purse(p->calls)->spent_nano_usd;
    ret->lost_nano_usd = calls_lost_nano_usd(p->calls);
    ret->posed = p->r.posed;
    for (size_t e = 0; e < p->o->expert_count; e++)
        ret->failing += calls_left_out(p->calls, e);
    return status;
}

static enum status open_calls(struct play *p, struct error *err)
{
    char *path = arena_printf(p->kept, "%s/calls.jsonl", run_path(p->run));
    struct calls_share share = p->o->share;
    if (share.url) {
        enum status status = run_name(run_path(p->run), p->kept, &share.run, err);
        if (status != OK)
            return status;
    }
    p->share = share;
    const struct calls_options o = {.experts = p->o->experts,
                                    .expert_count = p->o->expert_count,
                                    .concurrency = p->s->workers,
                                    .journal = path,
                                    .cap_nano_usd = p->s->spend_nano_usd,
                                    .output_tokens = p->s->output_tokens,
                                    .settled = p->ended_before,
                                    .booked_nano_usd = p->booked_before_nano_usd,
                                    .seed = p->s->seed,
                                    .network = p->o->network,
                                    .stop = p->o->stop,
                                    .watch = p->o->watch,
                                    .share = share.url ? &p->share : NULL};
    return path ? calls_create(&o, &p->calls, err) : error_set(err, ERR_MEMORY, "out of memory");
}

/* The model of the last round; a run may have none yet. */
static enum status recall_model(struct play *p, struct error *err)
{
    size_t rounds = run_rounds(p->run);
    if (rounds == 0)
        return OK;
    return run_round_read(p->run, play_load_model(p, rounds, &p->model, err), err);
}

/* A set is looked for by a plan for all of the money: with less than before it would come to other questions than have
 * been bought, and decide by few of these. */
static enum status check_money(const struct play *p, const char *path, struct error *err)
{
    struct play_settings before;
    play_settings_default(&before);
    if (p->s->members == 0 || access(path, F_OK) != 0)
        return OK;
    enum status status = play_settings_read(path, p->kept, &before, err);
    if (status != OK || before.members == 0 || before.spend_nano_usd == INT64_MAX ||
        p->s->spend_nano_usd >= before.spend_nano_usd)
        return status;
    return error_set(err, ERR_INPUT,
                     "%s looks for a set with %.6g USD: give --spend as much or more, or another "
                     "folder",
                     run_path(p->run), (double)before.spend_nano_usd / (double)NANO_PER_USD);
}

/* One piece: in this order, for nothing is paid for before all of it is well. */
static enum status open_all(struct play *p, const char *folder, struct error *err)
{
    char *path;
    p->arena = arena_create(PLAY_ARENA_BYTES);
    p->kept = arena_create(PLAY_ARENA_BYTES);
    if (!p->arena || !p->kept)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = run_open(folder, p->o->experts, p->o->expert_count, &p->run, err);
    path = status == OK ? arena_printf(p->kept, "%s/run.json", run_path(p->run)) : NULL;
    if (status == OK && !path)
        status = error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK)
        status = check_money(p, path, err);
    if (status == OK)
        status = play_settings_write(p->s, path, err);
    if (status == OK && p->o->model_path && !p->s->everything)
        status = publish_check(p->o->model_path, err);
    if (status == OK)
        status = play_read_round(p, err);
    if (status == OK)
        status = open_calls(p, err);
    if (status == OK)
        status = play_questions_open(p, err);
    if (status == OK)
        status = place_experts(p, err);
    if (status == OK)
        status = recall_model(p, err);
    return status == OK ? play_recall(p, err) : status;
}

enum status play_run(const char *folder, const struct play_options *o, struct play_end *ret,
                     struct error *err)
{
    struct play p = {.o = o, .s = o->settings};
    struct play_end end = {0};
    struct error local;
    err = err ? err : &local;
    enum status status = open_all(&p, folder, err);
    if (status == OK)
        status = play_all(&p, &end, err);
    if (status == OK && !(o->stop && *o->stop))
        calls_finish(p.calls);
    play_questions_close(&p);
    calls_free(p.calls);
    run_close(p.run);
    model_free(p.model);
    model_free(p.model_before);
    model_free(p.prior);
    arena_free(p.arena);
    arena_free(p.kept);
    if (status == OK)
        *ret = end;
    return status;
}
