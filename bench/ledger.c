/* What the ledger costs: the time that a request's begin and end take on the thread that serves it, and the CPU time of
 * everything, writer included, for each request.
 *
 * usage: bench_ledger [FILE|URL] [REQUESTS_PER_SECOND]      default: a file in /tmp, 10000; 0: as fast as it goes */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/ledger.h"

#define REQUESTS   200000
#define CPU_US_MAX 10.0

static const char decision[] =
    "{\"members\":[\"cheap\"],\"quality\":0.912345,\"cost_usd\":0.000123456,\"model_checksum\":"
    "\"0123456789abcdef\",\"estimates\":{\"cheap\":[0.912345,0.000123456],\"mid\":[0.912345,"
    "0.000123456],\"dear\":[0.912345,0.000123456],\"panel(cheap,mid->dear)\":[0.912345,0.000123456]"
    "},"
    "\"fallbacks\":[\"mid\",\"dear\"],\"ruled_out\":{\"other\":\"circuit open\"}}";

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* One piece: a literal request with all that the ledger keeps of one. */
static void say(struct ledger *l, unsigned i)
{
    char id[32];
    snprintf(id, sizeof(id), "req_%08x%08x%08x", 0x6a000000u + i / 5000, i * 2654435761u, i);
    const struct ledger_request r = {.id = id,
                                     .begin_wall_ms = 1790000000000 + i,
                                     .front = STR("chat"),
                                     .key = STR("key_0123456789"),
                                     .policy = STR("default"),
                                     .model = STR("leeroo"),
                                     .expert = STR("cheap"),
                                     .plan = STR("single"),
                                     .quality = 0.9,
                                     .lambda = 12.5,
                                     .predicted_nano_usd = 123456,
                                     .reference_nano_usd = 9876543};
    const struct ledger_begin begin = {.request = r, .decision = str_from(decision)};
    const struct ledger_end end = {.request = r,
                                   .outcome = STR("answered"),
                                   .basis = STR("usage"),
                                   .http_status = 200,
                                   .cost_nano_usd = 130000,
                                   .input_tokens = 500,
                                   .output_tokens = 100,
                                   .attempts = 1,
                                   .first_token_ms = 200,
                                   .total_ms = 900};
    ledger_begin(l, &begin);
    ledger_end(l, &end);
}

static void remove_all(const char *folder, const char *store, const char *journal)
{
    char path[160];
    unlink(journal);
    unlink(store);
    snprintf(path, sizeof(path), "%s-wal", store);
    unlink(path);
    snprintf(path, sizeof(path), "%s-shm", store);
    unlink(path);
    rmdir(folder);
}

/* One piece: open, write at a rate, flush, print; the figures span all of it. */
int main(int argc, char **argv)
{
    char folder[] = "/tmp/leeroo-bench-XXXXXX", store[128], journal[128];
    struct ledger *l = NULL;
    struct error err = {0};
    double rate = argc > 2 ? strtod(argv[2], NULL) : 10000;
    if (!mkdtemp(folder))
        return 1;
    snprintf(store, sizeof(store), "%s/ledger.sqlite", folder);
    snprintf(journal, sizeof(journal), "%s/ledger.journal", folder);
    const struct ledger_options o = {
        .store = argc > 1 ? argv[1] : store, .journal_path = journal, .journal_bytes = 256u << 20};
    if (ledger_open(&o, &l, &err) != OK || !ledger_flush(l, 10000)) {
        fprintf(stderr, "bench_ledger: %s\n", err.text);
        return 1;
    }
    double cpu = cpu_seconds();
    uint64_t from_ns = clock_now_ns(), said_ns = 0;
    for (unsigned i = 0; i < REQUESTS; i++) {
        uint64_t at_ns = clock_now_ns();
        if (rate > 0 && i % 100 == 0 && at_ns < from_ns + (uint64_t)(i / rate * 1e9))
            usleep((useconds_t)((from_ns + (uint64_t)(i / rate * 1e9) - at_ns) / 1000));
        at_ns = clock_now_ns();
        say(l, i);
        said_ns += clock_now_ns() - at_ns;
    }
    while (!ledger_flush(l, 60000))
        ;
    double seconds = 1e-9 * (double)(clock_now_ns() - from_ns);
    cpu = cpu_seconds() - cpu;
    struct ledger_state state;
    ledger_state(l, &state);
    printf(
        "%u requests in %.2f s, %.0f a second; begin and end %.0f ns; all CPU %.2f us a request; "
        "%llu lost\n",
        REQUESTS, seconds, REQUESTS / seconds, (double)said_ns / REQUESTS, cpu * 1e6 / REQUESTS,
        (unsigned long long)state.lost_rows);
    ledger_close(l);
    if (argc < 2)
        remove_all(folder, store, journal);
    bool missed = cpu * 1e6 / REQUESTS > CPU_US_MAX;
    printf("bar: all CPU %.0f us a request%s\n", CPU_US_MAX, missed ? ": missed" : "");
    return missed;
}
