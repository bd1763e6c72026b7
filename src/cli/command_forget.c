/* leeroo forget: erases kept prompts, of requests by their ids, by age, or all.
 *
 * The file is that of the gateway's `keep` (store/kept.h), beside which it works: a prompt of a request that is named
 * here and still on its way is not kept either. Exactly one of the three must be said. One thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/commands.h"
#include "config/config.h"
#include "store/kept.h"
#include "watch/spend_output.h"

#define FORGET_IDS_MAX 10000

static const char text[] =
    "Erases prompts that the gateway has kept (`keep` in leeroo.yaml): of the requests named, of\n"
    "all that began before a time, or all of them. Their bytes are gone from the file when the\n"
    "command returns. It works beside a running gateway; prompts of the named requests that are\n"
    "still on their way will not be kept. The ledger has no prompts and is left alone, and so are\n"
    "run directories of `leeroo play`, which hold the questions that it has asked.\n"
    "\n"
    "  leeroo forget req_6b0dd3120febafb47730edbb\n"
    "  leeroo forget --before 2026-11-01\n"
    "  leeroo forget --before 7d\n"
    "  leeroo forget --all\n";

struct options {
    const char *config, *file, *before;
    bool all, json;
};

/* The file of the configuration, copied, as it goes with it. */
static enum status find_file(const struct options *o, char **ret, struct error *err)
{
    struct config *c = NULL;
    const char *file = o->file;
    enum status status = file ? OK : config_load_without_secrets(o->config, &c, err);
    if (status != OK)
        return status;
    if (!file)
        file = c->keep.file;
    if (!file)
        status = error_set(err, ERR_INPUT,
                           "%s has no place for prompts: no state_dir and no keep.file; use --file",
                           o->config);
    *ret = file ? strdup(file) : NULL;
    if (file && !*ret)
        status = error_set(err, ERR_MEMORY, "out of memory");
    config_free(c);
    return status;
}

static enum status erase(const struct options *o, const char *file, char **ids, size_t count,
                         size_t *erased, struct error *err)
{
    struct kept *k = NULL;
    struct str *names = calloc(count + 1, sizeof(*names));
    int64_t before_ms = 0, now_ms = clock_wall_ms();
    enum status status = names ? OK : error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < count && status == OK; i++)
        names[i] = str_from(ids[i]);
    if (status == OK && o->before && spend_time_parse(o->before, now_ms, &before_ms) != OK)
        status = error_set(err, ERR_USAGE,
                           "--before '%.40s': expected a date like 2026-11-22, or how long ago "
                           "like 7d, 12h, 30m",
                           o->before);
    if (status == OK)
        status = kept_open(file, KEPT_WRITE, &k, err);
    if (status == OK && o->all)
        status = kept_forget_all(k, now_ms, erased, err);
    else if (status == OK && o->before)
        status = kept_forget_before(k, before_ms, erased, err);
    else if (status == OK)
        status = kept_forget(k, names, count, erased, err);
    kept_close(k);
    free(names);
    return status;
}

static enum status print(const struct options *o, const char *file, size_t erased, size_t named,
                         struct error *err)
{
    struct buf b;
    buf_init(&b, 1u << 16);
    if (o->json) {
        buf_addf(&b, "{\"erased\":%zu,\"file\":", erased);
        json_write_string(&b, str_from(file));
        buf_add_c(&b, "}\n");
    } else {
        buf_addf(&b, "%zu prompt%s erased from %s\n", erased, erased == 1 ? "" : "s", file);
        if (erased < named)
            buf_addf(&b, "requests without a prompt there: %zu of %zu\n", named - erased, named);
    }
    return file_print(stdout, &b, err);
}

static enum status forget(const struct options *o, char **ids, size_t count, struct error *err)
{
    char *file = NULL;
    size_t erased = 0;
    enum status status = find_file(o, &file, err);
    if (status == OK)
        status = erase(o, file, ids, count, &erased, err);
    if (status == OK)
        status = print(o, file, erased, count, err);
    free(file);
    return status;
}

/* One piece: the rows of the options point into its variables. */
static int run(int argc, char **argv)
{
    struct options o = {.config = "leeroo.yaml"};
    const struct option_row rows[] = {
        {"--config", 'c', "FILE", "the configuration (default leeroo.yaml)", OPTION_STRING,
         &o.config, 0, 0, NULL},
        {"--file", 0, "FILE", "this file of kept prompts instead", OPTION_STRING, &o.file, 0, 0,
         NULL},
        {"--before", 0, "TIME", "of requests that began before: 2026-11-22, 7d, 12h", OPTION_STRING,
         &o.before, 0, 0, NULL},
        {"--all", 0, NULL, "every prompt", OPTION_FLAG, &o.all, 0, 0, NULL},
        {"--json", 0, NULL, "one JSON object instead of a sentence", OPTION_FLAG, &o.json, 0, 0,
         NULL},
    };
    const struct usage usage = {"forget REQUEST_ID... | --before TIME | --all [-c leeroo.yaml]",
                                text, rows, sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    int count;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if ((count > 0) + (o.before != NULL) + o.all != 1)
        status = error_set(&err, ERR_USAGE,
                           "say one of REQUEST_ID..., --before TIME and --all; `leeroo forget -h` "
                           "explains");
    else if (count > FORGET_IDS_MAX)
        status = error_set(&err, ERR_USAGE, "at most %d requests at a time", FORGET_IDS_MAX);
    if (status == OK)
        status = forget(&o, argv, (size_t)count, &err);
    return status == OK ? 0 : cli_fail("forget", &err);
}

const struct command forget_command = {"forget", "erase prompts that were kept", run};
