/* Outcomes from programs that are run: every coder answers every task, the check says what passes the tests that are
 * shown, and once more, by those that are not, what is right. What is learnt is who is right on which task; and how
 * often the check lets a wrong program pass, because nobody tests for everything.
 *
 * One thread; checks run beside it (demo/check_batch.h). What is said of a set is the same for the same seed, times
 * aside. */
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "data/check_column.h"
#include "data/dataset_write.h"
#include "demo/check_batch.h"
#include "demo/coded.h"
#include "train/train.h"

#define CONCURRENCY      32
#define HELD_SEED_OFFSET 1000003
#define HIDDEN_BYTES     (64u << 20)

/* Outcomes */

static struct check_job *jobs_create(const struct demo *d, const struct coded *s, struct error *err)
{
    const struct dataset *data = s->set.data;
    struct check_job *jobs =
        ARENA_ARRAY(d->arena, data->query_count * data->expert_count + 1, struct check_job);
    if (!jobs)
        error_set(err, ERR_MEMORY, "out of memory for checks");
    return jobs;
}

static enum status down(const struct check_job *job, struct error *err)
{
    return error_set(err, ERR_IO, "the check says nothing of an answer: %s", job->end.why);
}

/* Which answers the tests that are shown let pass. */
static enum status check_shown(const struct demo *d, struct coded *s, struct error *err)
{
    const struct dataset *data = s->set.data;
    const size_t cells = data->query_count * data->expert_count;
    s->checks = jobs_create(d, s, err);
    s->said = ARENA_ARRAY(d->arena, cells + 1, uint8_t);
    if (!s->checks || !s->said)
        return error_set(err, ERR_MEMORY, "out of memory for checks");
    for (size_t i = 0; i < cells; i++) {
        const size_t q = i / data->expert_count, e = i % data->expert_count;
        s->checks[i] = (struct check_job){.question = data->queries[q].text,
                                          .answer = s->texts[e * data->query_count + q]};
    }
    enum status status =
        check_batch_run(&d->coded->check, s->checks, cells, "running programs", err);
    for (size_t i = 0; i < cells && status == OK; i++) {
        if (s->checks[i].end.verdict == VERIFY_DOWN)
            return down(&s->checks[i], err);
        s->said[i] = s->checks[i].end.verdict == VERIFY_PASS ? CHECK_PASSES : CHECK_REJECTS;
    }
    s->runs += cells;
    return status;
}

/* What has passed is held to the tests that are not shown; whatever passes both is right. */
static enum status check_hidden(const struct demo *d, struct coded *s, struct error *err)
{
    const struct dataset *data = s->set.data;
    const size_t cells = data->query_count * data->expert_count;
    struct check_job *jobs = jobs_create(d, s, err);
    size_t count = 0;
    if (!jobs)
        return ERR_MEMORY;
    for (size_t i = 0; i < cells; i++) {
        data->outcomes[i].score = 0;
        if (s->said[i] == CHECK_PASSES)
            jobs[count++] = (struct check_job){.question = s->set.hidden[i / data->expert_count],
                                               .answer = s->checks[i].answer};
    }
    enum status status =
        check_batch_run(&d->coded->check, jobs, count, "running hidden tests", err);
    for (size_t i = 0, at = 0; i < cells && status == OK; i++) {
        if (s->said[i] != CHECK_PASSES)
            continue;
        if (jobs[at].end.verdict == VERIFY_DOWN)
            return down(&jobs[at], err);
        data->outcomes[i].score = jobs[at++].end.verdict == VERIFY_PASS ? 1 : 0;
    }
    s->runs += count;
    return status;
}

