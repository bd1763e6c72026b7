/* The middle of the demo: five rounds of self-play, each marked by the exam, from what is believed of experts by their
 * prices alone to what has been learnt of them.
 *
 * The run is that of `leeroo play` (play/play.h) in a folder of its own; rounds are told as they end, and the model
 * that each has left there takes the exam. One thread. */
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "data/dataset_write.h"
#include "demo/demo.h"
#include "play/play.h"
#include "pose/question_set.h"
#include "prior/prior.h"

#define ROUNDS        5
#define WORKERS       32
#define OUTPUT_TOKENS 200 /* of an answer at most: so much is kept back for each call in flight */
#define BAR_CELLS     18
#define BAR_FROM      0.5 /* where the bars begin: a right answer out of two */
#define USD_PER_TEXT                                                                               \
    0.0002 /* of the cap, for each question there is: about a quarter of asking everybody */

/* Between the rounds, which are told one by one. */
struct rising {
    struct demo *d;
    const char *folder;
    size_t told;
    enum status status; /* of marking; the first that failed */
    struct error err;
};

static void print_bar(FILE *out, double share)
{
    double full = BAR_CELLS * (share - BAR_FROM) / (1 - BAR_FROM);
    for (int i = 0; i < BAR_CELLS; i++)
        fputs(full >= i + 0.75 ? "\u2588" : full >= i + 0.25 ? "\u258c" : " ", out);
}

static void print_mark(FILE *out, const char *who, size_t cells, double usd,
                       const struct demo_mark *m)
{
    char at_half[16] = "-";
    if (!isnan(m->at_half))
        snprintf(at_half, sizeof(at_half), "%.1f %%", 100 * m->at_half);
    fprintf(out, "  %-8s  %7zu  %8.4f  %9s  ", who, cells, usd, at_half);
    print_bar(out, isnan(m->at_half) ? 0 : m->at_half);
    fprintf(out, "  %5.1f %%  %9.4f\n", 100 * m->right, m->usd_per_1k);
    fflush(out);
}

/* What is believed of experts that nobody has asked. */
static enum status mark_prior(struct demo *d, struct error *err)
{
    struct prior_expert experts[SANDBOX_EXPERT_COUNT];
    struct prior_place places[SANDBOX_EXPERT_COUNT];
    struct demo_mark mark;
    struct model *m = NULL;
    for (size_t i = 0; i < SANDBOX_EXPERT_COUNT; i++)
        experts[i] =
            (struct prior_expert){.name = d->experts[i].name, .price = d->experts[i].price};
    enum status status = prior_model(experts, SANDBOX_EXPERT_COUNT, &m, places, err);
    if (status == OK)
        status = demo_mark(d, m, &mark, err);
    model_free(m);
    if (status == OK)
        print_mark(d->out, "by price", 0, 0, &mark);
    return status;
}

/* A round that has learnt nothing yet has no model. */
static enum status mark_round(struct rising *r, const struct play_round *round, struct error *err)
{
    char path[DEMO_PATH_BYTES + 64], who[24];
    struct model *m = NULL;
    struct demo_mark mark;
    snprintf(path, sizeof(path), "%s/round-%zu/model.safetensors", r->folder, round->round);
    snprintf(who, sizeof(who), "round %zu", round->round);
    enum status status = model_load(path, &m, err);
    if (status == ERR_NOT_FOUND) {
        fprintf(r->d->out, "  %-8s  %7zu  %8.4f  too little to learn from yet\n", who,
                round->outcomes, (double)round->spent_all_nano_usd / (double)NANO_PER_USD);
        return OK;
    }
    if (status == OK)
        status = demo_mark(r->d, m, &mark, err);
    if (status == OK)
        print_mark(r->d->out, who, round->outcomes,
                   (double)round->spent_all_nano_usd / (double)NANO_PER_USD, &mark);
    model_free(m);
    return status;
}

static void on_round(void *arg, const struct play_round *round)
{
    struct rising *r = arg;
    if (r->status == OK)
        r->status = mark_round(r, round, &r->err);
    r->told++;
}

