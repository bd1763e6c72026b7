/* What a run would cost: the rounds of play.c without anybody asked.
 *
 * Expected costs are those that the first round would go by, whoever answers: what was learnt would change the later
 * ones. Lengths of what generators and judges read and write are guesses. Of a run that is there the rounds that are
 * over count as they are, and only the rest is forecast; else the data set is made in a folder that goes away, because
 * it is the run's own. */
#include "play/play_int.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/saturate.h"
#include "play/questions.h"

#define POSE_PROMPT_CHARACTERS   4000 /* of a request for questions */
#define POSE_QUESTION_TOKENS     200  /* of a question in its reply */
#define REPEAT_PROMPT_CHARACTERS 400
#define POSE_INPUT_TOKENS        300 /* of a question's part of the request, and of its repetition */

struct forecasting {
    const struct play_options *o;
    struct run *run;
    struct arena *arena;
    struct play_forecast_row *rows; /* of the round: [PLAY_PHASES × experts] */
    int64_t spent_nano_usd;
    int64_t teacher_tokens;  /* of an answer */
    size_t first;            /* round */
    struct play_posed posed; /* what files lost */
};

const char *play_phase_name(enum play_phase phase)
{
    static const char *const names[] = {
        [PLAY_POSING] = "questions", [PLAY_ASKING] = "answers", [PLAY_SCORING] = "scores"};
    return names[phase];
}

static void count(struct forecasting *f, enum play_phase phase, size_t expert, size_t calls,
                  int64_t expected_nano_usd, int64_t most_nano_usd)
{
    struct play_forecast_row *row = &f->rows[phase * f->o->expert_count + expert];
    row->calls += calls;
    row->expected_nano_usd = add_saturated(row->expected_nano_usd, expected_nano_usd);
    row->most_nano_usd = add_saturated(row->most_nano_usd, most_nano_usd);
    f->spent_nano_usd = add_saturated(f->spent_nano_usd, expected_nano_usd);
}

/* Calls of one length. */
static void count_calls(struct forecasting *f, enum play_phase phase, size_t expert, size_t calls,
                        size_t characters, int64_t output_tokens)
{
    const struct expert *e = &f->o->experts[expert];
    const struct call_job job = {.user = {"", characters}};
    int64_t one = price_cost_nano_usd(&e->price, (int64_t)characters / 4, output_tokens);
    int64_t most = calls_job_bound_nano_usd(e, &job, f->o->settings->output_tokens);
    count(f, phase, expert, calls, times_saturated(one, (int64_t)calls),
          times_saturated(most, (int64_t)calls));
}

static size_t index_of(const struct forecasting *f, const char *name)
{
    return expert_index(f->o->experts, f->o->expert_count, str_from(name));
}

/* Each generator makes its part of the questions up, and answers them once more, for as long as the round's share for
 * that lasts; where there is no question yet, a request is made all the same. */
static void forecast_posing(struct forecasting *f, int64_t budget_nano_usd, bool is_first)
{
    const struct play_settings *s = f->o->settings;
    size_t generators = s->generators.count;
    for (size_t i = 0; i < generators; i++) {
        size_t own = (s->round_questions + generators - 1 - i) / generators;
        size_t expert = index_of(f, s->generators.items[i]);
        int64_t one = price_cost_nano_usd(&f->o->experts[expert].price, POSE_INPUT_TOKENS,
                                          POSE_QUESTION_TOKENS + PLAY_OUTPUT_GUESS);
        double most = PLAY_POSE_SHARE * (double)budget_nano_usd / (double)generators;
        if (one > 0 && most / (double)one < (double)own)
            own = (size_t)(most / (double)one);
        if (own == 0 && is_first && i == 0)
            own = QUESTIONS_PER_REQUEST;
        size_t requests = (own + QUESTIONS_PER_REQUEST - 1) / QUESTIONS_PER_REQUEST;
        count_calls(f, PLAY_POSING, expert, requests, POSE_PROMPT_CHARACTERS,
                    QUESTIONS_PER_REQUEST * POSE_QUESTION_TOKENS);
        count_calls(f, PLAY_POSING, expert, own, REPEAT_PROMPT_CHARACTERS, PLAY_OUTPUT_GUESS);
    }
}