/* Asks, checks, and takes the time of the checks. */
static enum status collect(const struct demo *d, struct coded *s, const char *what,
                           struct error *err)
{
    const struct trial_options options = {
        .experts = d->experts, .concurrency = CONCURRENCY, .what = what, .seed = d->seed};
    struct trial_result result;
    enum status status = trial_run(s->set.data, &options, d->arena, &result, err);
    if (status == OK && result.failed > 0)
        status = error_set(err, ERR_UPSTREAM, "%zu calls failed", result.failed);
    if (status != OK)
        return error_prefix(err, "the sandbox coders");
    s->set.data->outcomes = result.outcomes;
    s->texts = result.texts;
    const uint64_t start = clock_now_ns();
    status = check_shown(d, s, err);
    if (status == OK)
        status = check_hidden(d, s, err);
    s->seconds = (double)(clock_now_ns() - start) * 1e-9;
    return status;
}

/* Files */

/* Beside the data set: the questions with the tests that nobody was shown. */
static enum status write_hidden(const struct coded *s, const char *folder, struct error *err)
{
    char path[DEMO_PATH_BYTES + 32];
    struct buf b;
    buf_init(&b, HIDDEN_BYTES);
    for (size_t q = 0; q < s->set.data->query_count; q++) {
        buf_add_c(&b, "{\"id\":");
        json_write_string(&b, s->set.data->queries[q].id);
        buf_add_c(&b, ",\"question\":");
        json_write_string(&b, s->set.hidden[q]);
        buf_add_c(&b, "}\n");
    }
    snprintf(path, sizeof(path), "%s/hidden.jsonl", folder);
    enum status status = file_write(path, &b, err);
    buf_done(&b);
    return status;
}

static enum status write_set(const struct demo *d, struct coded *s, const char *folder,
                             struct error *err)
{
    char path[DEMO_PATH_BYTES];
    struct dataset *data = s->set.data;
    s->written = (struct dataset_check){CODED_COLUMN, s->said};
    data->check = &s->written;
    enum status status = demo_path(d, folder, path, err);
    if (status == OK)
        status = dataset_write(data, path, err);
    for (size_t e = 0; e < data->expert_count && status == OK; e++)
        status = responses_write(data, path, data->experts[e].name,
                                 &s->texts[e * data->query_count], NULL, err);
    return status == OK ? write_hidden(s, path, err) : status;
}

/* What is told */

static unsigned level_of(const struct query *q)
{
    for (size_t f = 0; f < program_family_count(); f++)
        if (str_equal(q->domain, str_from(program_family_at(f)->name)))
            return program_family_at(f)->level;
    return 0;
}

double coded_right(const struct coded *s, size_t expert, unsigned level)
{
    const struct dataset *data = s->set.data;
    double right = 0, count = 0;
    for (size_t q = 0; q < data->query_count; q++) {
        if (level && level_of(&data->queries[q]) != level)
            continue;
        right += (double)dataset_outcome(data, q, expert)->score;
        count++;
    }
    return count > 0 ? 100 * right / count : 0;
}

static void print_right(FILE *out, const struct coded *s)
{
    fprintf(out, "  right programs, in percent\n  %-7s  %6s  %6s  %6s  %6s\n", "coder", "easy",
            "middle", "hard", "all");
    for (size_t e = 0; e < s->set.data->expert_count; e++) {
        fprintf(out, "  %-7.*s", STR_FMT(s->set.data->experts[e].name));
        for (unsigned level = 1; level <= PROGRAM_LEVELS; level++)
            fprintf(out, "  %6.0f", coded_right(s, e, level));
        fprintf(out, "  %6.1f\n", coded_right(s, e, 0));
    }
}

/* How often the check passes what is wrong. What is right passes, because it has passed both. */
static void count_errors(struct coded_demo *c)
{
    const struct dataset *data = c->learn.set.data;
    double wrong = 0, passed = 0;
    for (size_t i = 0; i < data->query_count * data->expert_count; i++) {
        const bool is_wrong = data->outcomes[i].score < 0.5f;
        wrong += is_wrong;
        passed += is_wrong && c->learn.said[i] == CHECK_PASSES;
    }
    c->believed = (struct verified_check){.false_pass = (float)(wrong > 0 ? passed / wrong : 0),
                                          .price_nano_usd = CODED_CHECK_PRICE};
}

