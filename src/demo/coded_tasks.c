/* The beginning of `leeroo demo --verify`: the coders are started, and the check is put into the folder and tried.
 *
 * The check runs in a sandbox that not every machine has; whether this one has it is found out before anything is
 * asked, and without it the demo ends, because nothing that it says would be true. Started by root, commands run as
 * nobody, who has to be let into the demo's folder. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "demo/check_batch.h"
#include "demo/check_script.h"
#include "demo/coded.h"

#define CONNECT_TIMEOUT_MS 5000
#define TOTAL_TIMEOUT_MS   30000
#define CHECK_WORKERS_MAX  2
#define COLUMNS            80

_Static_assert(CODER_COUNT <= SANDBOX_EXPERT_COUNT, "struct demo has room for them");

/* The check */

static enum status write_script(const struct demo *d, struct error *err)
{
    struct file_out out;
    const char *path = d->coded->script;
    const size_t len = (size_t)(leeroo_check_script_end - leeroo_check_script);
    enum status status = file_out_open(path, &out, err);
    if (status != OK)
        return status;
    fwrite(leeroo_check_script, 1, len, out.stream);
    return file_out_commit(&out, err);
}

/* Only what the demo has made itself is opened to others, and only to be read. */
static enum status let_nobody_in(const struct demo *d, bool is_new, struct error *err)
{
    if (geteuid() != 0)
        return OK;
    if (chmod(d->coded->script, 0644) != 0 || (is_new && chmod(d->dir, 0755) != 0))
        return error_set_errno(err, ERR_IO, errno, "cannot let nobody read %s", d->coded->script);
    return OK;
}

/* By its whole path, because it starts in a folder of its own. */
static enum status set_check(struct coded_demo *c, struct error *err)
{
    char *whole = realpath(c->script, NULL);
    const bool fits = whole && strlen(whole) < sizeof(c->script);
    if (fits)
        snprintf(c->script, sizeof(c->script), "%s", whole);
    free(whole);
    if (!fits)
        return error_set(err, ERR_TOO_LARGE, "--dir: the path is too long");
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    c->command[0] = "sh";
    c->command[1] = c->files[0] = c->script;
    c->check = verify_settings_usual(VERIFY_COMMAND);
    c->check.name = STR("tests");
    c->check.command = c->command;
    c->check.files = c->files;
    c->check.price_nano_usd = CODED_CHECK_PRICE;
    c->check.workers = cores > CHECK_WORKERS_MAX ? CHECK_WORKERS_MAX
                       : cores > 0               ? (uint32_t)cores
                                                 : 1;
    return OK;
}

/* A program that must pass and one that must not. */
static enum status try_check(const struct coded_demo *c, struct error *err)
{
    struct check_job jobs[] = {
        {.question = STR("```tests\n< a b\n> b\n```\n"),
         .answer = STR("```awk\n{ print $2 }\n```\n")},
        {.question = STR("```tests\n< a b\n> b\n```\n"),
         .answer = STR("```awk\n{ print $1 }\n```\n")},
    };
    enum status status = check_batch_run(&c->check, jobs, 2, "trying the check", err);
    if (status != OK)
        return status;
    if (jobs[0].end.verdict == VERIFY_PASS && jobs[1].end.verdict == VERIFY_REJECT)
        return OK;
    return error_set(err, ERR_UNSUPPORTED,
                     "programs of answers cannot be run on this machine, shut in: %s. It takes "
                     "Linux 5.13 with Landlock and seccomp, sh and awk; `leeroo demo` without "
                     "--verify runs none",
                     jobs[jobs[0].end.verdict == VERIFY_PASS].end.why);
}

static enum status set_up_check(struct demo *d, struct error *err)
{
    const bool is_new = d->temporary || access(d->dir, F_OK) != 0;
    enum status status = demo_path(d, CODED_SCRIPT, d->coded->script, err);
    if (status == OK)
        status = file_make_folders(d->dir, true, err);
    if (status == OK)
        status = write_script(d, err);
    if (status == OK)
        status = let_nobody_in(d, is_new, err);
    if (status == OK)
        status = set_check(d->coded, err);
    return status == OK ? try_check(d->coded, err) : status;
}

void coded_wrap(FILE *out, int indent, struct str text)
{
    const size_t room = COLUMNS - (size_t)indent;
    if (text.len == 0)
        fputc('\n', out);
    while (text.len > 0) {
        size_t end = text.len;
        if (end > room)
            for (end = room; end > 0 && text.ptr[end] != ' ';)
                end--;
        end = end > 0 ? end : room;
        fprintf(out, "%*s%.*s\n", indent, "", STR_FMT(str_slice(text, 0, end)));
        text = str_slice(text, end + (end < text.len && text.ptr[end] == ' '), text.len);
    }
}

/* The coders */

static double usd_per_m(int64_t nano_usd_per_m)
{
    return (double)nano_usd_per_m / (double)NANO_PER_USD;
}

static void print_coders(FILE *out)
{
    fprintf(out,
            "  Four coders run in this process, behind a real HTTP endpoint. They write awk\n"
            "  programs: right ones, or ones with mistakes that people make. What is right is\n"
            "  not known beforehand: a check runs each program against the task's tests, in a\n"
            "  sandbox without network, with limits on time, memory and output.\n\n"
            "  %-7s  %9s  %9s  %s\n",
            "coder", "USD/M in", "USD/M out", "what it can do");
    for (size_t i = 0; i < CODER_COUNT; i++) {
        const struct coder *c = coder_at(i);
        fprintf(out, "  %-7s  %9.2f  %9.2f  %s\n", c->name,
                usd_per_m(c->price.input_nano_usd_per_m), usd_per_m(c->price.output_nano_usd_per_m),
                c->summary);
    }
}

static enum status start_coders(struct demo *d, struct error *err)
{
    char bound[64];
    d->coded->coders.seed = d->seed;
    const struct upstream_options options = {.source = coders_source(&d->coded->coders)};
    enum status status = upstream_pool_start("127.0.0.1:0", 1, &options, &d->upstream, bound, err);
    if (status != OK)
        return status;
    snprintf(d->upstream_url, sizeof(d->upstream_url), "http://%s/v1", bound);
    for (size_t i = 0; i < CODER_COUNT; i++)
        d->experts[i] = (struct expert){.name = str_from(coder_at(i)->name),
                                        .url = str_from(d->upstream_url),
                                        .upstream_model = str_from(coder_at(i)->name),
                                        .dialect = &dialect_openai,
                                        .price = coder_at(i)->price,
                                        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                        .total_timeout_ms = TOTAL_TIMEOUT_MS};
    return OK;
}

enum status coded_hire(struct demo *d, struct error *err)
{
    d->coded = ARENA_NEW(d->arena, struct coded_demo);
    if (!d->coded)
        return error_set(err, ERR_MEMORY, "out of memory");
    *d->coded = (struct coded_demo){.coders = {d->seed}};
    enum status status = set_up_check(d, err);
    if (status == OK)
        status = start_coders(d, err);
    if (status != OK)
        return status;
    demo_heading(d, 1, "Coders, and a check that runs what they write");
    print_coders(d->out);
    return OK;
}

void coded_free(struct coded_demo *c)
{
    if (!c)
        return;
    dataset_free(c->learn.set.data);
    dataset_free(c->held.set.data);
}
