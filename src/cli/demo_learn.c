/* The first half of the demo: experts are started, questions made up, every expert asked, and a model trained.
 *
 * The experts compute their answers (rehearse/sandbox.h) and are asked over HTTP like any other, by play/trial.h on the
 * thread of the command. What was learnt is judged on questions that training has not seen (demo_exam.c). All that is
 * made goes to the folder of the demo; all that is random comes from its seed. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/progress.h"
#include "cli/demo.h"
#include "data/dataset_write.h"
#include "pose/question_set.h"
#include "train/train.h"

#define CONCURRENCY        32
#define CONNECT_TIMEOUT_MS 5000
#define TOTAL_TIMEOUT_MS   30000
#define EXAM_SEED_OFFSET   1000003

/* "0.15" or "15": USD per million tokens. */
static double usd_per_m(int64_t nano_usd_per_m)
{
    return (double)nano_usd_per_m / (double)NANO_PER_USD;
}

static void print_experts(void)
{
    printf("  Four experts run in this process, behind a real HTTP endpoint. They really compute; "
           "beyond\n"
           "  their skill they are wrong in ways that look right.\n\n"
           "  %-8s  %10s  %11s  %s\n",
           "expert", "USD/M in", "USD/M out", "what it can do");
    for (size_t i = 0; i < SANDBOX_EXPERT_COUNT; i++) {
        const struct sandbox_expert *e = sandbox_expert_at(i);
        printf("  %-8s  %10.2f  %11.2f  %s\n", e->name, usd_per_m(e->price.input_nano_usd_per_m),
               usd_per_m(e->price.output_nano_usd_per_m), e->summary);
    }
}

enum status demo_hire(struct demo *d, struct error *err)
{
    char bound[64];
    d->sandbox.seed = d->seed;
    const struct upstream_options options = {.source = sandbox_source(&d->sandbox)};
    enum status status = upstream_pool_start("127.0.0.1:0", 1, &options, &d->upstream, bound, err);
    if (status != OK)
        return status;
    snprintf(d->upstream_url, sizeof(d->upstream_url), "http://%s/v1", bound);
    for (size_t i = 0; i < SANDBOX_EXPERT_COUNT; i++) {
        const struct sandbox_expert *e = sandbox_expert_at(i);
        d->experts[i] = (struct expert){.name = str_from(e->name),
                                        .url = str_from(d->upstream_url),
                                        .upstream_model = str_from(e->name),
                                        .dialect = &dialect_openai,
                                        .price = e->price,
                                        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                        .total_timeout_ms = TOTAL_TIMEOUT_MS};
    }
    demo_heading(d, 1, "The experts");
    print_experts();
    return OK;
}

static void print_examples(const struct dataset *q)
{
    for (int skill = 0; skill < SKILL_COUNT; skill++) {
        struct str name = str_from(skill_name((enum skill)skill));
        for (size_t i = 0; i < q->query_count; i++) {
            if (!str_equal(q->queries[i].domain, name) || q->queries[i].text.len > 72)
                continue;
            printf("  %-10.*s  %.*s  -> %.*s\n", STR_FMT(name), STR_FMT(q->queries[i].text),
                   STR_FMT(q->queries[i].answer));
            break;
        }
    }
}

enum status demo_question(struct demo *d, struct error *err)
{
    size_t exam = d->queries / 2 > 0 ? d->queries / 2 : 1;
    enum status status = question_set_make(d->seed, d->queries, NULL, &d->questions, err);
    if (status == OK)
        status = question_set_make(d->seed + EXAM_SEED_OFFSET, exam, d->questions, &d->exam, err);
    if (status != OK)
        return status;
    demo_heading(d, 2, "Questions with known answers");
    printf(
        "  %zu to learn from and %zu others for an exam, made up from seed %llu. For example:\n\n",
        d->queries, exam, (unsigned long long)d->seed);
    print_examples(d->questions);
    return OK;
}

/* Runs the trial on a set, keeps the outcomes in it, and writes it to its folder. */
static enum status ask_set(struct demo *d, struct dataset *set, const char *folder,
                           const char *what, struct error *err)
{
    const struct trial_options options = {
        .experts = d->experts, .concurrency = CONCURRENCY, .what = what, .seed = d->seed};
    struct trial_result result;
    char path[DEMO_PATH_BYTES];
    enum status status = trial_run(set, &options, d->arena, &result, err);
    if (status != OK)
        return error_prefix(err, "the sandbox experts");
    set->outcomes = result.outcomes;
    status = demo_path(d, folder, path, err);
    if (status == OK)
        status = dataset_write(set, path, err);
    for (size_t e = 0; e < set->expert_count && status == OK; e++)
        status = responses_write(set, path, set->experts[e].name,
                                 &result.texts[e * set->query_count], err);
    return status;
}