static size_t contained(const struct coded *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->set.data->query_count * s->set.data->expert_count; i++) {
        const struct str why = str_from(s->checks[i].end.why);
        count += str_find(why, STR("no end after"), 0) != SIZE_MAX ||
                 str_find(why, STR("prints more than"), 0) != SIZE_MAX;
    }
    return count;
}

static void print_example(FILE *out, const struct dataset *data)
{
    for (size_t q = 0; q < data->query_count; q++) {
        if (data->queries[q].text.len > 270)
            continue;
        fputs("For example:\n\n", out);
        for (struct str rest = data->queries[q].text; rest.len > 0;) {
            const struct str line = str_split(&rest, '\n');
            coded_wrap(out, 4, line);
        }
        return;
    }
}

/* One piece: the story of a step. */
static void tell(const struct demo *d, double training_s)
{
    const struct coded_demo *c = d->coded;
    const size_t runs = c->learn.runs + c->held.runs,
                 ended = contained(&c->learn) + contained(&c->held);
    const double seconds = c->learn.seconds + c->held.seconds;
    fprintf(d->out, "\n");
    print_right(d->out, &c->learn);
    fprintf(d->out,
            "\n  A program is right when it passes the tests that the question shows and those\n"
            "  that it does not. The check of the gateway sees the former alone: it passes\n"
            "  %.1f %% of wrong programs. That is counted here, and written into leeroo.yaml.\n"
            "  %zu programs did not end, or printed without end, and were stopped.\n\n"
            "  The check ran %zu times in %.1f s, %u at a time; training took %.1f s.\n",
            100 * (double)c->believed.false_pass, ended, runs, seconds, c->check.workers,
            training_s);
}

/* Training */

static void note_progress(size_t done, size_t total, void *arg)
{
    struct progress *p = arg;
    p->total = total;
    progress_update(p, done);
}

static enum status train(struct demo *d, struct error *err)
{
    char path[DEMO_PATH_BYTES];
    struct train_options options;
    struct trained *trained = NULL;
    struct progress progress;
    train_options_default(&options);
    options.seed = d->seed;
    options.progress = note_progress;
    options.progress_arg = &progress;
    progress_begin(&progress, "training", 1);
    enum status status = train_run(d->coded->learn.set.data, &options, &trained, err);
    progress_end(&progress);
    if (status == OK)
        status = demo_path(d, DEMO_MODEL_FILE, path, err);
    if (status == OK)
        status = model_write(trained, path, err);
    trained_free(trained);
    return status == OK ? model_load(path, &d->model, err) : status;
}

static enum status make_sets(struct demo *d, struct error *err)
{
    struct coded_demo *c = d->coded;
    enum status status = coding_set_make(d->seed, d->queries, NULL, &c->learn.set, err);
    if (status == OK)
        status = coding_set_make(d->seed + HELD_SEED_OFFSET, d->queries / 2, c->learn.set.data,
                                 &c->held.set, err);
    return status;
}

/* One piece: what is said before the work, the work, and what is said of it. */
enum status coded_learn(struct demo *d, struct error *err)
{
    struct coded_demo *c = d->coded;
    enum status status = make_sets(d, err);
    if (status != OK)
        return status;
    demo_heading(d, 2, "Learning who can do what");
    fprintf(d->out,
            "  %zu tasks to learn from, made up from seed %llu, and %zu that are kept to\n"
            "  measure by. Every coder answers all of them. ",
            c->learn.set.data->query_count, (unsigned long long)d->seed,
            c->held.set.data->query_count);
    print_example(d->out, c->learn.set.data);
    fflush(d->out);
    status = collect(d, &c->learn, "asking for programs", err);
    if (status == OK)
        status = collect(d, &c->held, "asking for programs", err);
    if (status == OK)
        status = write_set(d, &c->learn, CODED_LEARN, err);
    if (status == OK)
        status = write_set(d, &c->held, CODED_HELD, err);
    const uint64_t start = clock_now_ns();
    if (status == OK)
        status = train(d, err);
    if (status != OK)
        return status;
    count_errors(c);
    tell(d, (double)(clock_now_ns() - start) * 1e-9);
    return OK;
}
