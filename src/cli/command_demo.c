/* leeroo demo: the whole loop on built-in experts, with no key, no data and no network.
 *
 * Its parts are demo_pool.c, demo_play.c, demo_exam.c and demo_ask.c, in the order of the story (demo/demo.h). The
 * experts are threads of rehearse and outlive both; the files are in a folder that goes away at the end, unless it was
 * named. Only this file makes and removes that folder. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/log_writer.h"
#include "base/terminal.h"
#include "cli/commands.h"
#include "cli/commit.h"
#include "cli/demo_ask.h"
#include "cli/wait.h"
#include "demo/coded.h"

#define DEMO_ARENA_BYTES (UINT64_C(2) << 30)
#define QUERIES_MIN      50.0
#define QUERIES_MAX      20000.0

static const char TEXT[] =
    "Shows the whole loop in a few seconds, with no key, no data and no network: four built-in "
    "experts\n"
    "are placed by their prices, then asked questions with known answers over HTTP, in five rounds "
    "of\n"
    "self-play that are each marked by an exam; then the gateway starts and answers three "
    "questions,\n"
    "explaining each choice.\n\n"
    "With --verify the experts write programs, and a check that runs them against tests says what\n"
    "may stand. Its folder always stays.\n\n"
    "Its files (questions, the run, the exam, the model, leeroo.yaml) go to a temporary folder "
    "that "
    "is\n"
    "removed, or stay in --dir. With --keep the gateway goes on until Ctrl-C.\n\n"
    "  leeroo demo\n"
    "  leeroo demo --verify\n"
    "  leeroo demo --keep --dir my-demo --listen 127.0.0.1:8080\n";

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info, (void)type, (void)walk;
    return remove(path);
}

static enum status make_temporary(char path[DEMO_PATH_BYTES], struct error *err)
{
    enum status status = file_make_temporary("demo", path, DEMO_PATH_BYTES, err);
    if (status != OK)
        error_prefix(err, "--dir names another place");
    return status;
}

typedef enum status demo_step(struct demo *, struct error *);

static enum status tell(struct demo *d, bool verify, struct error *err)
{
    static demo_step *const usual[] = {demo_hire,  demo_set_exam,  demo_play, demo_examine,
                                       demo_serve, demo_ask_three, NULL};
    static demo_step *const verified[] = {coded_hire, coded_learn, coded_ask, coded_compare, NULL};
    uint64_t start = clock_now_ns();
    enum status status = OK;
    for (demo_step *const *step = verify ? verified : usual; *step && status == OK; step++)
        status = (*step)(d, err);
    if (status != OK)
        return status;
    printf("That took %.1f s.\n", (double)(clock_now_ns() - start) * 1e-9);
    (verify ? coded_next_steps : demo_next_steps)(d);
    if (!d->keep)
        return OK;
    status = log_writer_start(err); /* from here on it is a service */
    return status == OK ? cli_wait_for_signal(err) : status;
}

static enum status add_page(struct gateway *g, struct error *err)
{
    static const struct admin_build build = {LEEROO_VERSION, build_commit};
    return admin_serve(g, &build, err);
}

static void clean(struct demo *d)
{
    local_stop(d->gateway);
    config_free(d->config);
    model_free(d->model);
    upstream_pool_stop(d->upstream);
    dataset_free(d->exam);
    coded_free(d->coded);
    arena_free(d->arena);
}

static enum status demo(struct demo *d, bool verify, struct error *err)
{
    char temporary[DEMO_PATH_BYTES] = "";
    bool made = !d->dir;
    enum status status = made ? make_temporary(temporary, err) : OK;
    if (status != OK)
        return status;
    d->dir = made ? temporary : d->dir;
    d->temporary = made;
    d->arena = arena_create(DEMO_ARENA_BYTES);
    status = d->arena ? tell(d, verify, err) : error_set(err, ERR_MEMORY, "out of memory");
    clean(d);
    log_writer_stop(LOG_STOP_MS);
    if (made && !d->keep && !(verify && status == OK)) /* whose next steps are in that folder */
        (void)nftw(temporary, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    else if (status == OK)
        printf("The files are in %s.\n", d->dir);
    if (made)
        d->dir = NULL; /* it pointed to `temporary` */
    return status;
}

/* One piece: the rows of the options point into its variables. */
static int run(int argc, char **argv)
{
    struct demo d = {.queries = 0, .seed = 1, .listen = "127.0.0.1:0", .prepare = add_page};
    bool verify = false;
    const struct option_row rows[] = {
        {"--queries", 'n', "N",
         "questions to learn from, half as many to examine (800; --verify: 300)", OPTION_COUNT,
         &d.queries, QUERIES_MIN, QUERIES_MAX, NULL},
        {"--seed", 's', "N", "of questions and slips (1)", OPTION_SEED, &d.seed, 0, 0, NULL},
        {"--dir", 'd', "DIR", "keep the files here", OPTION_STRING, &d.dir, 0, 0, NULL},
        {"--verify", 'v', NULL, "answers that are programs, held to tests that are run",
         OPTION_FLAG, &verify, 0, 0, NULL},
        {"--keep", 'k', NULL, "leave the gateway running, and the files in place", OPTION_FLAG,
         &d.keep, 0, 0, NULL},
        {"--listen", 'l', "ADDR", "of the gateway (127.0.0.1, a free port)", OPTION_STRING,
         &d.listen, 0, 0, NULL},
        {"--allow-remote", 0, NULL, "whoever reaches ADDR may ask: for a container", OPTION_FLAG,
         &d.allow_remote, 0, 0, NULL},
    };
    const struct usage usage = {"demo [options]", TEXT, rows, sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    enum status status = options_parse_alone(&usage, "`leeroo demo -h` explains", argc, argv);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    d.out = stdout;
    d.queries = d.queries ? d.queries : verify ? 300 : 800;
    d.bold = terminal_has_style(STDOUT_FILENO);
    log_set_level(LOG_WARN);
    return demo(&d, verify, &err) == OK ? 0 : cli_fail("demo", &err);
}

const struct command demo_command = {"demo", "the whole loop on built-in experts, no key needed",
                                     run};
