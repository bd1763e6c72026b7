/* leeroo spend: what the ledger says was spent, and what the reference expert would have cost.
 *
 * It reads the store beside a gateway that writes to it, which never waits for a reader (store/reader.h); rows that are
 * still in the gateway's journal are not counted yet. Groups are gathered by watch/spend_gather.c and written by
 * watch/spend_output.c. One thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/screen.h"
#include "base/terminal.h"
#include "cli/commands.h"
#include "setup/ledger_store.h"
#include "watch/spend_gather.h"

#define ARENA_BYTES_MAX  (256u << 20)
#define OUTPUT_BYTES_MAX (256u << 20)

static const char text[] =
    "What was spent on requests, what the reference expert would have cost for them, and what was\n"
    "saved by asking others. Reads the ledger beside the running gateway and changes nothing.\n"
    "\n"
    "  spent       cost of all calls, at the prices in force then\n"
    "  reference   what the expert named by `reference` was predicted to cost for each answered\n"
    "              request; for those that it answered itself, and all others, what they cost\n"
    "  saved       the difference, in USD and of the reference\n"
    "  estimated   share of what was spent that no expert has reported, but characters were "
    "counted\n"
    "\n"
    "By expert, every call of a plan counts for who was asked, the request for who answered. Days\n"
    "are UTC. Rows that could not be written while storage was away are counted below the table.\n"
    "\n"
    "  leeroo spend                                the ledger of leeroo.yaml\n"
    "  leeroo spend --by expert --since 7d\n"
    "  leeroo spend --ledger ledger.sqlite --by day --since 2026-11-01 --until 2026-12-01 --json\n";

struct options {
    const char *config, *ledger, *by, *since, *until;
    bool json;
};

static enum status parse_by(const char *name, enum spend_by *ret, struct error *err)
{
    for (enum spend_by by = SPEND_KEY; by < SPEND_TOTAL; by++)
        if (!strcmp(name, spend_by_name(by))) {
            *ret = by;
            return OK;
        }
    return error_set(err, ERR_USAGE, "--by '%.40s': expected key, expert, day, policy or front",
                     name);
}

static enum status print(const struct spend_list *l, bool json, struct error *err)
{
    struct buf out;
    buf_init(&out, OUTPUT_BYTES_MAX);
    if (json)
        spend_write_json(l, &out);
    else
        spend_write_table(l, terminal_columns(STDOUT_FILENO), &out);
    return (json ? file_print : screen_print)(stdout, &out, err);
}

static enum status spend(const struct options *o, struct error *err)
{
    struct spend_list list = {.since_ms = INT64_MIN, .until_ms = INT64_MAX};
    char *store = NULL;
    enum status status = parse_by(o->by, &list.by, err);
    if (status == OK)
        status = spend_time_option("--since", o->since, &list.since_ms, err);
    if (status == OK)
        status = spend_time_option("--until", o->until, &list.until_ms, err);
    if (status == OK)
        status = setup_ledger_store(o->config, o->ledger, &store, err);
    if (status != OK)
        return status;
    struct arena *arena = arena_create(ARENA_BYTES_MAX);
    if (!arena)
        status = error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK)
        status = spend_gather(store, &list, arena, err);
    if (status == OK)
        status = print(&list, o->json, err);
    arena_free(arena);
    free(store);
    return status;
}

/* One piece: the rows of the options point into its variables. */
static int run(int argc, char **argv)
{
    struct options o = {.config = "leeroo.yaml", .by = "expert"};
    const struct option_row rows[] = {
        {"--config", 'c', "FILE", "the configuration (default leeroo.yaml)", OPTION_STRING,
         &o.config, 0, 0, NULL},
        {"--ledger", 0, "FILE|URL", "this SQLite file or postgresql:// database instead",
         OPTION_STRING, &o.ledger, 0, 0, NULL},
        {"--by", 0, "WHAT", "key, expert (default), day, policy or front", OPTION_STRING, &o.by, 0,
         0, NULL},
        {"--since", 0, "TIME", "requests that began then or later: 2026-11-22, 7d, 12h",
         OPTION_STRING, &o.since, 0, 0, NULL},
        {"--until", 0, "TIME", "requests that began before", OPTION_STRING, &o.until, 0, 0, NULL},
        {"--json", 0, NULL, "one JSON object instead of a table, exact to the nano-dollar",
         OPTION_FLAG, &o.json, 0, 0, NULL},
    };
    const struct usage usage = {"spend [-c leeroo.yaml] [options]", text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    enum status status = options_parse_alone(&usage, NULL, argc, argv);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    return spend(&o, &err) == OK ? 0 : cli_fail("spend", &err);
}

const struct command spend_command = {"spend", "what was spent, and what was saved", run};
