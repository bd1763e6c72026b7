/* The claims of the Leeroo paper, measured here beside the paper's numbers:
 *
 *     bench_paper [--pools FILE] [--only POOL] [--plans none] [--json] [DATA]
 *
 * DATA: LEEROO_DATA or ../shared/data; FILE: examples/pools.yaml. A claim that does not hold is a finding, not a
 * failure: the exit status is 1 only when something could not be measured. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/progress.h"
#include "paper.h"

#define ARENA_BYTES ((size_t)64 << 20)
#define TEXT_BYTES  ((size_t)16 << 20)
#define DRAWS       500

struct command {
    const char *file, *only;
    bool json, singles_only, help;
    struct paper_options options;
    struct progress progress;
    struct paper_result results[PAPER_POOLS_MAX];
    size_t count;
};

static const char usage[] =
    "usage: bench_paper [options] [DATA]\n\n"
    "Measures the claims of the Leeroo paper (arXiv 2401.13979) by cross-validation on the data\n"
    "sets in DATA ($LEEROO_DATA, or ../shared/data), beside the paper's numbers.\n\n"
    "  --pools FILE   the pools to measure (examples/pools.yaml)\n"
    "  --only POOL    this one alone\n"
    "  --plans none   single experts alone, no cascades and panels\n"
    "  --json         everything as JSON\n"
    "  -h, --help     this text\n";

static void fold_done(size_t done, size_t total, void *arg)
{
    struct command *c = arg;
    c->progress.total = total;
    progress_update(&c->progress, done);
}

/* False: wrong usage, and it has been said. */
static bool command_parse(struct command *c, int argc, char **argv)
{
    static const struct option long_options[] = {
        {"pools", required_argument, NULL, 'f'}, {"only", required_argument, NULL, 'o'},
        {"plans", required_argument, NULL, 'p'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},        {0}};
    int option;
    const char *data = getenv("LEEROO_DATA");
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        if (option == 'f')
            c->file = optarg;
        else if (option == 'o')
            c->only = optarg;
        else if (option == 'j')
            c->json = true;
        else if (option == 'h')
            c->help = true;
        else if (option == 'p' && strcmp(optarg, "none") == 0)
            c->singles_only = true;
        else if (option == 'p')
            fprintf(stderr, "paper: --plans may only be none, not '%s'\n", optarg);
        if (option == '?' || (option == 'p' && !c->singles_only))
            return false;
    }
    if (argc - optind > 1) {
        fprintf(stderr, "paper: at most one DATA folder\n");
        return false;
    }
    c->options.data = optind < argc ? argv[optind] : data && *data ? data : "../shared/data";
    c->options.singles_only = c->singles_only;
    return true;
}

static enum status show(const struct buf *b, struct error *err)
{
    enum status status = buf_status(b, err);
    if (status == OK && b->len > 0)
        fwrite(b->ptr, 1, b->len, stdout);
    fflush(stdout);
    return status;
}

static enum status run_pool(struct command *c, const struct paper_pools *pools,
                            const struct paper_pool *pool, struct arena *a, struct error *err)
{
    struct paper_result *r = &c->results[c->count];
    char *what = arena_printf(a, "%.*s", STR_FMT(pool->name));
    progress_begin(&c->progress, what ? what : "", 1);
    enum status status = paper_measure(pools, pool, &c->options, a, r, err);
    progress_end(&c->progress);
    if (status != OK)
        return error_prefix(err, "%.*s", STR_FMT(pool->name));
    c->count++;
    if (c->json)
        return OK;
    struct buf b;
    buf_init(&b, TEXT_BYTES);
    paper_write_text(r, &b);
    status = show(&b, err);
    buf_done(&b);
    return status;
}

/* One piece: head, pools and sum go to the same output in turn, unless it is JSON. */
static enum status run(struct command *c, struct arena *a, struct error *err)
{
    struct paper_pools *pools = ARENA_NEW(a, struct paper_pools);
    struct buf b;
    if (!pools)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = paper_pools_read(c->file, a, pools, err);
    buf_init(&b, TEXT_BYTES);
    if (status == OK && !c->json) {
        paper_write_head(&b);
        status = show(&b, err);
    }
    for (size_t i = 0; status == OK && i < pools->count; i++)
        if (!c->only || str_equal(pools->pool[i].name, str_from(c->only)))
            status = run_pool(c, pools, &pools->pool[i], a, err);
    if (status == OK && c->count == 0)
        status = error_set(err, ERR_NOT_FOUND, "%s has no pool '%s'", c->file, c->only);
    buf_clear(&b);
    if (status == OK) {
        if (c->json)
            paper_write_json(c->results, c->count, &b);
        else
            paper_write_sum(c->results, c->count, &b);
        status = show(&b, err);
    }
    buf_done(&b);
    return status;
}

/* Where the data come from, for whoever has a clone and nothing else. */
static void say_what_is_missing(const char *data)
{
    fprintf(stderr,
            "paper: no recorded outcomes in %s (LEEROO_DATA names the folder), so nothing is "
            "measured\n"
            "  mmlu_pro  answers published by TIGER-AI-Lab/MMLU-Pro; `scripts/get-data` "
            "fetches them\n"
            "  mmlu      HELM's runs in aryopg/mmlu-redux, experts of shuhao02/RouterDC\n"
            "bench/data.md says how the sets are made\n",
            data);
}

int main(int argc, char **argv)
{
    static struct command c = {.file = "examples/pools.yaml",
                               .options = {.draws = DRAWS, .progress = fold_done, .arg = &c}};
    struct error err = {0};
    if (!command_parse(&c, argc, argv))
        return 2;
    if (c.help) {
        fputs(usage, stdout);
        return 0;
    }
    if (access(c.options.data, R_OK) != 0) {
        say_what_is_missing(c.options.data);
        return 1;
    }
    struct arena *a = arena_create(ARENA_BYTES);
    enum status status = a ? run(&c, a, &err) : error_set(&err, ERR_MEMORY, "out of memory");
    arena_free(a);
    if (status != OK)
        fprintf(stderr, "paper: %s\n", err.text);
    return status == OK ? 0 : 1;
}
