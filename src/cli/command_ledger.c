/* leeroo ledger: what is done to the book of requests as a whole: prune, export, backup.
 *
 * All of it beside a gateway that writes to it (store/retention.h, store/ledger_each.h, store/ledger_backup.h): rows
 * that are still in the gateway's journal are not there yet. What is erased is counted first, and said. One thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/commands.h"
#include "setup/ledger_store.h"
#include "store/ledger_backup.h"
#include "watch/ledger_export.h"
#include "watch/prune_output.h"
#include "watch/spend_gather.h"

#define OUTPUT_BYTES_MAX (64u << 10)

static const char text[] =
    "What is done to the ledger as a whole, while the gateway runs.\n"
    "\n"
    "  prune     erases requests that began before a time, with their feedback, in small\n"
    "            transactions; requests that are open stay. --dry-run only counts them. `keep` "
    "under\n"
    "            `ledger` in leeroo.yaml does the same by itself, once an hour\n"
    "  export    writes requests as CSV or JSON Lines, to standard output or -o FILE, oldest "
    "first\n"
    "  backup    copies a SQLite ledger of one moment to -o FILE, and looks through the copy; for\n"
    "            PostgreSQL it says how pg_dump does it\n"
    "\n"
    "  leeroo ledger prune --older-than 90d --dry-run\n"
    "  leeroo ledger prune --before 2026-09-01 --compact\n"
    "  leeroo ledger export --since 7d --expert gpt-4o -o week.csv\n"
    "  leeroo ledger export --format jsonl --key key_2b9f | jq .cost_usd\n"
    "  leeroo ledger backup -o /backup/ledger.sqlite\n";

struct options {
    const char *config, *ledger, *output, *before, *older, *since, *until, *format;
    const char *key, *expert, *policy;
    bool dry_run, compact, json;
};

/* Erasing */

static enum status find_before(const struct options *o, int64_t *ret, struct error *err)
{
    if (!o->before == !o->older)
        return error_set(
            err, ERR_USAGE,
            "prune needs --before TIME or --older-than AGE, like 90d: which requests?");
    return o->before ? spend_time_option("--before", o->before, ret, err)
                     : spend_time_option("--older-than", o->older, ret, err);
}

/* One piece: what is counted, erased and given back, and what is said of it. */
static enum status prune(const struct options *o, const char *store, struct error *err)
{
    struct ledger_reader *reader = NULL;
    struct prune_told told = {.dry_run = o->dry_run, .compact = o->compact};
    struct buf b;
    enum status status = find_before(o, &told.before_ms, err);
    if (status == OK)
        status = ledger_reader_create(store, &reader, err);
    if (status == OK)
        status = ledger_count_old(reader, told.before_ms, &told.old, err);
    ledger_reader_free(reader);
    if (status == OK && !o->dry_run)
        status = ledger_prune(store, told.before_ms, NULL, &told.erased, err);
    if (status == OK && !o->dry_run && o->compact)
        status = ledger_compact(store, &told.freed_bytes, err);
    if (status != OK)
        return told.erased
                   ? error_prefix(err, "after %llu requests", (unsigned long long)told.erased)
                   : status;
    buf_init(&b, OUTPUT_BYTES_MAX);
    (o->json ? prune_write_json : prune_write_text)(&told, &b);
    return file_print(stdout, &b, err);
}

/* Copying */

static enum status find_format(const struct options *o, enum ledger_export_format *ret,
                               struct error *err)
{
    const char *dot = o->output ? strrchr(o->output, '.') : NULL;
    *ret = dot && !strcmp(dot, ".jsonl") ? LEDGER_EXPORT_JSONL : LEDGER_EXPORT_CSV;
    if (o->format && ledger_export_format_parse(str_from(o->format), ret) != OK)
        return error_set(err, ERR_USAGE, "--format must be csv or jsonl, not '%.40s'", o->format);
    return OK;
}

/* One piece: the filter, and one way out for the file. */
static enum status export(const struct options *o, const char *store, struct error *err) {
    struct ledger_reader *reader = NULL; struct ledger_filter f = {.to_ms = INT64_MAX,
                                                                   .key = str_from(o->key),
                                                                   .expert = str_from(o->expert),
                                                                   .policy = str_from(o->policy)};
    enum ledger_export_format format; struct file_out out; uint64_t rows = 0;
    enum status status = find_format(o, &format, err);
    if (status == OK) status = spend_time_option("--since", o->since, &f.from_ms, err);
    if (status == OK) status = spend_time_option("--until", o->until, &f.to_ms, err);
    if (status == OK) status = ledger_reader_create(store, &reader, err);
    if (status == OK) status = file_out_open(o->output ? o->output : "-", &out, err);
    if (status != OK){ledger_reader_free(reader); return status;}
status = ledger_export(reader, &f, format, out.stream, &rows, err);
ledger_reader_free(reader);
if (status != OK) {
    file_out_abort(&out);
    return status;
}
status = file_out_commit(&out, err);
if (status == OK && o->output && strcmp(o->output, "-") != 0)
    fprintf(stderr, "%llu request%s written to %s\n", (unsigned long long)rows,
            rows == 1 ? "" : "s", o->output);
return status;
}

