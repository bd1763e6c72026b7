/* leeroo spend: what the ledger says was spent, and what the reference expert would have cost.
 *
 * It reads the store beside a gateway that writes to it, which never waits for a reader (store/reader.h); rows that are
 * still in the gateway's journal are not counted yet. Groups are gathered here and printed by spend_output.c. One
 * thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/screen.h"
#include "base/terminal.h"
#include "cli/commands.h"
#include "config/config.h"
#include "watch/spend_output.h"

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

struct gathered {
    struct spend_list list;
    struct arena *arena;
    size_t capacity;
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

static enum status parse_time(const char *option, const char *value, int64_t *ret,
                              struct error *err)
{
    if (!value || spend_time_parse(value, clock_wall_ms(), ret) == OK)
        return OK;
    return error_set(err, ERR_USAGE,
                     "%s '%.40s': expected a date like 2026-11-22, or how long ago like 7d, 12h, "
                     "30m",
                     option, value);
}

/* The store of the configuration, copied, as it goes with it. */
static enum status find_store(const struct options *o, char **ret, struct error *err)
{
    struct config *c = NULL;
    const char *store = o->ledger;
    enum status status = store ? OK : config_load_without_secrets(o->config, &c, err);
    if (status != OK)
        return status;
    if (!store)
        store = c->ledger.store;
    if (!store)
        status = error_set(err, ERR_INPUT,
                           "%s names no ledger: give it a state_dir or ledger.store (and set the "
                           "variable that it names), or use --ledger",
                           o->config);
    *ret = store ? strdup(store) : NULL;
    if (store && !*ret)
        status = error_set(err, ERR_MEMORY, "out of memory");
    config_free(c);
    return status;
}

static enum status take_group(const struct spend *s, void *arg, struct error *err)
{
    struct gathered *g = arg;
    struct spend_list *l = &g->list;
    if (l->count == SPEND_GROUPS_MAX)
        return error_set(err, ERR_TOO_LARGE, "over %d groups; narrow them with --since and --until",
                         SPEND_GROUPS_MAX);
    if (l->count == g->capacity) {
        size_t more = g->capacity ? 2 * g->capacity : 64;
        struct spend *rows = ARENA_ARRAY(g->arena, more, struct spend);
        if (!rows)
            return error_set(err, ERR_MEMORY, "out of memory");
        if (l->count > 0)
            memcpy(rows, l->rows, l->count * sizeof(*rows));
        l->rows = rows;
        g->capacity = more;
    }
    l->rows[l->count] = *s;
    l->rows[l->count].group = arena_copy(g->arena, s->group);
    return l->rows[l->count++].group.ptr ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

static enum status take_total(const struct spend *s, void *arg, struct error *err)
{
    struct spend *total = arg;
    (void)err;
    *total = *s;
    total->group = STR("");
    return OK;
}

static enum status gather(const char *store, struct gathered *g, struct error *err)
{
    struct ledger_reader *reader = NULL;
    struct spend_list *l = &g->list;
    enum status status = ledger_reader_create(store, &reader, err);
    if (status == OK)
        status = ledger_read_spend(reader, l->by, l->since_ms, l->until_ms, take_group, g, err);
    if (status == OK)
        status = ledger_read_spend(reader, SPEND_TOTAL, l->since_ms, l->until_ms, take_total,
                                   &l->total, err);
    if (status == OK)
        status = ledger_read_losses(reader, l->since_ms, l->until_ms, &l->loss, err);
    ledger_reader_free(reader);
    return status;
}

static enum status print(const struct gathered *g, bool json, struct error *err)
{
    struct buf out;
    buf_init(&out, OUTPUT_BYTES_MAX);
    if (json)
        spend_write_json(&g->list, &out);
    else
        spend_write_table(&g->list, terminal_columns(STDOUT_FILENO), &out);
    return (json ? file_print : screen_print)(stdout, &out, err);
}

static enum status spend(const struct options *o, struct error *err)
{
    struct gathered g = {.list = {.since_ms = INT64_MIN, .until_ms = INT64_MAX}};
    char *store = NULL;
    enum status status = parse_by(o->by, &g.list.by, err);
    if (status == OK)
        status = parse_time("--since", o->since, &g.list.since_ms, err);
    if (status == OK)
        status = parse_time("--until", o->until, &g.list.until_ms, err);
    if (status == OK)
        status = find_store(o, &store, err);
    if (status != OK)
        return status;
    g.arena = arena_create(ARENA_BYTES_MAX);
    if (!g.arena)
        status = error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK)
        status = gather(store, &g, err);
    if (status == OK)
        status = print(&g, o->json, err);
    arena_free(g.arena);
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