/* Their texts are none of the exam's. */
static enum status write_questions(struct demo *d, const char *folder, struct error *err)
{
    struct dataset *set = NULL;
    enum status status = question_set_make(d->seed, d->queries, d->exam, &set, err);
    if (status == OK)
        status = dataset_write(set, folder, err);
    dataset_free(set);
    return status;
}

/* One piece: the settings are the options of `leeroo play`, one a line. */
static enum status run(struct demo *d, const char *questions, const char *folder,
                       const char *model_path, struct play_end *end, struct error *err)
{
    const struct policy policies[] = {{.lambda = DEMO_LAMBDA}, {.budget_usd_per_1k = DEMO_BUDGET}};
    struct rising rising = {.d = d, .folder = folder};
    struct play_settings settings;
    play_settings_default(&settings);
    settings.config = "leeroo.yaml";
    settings.questions = (struct play_list){{questions}, 1};
    settings.rounds = ROUNDS;
    settings.workers = WORKERS;
    settings.spend_nano_usd = (int64_t)(USD_PER_TEXT * (double)d->queries * (double)NANO_PER_USD);
    settings.output_tokens = OUTPUT_TOKENS;
    settings.seed = d->seed;
    const struct play_options o = {.settings = &settings,
                                   .experts = d->experts,
                                   .expert_count = SANDBOX_EXPERT_COUNT,
                                   .policies = policies,
                                   .policy_count = sizeof(policies) / sizeof(policies[0]),
                                   .model_path = model_path,
                                   .on_round = on_round,
                                   .arg = &rising};
    enum status status = play_run(folder, &o, end, err);
    if (status == OK && rising.status != OK) {
        *err = rising.err;
        status = rising.status;
    }
    if (status == OK && rising.told == 0)
        fprintf(d->out, "  All rounds were played before, in %s.\n", folder);
    return status;
}

/* The one in force: published, or where too few questions were left to compare by, the last round's. */
static enum status load_model(struct demo *d, const char *folder, const char *model_path,
                              size_t rounds, struct error *err)
{
    char path[DEMO_PATH_BYTES + 64];
    if (access(model_path, F_OK) == 0)
        return model_load(model_path, &d->model, err);
    snprintf(path, sizeof(path), "%s/round-%zu/model.safetensors", folder, rounds);
    fprintf(d->out,
            "\n  No round has beaten the prior on enough questions; the last one's model is\n"
            "  taken.\n");
    return rename(path, model_path) == 0
               ? model_load(model_path, &d->model, err)
               : error_set(err, ERR_INPUT, "too few questions to learn from; --queries gives more");
}

/* One piece: the steps of the round trip in their order. */
enum status demo_play(struct demo *d, struct error *err)
{
    char questions[DEMO_PATH_BYTES], folder[DEMO_PATH_BYTES], model_path[DEMO_PATH_BYTES];
    struct play_end end;
    uint64_t start = clock_now_ns();
    demo_heading(d, 3, "Self-play");
    fprintf(d->out,
            "  %zu other questions, and money for a part of what asking everybody\n"
            "  everything would cost. Each round asks where an answer is worth its price,\n"
            "  learns, and takes the exam. Right answers, for half of what the best expert\n"
            "  costs, and where " DEMO_LAMBDA_MEANING ":\n\n"
            "  %-8s  %7s  %8s  %9s  %-*s  %7s  %9s\n",
            d->queries, "", "answers", "USD", "at half", BAR_CELLS, "50 to 100 %", "right",
            "USD/1,000");
    enum status status = demo_path(d, "questions", questions, err);
    if (status == OK)
        status = demo_path(d, "play", folder, err);
    if (status == OK)
        status = demo_path(d, DEMO_MODEL_FILE, model_path, err);
    if (status == OK)
        status = write_questions(d, questions, err);
    if (status == OK)
        status = mark_prior(d, err);
    if (status == OK)
        status = run(d, questions, folder, model_path, &end, err);
    if (status == OK)
        status = load_model(d, folder, model_path, end.rounds, err);
    if (status == OK)
        fprintf(d->out,
                "\n  That took %.1f s; `leeroo play` does the same with experts of yours.\n",
                (double)(clock_now_ns() - start) * 1e-9);
    return status;
}
