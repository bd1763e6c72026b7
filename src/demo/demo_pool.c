/* The beginning of the demo: experts are started, and an exam is made up that nothing will be learnt from.
 *
 * The experts compute their answers (rehearse/sandbox.h) and are asked over HTTP like any other, by play/trial.h on the
 * thread of the command. Every expert takes the whole exam, so that it is known what any choice among them would have
 * made of it. All that is random comes from the demo's seed. */
#include <stdio.h>
#include <string.h>

#include "data/dataset_write.h"
#include "demo/demo.h"
#include "pose/question_set.h"

#define CONCURRENCY        32
#define CONNECT_TIMEOUT_MS 5000
#define TOTAL_TIMEOUT_MS   30000
#define EXAM_SEED_OFFSET   1000003

void demo_heading(const struct demo *d, int step, const char *title)
{
    fprintf(d->out, "\n%s%d  %s%s\n\n", d->bold ? "\033[1;36m" : "", step, title,
            d->bold ? "\033[0m" : "");
    fflush(d->out);
}

enum status demo_path(const struct demo *d, const char *file, char path[DEMO_PATH_BYTES],
                      struct error *err)
{
    int len = snprintf(path, DEMO_PATH_BYTES, "%s/%s", d->dir, file);
    return len > 0 && len < DEMO_PATH_BYTES
               ? OK
               : error_set(err, ERR_TOO_LARGE, "--dir: the path is too long");
}

/* "0.15" or "15": USD per million tokens. */
static double usd_per_m(int64_t nano_usd_per_m)
{
    return (double)nano_usd_per_m / (double)NANO_PER_USD;
}

static void print_experts(FILE *out)
{
    fprintf(out,
            "  Four experts run in this process, behind a real HTTP endpoint. They really\n"
            "  compute; beyond their skill they are wrong in ways that look right.\n\n"
            "  %-8s  %10s  %11s  %s\n",
            "expert", "USD/M in", "USD/M out", "what it can do");
    for (size_t i = 0; i < SANDBOX_EXPERT_COUNT; i++) {
        const struct sandbox_expert *e = sandbox_expert_at(i);
        fprintf(out, "  %-8s  %10.2f  %11.2f  %s\n", e->name,
                usd_per_m(e->price.input_nano_usd_per_m), usd_per_m(e->price.output_nano_usd_per_m),
                e->summary);
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
    print_experts(d->out);
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
                                 &result.texts[e * set->query_count], NULL, err);
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

static void print_skills(FILE *out, const struct dataset *set)
{
    fprintf(out, "  right answers, in percent\n  %-8s", "expert");
    for (int skill = 0; skill < SKILL_COUNT; skill++)
        fprintf(out, " %10s", skill_name((enum skill)skill));
    fprintf(out, " %10s\n", "all");
    for (size_t e = 0; e < set->expert_count; e++) {
        fprintf(out, "  %-8.*s", STR_FMT(set->experts[e].name));
        for (int skill = 0; skill < SKILL_COUNT; skill++)
            fprintf(out, " %10.0f", accuracy(set, e, str_from(skill_name((enum skill)skill))));
        fprintf(out, " %10.1f\n", accuracy(set, e, STR("")));
    }
}

static void print_examples(FILE *out, const struct dataset *q)
{
    for (int skill = 0; skill < SKILL_COUNT; skill++) {
        struct str name = str_from(skill_name((enum skill)skill));
        for (size_t i = 0; i < q->query_count; i++) {
            if (!str_equal(q->queries[i].domain, name) || q->queries[i].text.len > 56)
                continue;
            fprintf(out, "  %-10.*s  %.*s  -> %.*s\n", STR_FMT(name), STR_FMT(q->queries[i].text),
                    STR_FMT(q->queries[i].answer));
            break;
        }
    }
}

enum status demo_set_exam(struct demo *d, struct error *err)
{
    size_t count = d->queries / 2 > 0 ? d->queries / 2 : 1;
    enum status status = question_set_make(d->seed + EXAM_SEED_OFFSET, count, NULL, &d->exam, err);
    if (status != OK)
        return status;
    demo_heading(d, 2, "An exam");
    fprintf(d->out,
            "  %zu questions with known answers, made up from seed %llu. Nothing is learnt from\n"
            "  them; every expert takes them all, so that any choice can be marked. For\n"
            "  example:\n\n",
            count, (unsigned long long)d->seed);
    print_examples(d->out, d->exam);
    status = ask_set(d, d->exam, "exam", "asking for the exam", err);
    if (status != OK)
        return status;
    fputc('\n', d->out);
    print_skills(d->out, d->exam);
    return OK;
}