/* Accuracy of an expert on the questions of a domain; on all when `domain` is empty. */
static double accuracy(const struct dataset *set, size_t expert, struct str domain)
{
    double right = 0, count = 0;
    for (size_t q = 0; q < set->query_count; q++) {
        const struct outcome *o = dataset_outcome(set, q, expert);
        if (!o->known || (domain.len > 0 && !str_equal(set->queries[q].domain, domain)))
            continue;
        right += (double)o->score;
        count++;
    }
    return count > 0 ? 100 * right / count : 0;
}

static void print_skills(const struct dataset *set)
{
    printf("  right answers, in percent\n  %-8s", "expert");
    for (int skill = 0; skill < SKILL_COUNT; skill++)
        printf("  %10s", skill_name((enum skill)skill));
    printf("  %10s\n", "all");
    for (size_t e = 0; e < set->expert_count; e++) {
        printf("  %-8.*s", STR_FMT(set->experts[e].name));
        for (int skill = 0; skill < SKILL_COUNT; skill++)
            printf("  %10.0f", accuracy(set, e, str_from(skill_name((enum skill)skill))));
        printf("  %10.1f\n", accuracy(set, e, STR("")));
    }
}

static double spent_usd(const struct dataset *set)
{
    double sum = 0;
    for (size_t i = 0; i < set->query_count * set->expert_count; i++)
        sum += (double)set->outcomes[i].cost_nano_usd / (double)NANO_PER_USD;
    return sum;
}

enum status demo_ask_all(struct demo *d, struct error *err)
{
    demo_heading(d, 3, "Everybody is asked everything");
    uint64_t start = clock_now_ns();
    enum status status = ask_set(d, d->questions, "questions", "asking the experts", err);
    if (status == OK)
        status = ask_set(d, d->exam, "exam", "asking for the exam", err);
    if (status != OK)
        return status;
    printf("  %zu calls over HTTP in %.1f s, for %.2f USD of play money. On the questions to learn "
           "from:\n\n",
           (d->questions->query_count + d->exam->query_count) * SANDBOX_EXPERT_COUNT,
           (double)(clock_now_ns() - start) * 1e-9, spent_usd(d->questions) + spent_usd(d->exam));
    print_skills(d->questions);
    return OK;
}
static void note_progress(size_t done, size_t total, void *arg)
{
    struct progress *p = arg;
    p->total = total;
    progress_update(p, done);
}

/* Trains on what the folder holds, as `leeroo train` would, and writes the model beside it. */
static enum status train_and_write(const struct demo *d, const struct dataset *set,
                                   const char *model_path, struct error *err)
{
    struct train_options options;
    struct trained *trained = NULL;
    struct progress progress;
    uint64_t start = clock_now_ns();
    train_options_default(&options);
    options.seed = d->seed;
    options.progress = note_progress;
    options.progress_arg = &progress;
    progress_begin(&progress, "training", 1);
    enum status status = train_run(set, &options, &trained, err);
    progress_end(&progress);
    if (status == OK)
        status = model_write(trained, model_path, err);
    if (status == OK)
        printf(
            "  From the words of a question the orchestrator now predicts how likely each expert "
            "is right,\n"
            "  and what it will cost. Learnt in %.1f s. Cross-validated, as the chance that a "
            "question\n"
            "  answered right was predicted above one answered wrong (AUC; 0.5 is guessing):\n\n",
            (double)(clock_now_ns() - start) * 1e-9);
    for (size_t i = 0; status == OK && i < trained->experts; i++)
        printf("  %.*s %.2f  ", STR_FMT(trained->parts.experts[i].name), trained->figures[i].auc);
    if (status == OK)
        putchar('\n');
    trained_free(trained);
    return status;
}

enum status demo_train(struct demo *d, struct error *err)
{
    char folder[DEMO_PATH_BYTES], model_path[DEMO_PATH_BYTES];
    struct dataset *set = NULL;
    demo_heading(d, 4, "Learning");
    enum status status = demo_path(d, "questions", folder, err);
    if (status == OK)
        status = demo_path(d, DEMO_MODEL_FILE, model_path, err);
    if (status == OK)
        status = dataset_load(folder, DATASET_ALL, &set, err);
    if (status == OK)
        status = train_and_write(d, set, model_path, err);
    if (status == OK)
        status = model_load(model_path, &d->model, err);
    dataset_free(set);
    return status;
}