/* The cell's answer, and what scoring it takes. */
static enum status forecast_cell(struct forecasting *f, const struct play_beliefs *b,
                                 const struct cell *c, struct error *err)
{
    const struct outcome taken = {.present = true, .known = true};
    const struct play_settings *s = f->o->settings;
    const struct query *q = &run_dataset(f->run)->queries[c->question];
    const struct play_scoring scoring = play_evaluate_cost(f->o, q, f->teacher_tokens);
    int64_t all = b->cost_nano_usd[c->question * f->o->expert_count + c->expert];
    count(f, PLAY_ASKING, c->expert, 1, all - scoring.teacher_nano_usd - scoring.judge_nano_usd,
          play_cell_most_nano_usd(f->run, f->o, c->question, c->expert));
    if (scoring.teacher_nano_usd > 0)
        count(f, PLAY_SCORING, index_of(f, s->teacher), 0, scoring.teacher_nano_usd,
              scoring.teacher_nano_usd);
    if (scoring.judge_nano_usd > 0)
        count(f, PLAY_SCORING, index_of(f, s->judges.items[0]), 2, scoring.judge_nano_usd,
              scoring.judge_nano_usd);
    return run_set_outcome(f->run, c->question, c->expert, &taken, STR(""), err);
}

/* What a round would buy is taken to be known from then on. */
static enum status forecast_round(struct forecasting *f, size_t round, struct error *err)
{
    struct play_beliefs beliefs;
    struct cells cells = {0};
    int64_t before = f->spent_nano_usd;
    f->teacher_tokens = play_teacher_tokens(f->run, f->o);
    int64_t budget = play_round_budget(f->o->settings, round, before);
    enum status status = play_pose_forecast(f->o->settings, f->run, round, round == f->first,
                                            f->arena, &f->posed, err);
    if (status == OK)
        status = play_believe(f->run, f->o, NULL, f->arena, &beliefs, err);
    if (status != OK)
        return status;
    forecast_posing(f, budget, round == 1 && f->o->settings->questions.count == 0);
    if (budget != INT64_MAX)
        budget -= f->spent_nano_usd - before;
    status =
        play_choose(f->run, f->o, &beliefs, NULL, budget > 0 ? budget : 0, f->arena, &cells, err);
    for (size_t i = 0; i < cells.count && status == OK; i++)
        status = forecast_cell(f, &beliefs, &cells.cells[i], err);
    return status;
}

/* What the run has asked already is not asked again; its rounds have spent their part. */
static enum status take_up(struct forecasting *f, struct error *err)
{
    const struct dataset *d = run_dataset(f->run);
    struct play p = {.o = f->o, .s = f->o->settings, .run = f->run, .kept = f->arena};
    for (size_t q = 0; q < d->query_count; q++)
        for (size_t e = 0; e < d->expert_count; e++)
            if (dataset_outcome(d, q, e)->present)
                run_set_text(f->run, q, e, STR(""));
    f->first = f->o->settings->everything ? 1 : run_rounds(f->run) + 1;
    enum status status = play_read_round(&p, err);
    f->spent_nano_usd = p.spent_before_nano_usd;
    return status;
}

static enum status forecast(struct run *run, const struct play_options *o, struct arena *a,
                            struct play_forecast *ret, struct error *err)
{
    struct play_forecast all = {.rounds = o->settings->rounds, .experts = o->expert_count};
    size_t rows = PLAY_PHASES * all.experts;
    struct forecasting f = {.o = o, .run = run, .arena = a};
    struct play_forecast_row *first =
        ARENA_ARRAY(a, all.rounds * rows + 1, struct play_forecast_row);
    enum status status = OK;
    if (!first)
        return error_set(err, ERR_MEMORY, "out of memory");
    status = take_up(&f, err);
    for (size_t r = f.first; r <= all.rounds && status == OK; r++) {
        f.rows = first + (r - 1) * rows;
        status = forecast_round(&f, r, err);
    }
    all.rows = first;
    all.questions = run_dataset(run)->query_count;
    all.posed = f.posed;
    if (status == OK)
        *ret = all;
    return status;
}

enum status play_forecast(const struct play_options *o, const char *folder, struct arena *a,
                          struct play_forecast *ret, struct error *err)
{
    char away[PATH_MAX], settings[PATH_MAX];
    struct run *run = NULL;
    enum status status = OK;
    snprintf(settings, sizeof(settings), "%s/run.json", folder ? folder : "");
    bool is_there = folder && access(settings, F_OK) == 0;
    if (!is_there)
        status = file_make_temporary("forecast", away, sizeof(away), err);
    if (status != OK)
        return status;
    status = run_open(is_there ? folder : away, o->experts, o->expert_count, &run, err);
    if (status == OK)
        status = forecast(run, o, a, ret, err);
    run_close(run);
    if (!is_there)
        (void)rmdir(away);
    return status;
}
