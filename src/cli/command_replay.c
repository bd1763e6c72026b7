/* leeroo replay: the recorded answers of a data set as a live OpenAI-compatible endpoint. */
#include <string.h>

#include "base/log.h"
#include "base/log_writer.h"
#include "cli/commands.h"
#include "cli/wait.h"
#include "rehearse/recorded_source.h"
#include "rehearse/upstream.h"
#include "setup/file_limit.h"

#define MS_MAX 3600000.0

struct replay_options {
    const char *listen, *experts, *ttft;
    const char *fails[FAULT_COUNT];
    double tokens_per_s;
    size_t threads, retry_after_s;
    uint64_t seed;
};

static const char TEXT[] =
    "Serves the recorded responses/ of a data set as an OpenAI-compatible upstream: rehearse a "
    "pool\n"
    "of experts before paying for it. The request's \"model\" names the expert; the last user "
    "message\n"
    "is matched with the recorded queries (case and white space aside); the answer comes whole or\n"
    "streams, with the recorded token counts in \"usage\". An unknown prompt is 404.\n\n"
    "Failures are drawn from the seed, the expert, the prompt and how often it was asked before, "
    "so a\n"
    "run can be repeated whatever the concurrency. P is a probability for all experts, or a list "
    "such\n"
    "as 0.01,gpt-4o=0.2.\n\n"
    "  leeroo replay data/mmlu_pro --listen 127.0.0.1:9000 --ttft 200-600 --tps 60\n"
    "  curl -s http://127.0.0.1:9000/v1/models\n";

/* "MS" or "MS-MS" */
static enum status parse_ttft(const char *text, uint32_t *min_ms, uint32_t *max_ms,
                              struct error *err)
{
    struct str rest = str_from(text);
    struct str first = str_split(&rest, '-');
    double low = 0, high = 0;
    enum status status = str_to_double(first, &low);
    high = low;
    if (status == OK && memchr(text, '-', strlen(text)))
        status = str_to_double(rest, &high);
    if (status != OK || low < 0 || high < low || high > MS_MAX)
        return error_set(err, ERR_USAGE,
                         "--ttft: '%s' is neither milliseconds nor a range of them such as 200-600",
                         text);
    *min_ms = (uint32_t)low;
    *max_ms = (uint32_t)high;
    return OK;
}

static enum status serve(const struct recorded *recorded, const struct replay_options *o,
                         const struct upstream_options *upstream, struct error *err)
{
    struct upstream_pool *pool = NULL;
    char bound[64];
    enum status status = log_writer_start(err);
    if (status == OK)
        status = upstream_pool_start(o->listen, o->threads, upstream, &pool, bound, err);
    if (status != OK) {
        log_writer_stop(LOG_STOP_MS);
        return status;
    }
    const struct rehearse_source *source = &upstream->source;
    log_event(LOG_INFO, "listening", "addr=%s answers=%zu experts=%zu queries=%zu threads=%zu",
              bound, recorded_response_count(recorded), source->ops->expert_count(source->self),
              recorded_query_count(recorded), o->threads);
    status = cli_wait_for_signal(err);
    upstream_pool_stop(pool);
    log_event(LOG_INFO, "stopped", "status=%s", status_name(status));
    log_writer_stop(LOG_STOP_MS);
    return status;
}

static enum status replay(const char *path, const struct replay_options *o, struct error *err)
{
    struct recorded *recorded = NULL;
    struct upstream_options upstream = {.tokens_per_s = o->tokens_per_s,
                                        .retry_after_s = (uint32_t)o->retry_after_s,
                                        .seed = o->seed};
    enum status status = parse_ttft(o->ttft, &upstream.ttft_min_ms, &upstream.ttft_max_ms, err);
    if (status == OK)
        status = recorded_open(path, o->experts, &recorded, err);
    if (status != OK)
        return status;
    upstream.source = recorded_source(recorded);
    status = faults_create(&upstream.source, o->fails, o->seed, &upstream.faults, err);
    if (status == OK)
        status = serve(recorded, o, &upstream, err);
    faults_free(upstream.faults);
    recorded_free(recorded);
    return status;
}

/* One piece: the rows of the options point into its variables. */
static int run(int argc, char **argv)
{
    struct replay_options o = {
        .listen = "127.0.0.1:8090", .ttft = "0", .threads = 1, .retry_after_s = 1};
    const struct option_row rows[] = {
        {"--listen", 'l', "ADDR", "address and port; port 0 picks a free one (127.0.0.1:8090)",
         OPTION_STRING, &o.listen, 0, 0, NULL},
        {"--experts", 'e', "A,B", "only these (all that have a responses file)", OPTION_STRING,
         &o.experts, 0, 0, NULL},
        {"--threads", 't', "N", "event loops, a thread each (1)", OPTION_COUNT, &o.threads, 1,
         UPSTREAM_THREADS_MAX, NULL},
        {"--ttft", 0, "MS[-MS]", "time to the first token, or a range of it (0)", OPTION_STRING,
         &o.ttft, 0, 0, NULL},
        {"--tps", 0, "N", "tokens per second; 0 sends all at once (0)", OPTION_DOUBLE,
         &o.tokens_per_s, 0, 1e6, NULL},
        {"--fail-429", 0, "P", "answer 429 with Retry-After", OPTION_STRING, &o.fails[FAULT_429], 0,
         0, NULL},
        {"--retry-after", 0, "S", "seconds in Retry-After (1)", OPTION_COUNT, &o.retry_after_s, 0,
         86400, NULL},
        {"--fail-500", 0, "P", "answer 500", OPTION_STRING, &o.fails[FAULT_500], 0, 0, NULL},
        {"--stall", 0, "P", "go silent before the first byte or amid the answer", OPTION_STRING,
         &o.fails[FAULT_STALL], 0, 0, NULL},
        {"--cut", 0, "P", "cut the connection amid the answer", OPTION_STRING, &o.fails[FAULT_CUT],
         0, 0, NULL},
        {"--seed", 's', "N", "of the failures and of --ttft ranges (0)", OPTION_SEED, &o.seed, 0, 0,
         NULL},
    };
    const struct usage usage = {"replay DATASET [options]", TEXT, rows,
                                sizeof(rows) / sizeof(rows[0])};
    int count = 0;
    enum status status = options_parse(&usage, argc, argv, &count);
    struct error err;
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if (count != 1) {
        error_set(&err, ERR_USAGE, "it takes one DATASET; `leeroo replay -h` explains");
        return cli_fail("replay", &err);
    }
    file_limit_raise();
    return replay(argv[0], &o, &err) == OK ? 0 : cli_fail("replay", &err);
}

const struct command replay_command = {"replay", "serve recorded answers as a live endpoint", run};