static enum status backup(const struct options *o, const char *store, struct error *err)
{
    struct ledger_backup done = {0};
    struct buf b;
    if (!o->output)
        return error_set(err, ERR_USAGE, "backup needs -o FILE: where to?");
    enum status status = ledger_backup(store, o->output, &done, err);
    if (status != OK)
        return status;
    buf_init(&b, OUTPUT_BYTES_MAX);
    if (o->json) {
        buf_addf(&b, "{\"requests\":%lld,\"bytes\":%llu,\"file\":", (long long)done.requests,
                 (unsigned long long)done.bytes);
        json_write_string(&b, str_from(o->output));
        buf_add_c(&b, "}\n");
    } else {
        buf_addf(&b, "%lld requests, %.1f MB, copied to %s and looked through\n",
                 (long long)done.requests, (double)done.bytes * 1e-6, o->output);
    }
    return file_print(stdout, &b, err);
}

static const struct act {
    const char *name;
    enum status (*run)(const struct options *o, const char *store, struct error *err);
} acts[] = {{"prune", prune}, {"export", export}, {"backup", backup}};

static enum status ledger(const struct options *o, const char *name, struct error *err)
{
    char *store = NULL;
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        if (strcmp(name, acts[i].name) != 0)
            continue;
        enum status status = setup_ledger_store(o->config, o->ledger, &store, err);
        if (status == OK)
            status = acts[i].run(o, store, err);
        free(store);
        return status;
    }
    return error_set(err, ERR_USAGE, "no `leeroo ledger %.40s`; there are prune, export and backup",
                     name);
}

/* One piece: the rows of the options point into its variables. */
static int run(int argc, char **argv)
{
    struct options o = {.config = "leeroo.yaml"};
    const struct option_row rows[] = {
        {"--config", 'c', "FILE", "the configuration (default leeroo.yaml)", OPTION_STRING,
         &o.config, 0, 0, NULL},
        {"--ledger", 0, "FILE|URL", "this SQLite file or postgresql:// database instead",
         OPTION_STRING, &o.ledger, 0, 0, NULL},
        {"--output", 'o', "FILE", "export, backup: where to; a file there is replaced",
         OPTION_STRING, &o.output, 0, 0, NULL},
        {"--before", 0, "TIME", "prune: requests that began before: 2026-09-01", OPTION_STRING,
         &o.before, 0, 0, NULL},
        {"--older-than", 0, "AGE", "prune: 90d, 12h", OPTION_STRING, &o.older, 0, 0, NULL},
        {"--dry-run", 0, NULL, "prune: count, and erase nothing", OPTION_FLAG, &o.dry_run, 0, 0,
         NULL},
        {"--compact", 0, NULL, "prune: give a SQLite file's freed room back to the disk",
         OPTION_FLAG, &o.compact, 0, 0, NULL},
        {"--format", 0, "FORMAT", "export: csv (default) or jsonl (for a file called so)",
         OPTION_STRING, &o.format, 0, 0, NULL},
        {"--since", 0, "TIME", "export: requests that began then or later: 2026-11-22, 7d, 12h",
         OPTION_STRING, &o.since, 0, 0, NULL},
        {"--until", 0, "TIME", "export: requests that began before", OPTION_STRING, &o.until, 0, 0,
         NULL},
        {"--key", 0, "ID", "export: of this key", OPTION_STRING, &o.key, 0, 0, NULL},
        {"--expert", 0, "NAME", "export: that this expert answered", OPTION_STRING, &o.expert, 0, 0,
         NULL},
        {"--policy", 0, "NAME", "export: of this policy", OPTION_STRING, &o.policy, 0, 0, NULL},
        {"--json", 0, NULL, "prune, backup: one JSON object instead of a sentence", OPTION_FLAG,
         &o.json, 0, 0, NULL},
    };
    const struct usage usage = {"ledger prune|export|backup [-c leeroo.yaml] [options]", text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    int count = 0;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if (count != 1)
        status = error_set(&err, ERR_USAGE, "say one of prune, export and backup");
    else
        status = ledger(&o, argv[0], &err);
    return status == OK ? 0 : cli_fail("ledger", &err);
}

const struct command ledger_command = {"ledger", "prune, export or back up the book of requests",
                                       run};
