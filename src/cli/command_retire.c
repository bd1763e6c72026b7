/* leeroo retire: experts that can no longer be asked go out of a model, which needs no training for that.
 *
 * What is taken out of the file, and what stays in it unseen, is train/model_edit.h. Here is whom the command line
 * means, and what is said of it: which plans went with their members, who is left. One thread; a gateway that runs sees
 * the new file by itself (serve/reload.h). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "cli/commands.h"
#include "setup/model_change.h"

#define OUTPUT_BYTES_MAX (1u << 20)

static const char text[] =
    "Takes experts out of a model, without its data and without training. The others are estimated "
    "as\n"
    "before, to the last bit; plans that ask somebody who left go, too, and are named.\n"
    "\n"
    "The changed model is written to OUT; without -o it takes MODEL's place, and the one before is "
    "kept\n"
    "as MODEL.previous: `leeroo rollback MODEL` puts it back. A gateway that runs takes the change "
    "up\n"
    "by itself. The names are those that `leeroo models MODEL` shows.\n"
    "\n"
    "  leeroo retire my.leeroo --expert gpt-4o-mini\n"
    "  leeroo retire my.leeroo --expert old-a,old-b -o smaller.leeroo\n";

struct retire {
    const char *path, *names, *output;
    bool json, quiet;
    struct model *before, *after;
    size_t remove[MODEL_EXPERTS_MAX];
    size_t remove_count;
};

static bool leaves(const struct retire *r, size_t expert)
{
    for (size_t i = 0; i < r->remove_count; i++)
        if (r->remove[i] == expert)
            return true;
    return false;
}

static bool falls_away(const struct retire *r, const struct plan *p)
{
    bool gone = false;
    for (size_t k = 0; k < p->member_count; k++)
        gone |= leaves(r, p->members[k]);
    return gone;
}

static enum status find_all(struct retire *r, struct error *err)
{
    struct str rest = str_from(r->names);
    enum status status = OK;
    while (rest.len > 0 && status == OK) {
        struct str name = str_trim(str_split(&rest, ','));
        size_t at = SIZE_MAX;
        status = name.len ? model_change_find(r->before, name, &at, err)
                          : error_set(err, ERR_USAGE, "--expert '%s': a name is empty", r->names);
        if (status == OK && !leaves(r, at))
            r->remove[r->remove_count++] = at;
    }
    if (status == OK && r->remove_count == model_expert_count(r->before))
        return error_set(err, ERR_INPUT,
                         "%s: nobody would be left, and a model without experts decides nothing; "
                         "without any model file a prior is in force (docs/prior.md)",
                         r->path);
    if (status != OK && status != ERR_USAGE)
        error_prefix(err, "%s", r->path);
    return status;
}

static void write_text(const struct retire *r, struct buf *out)
{
    for (size_t i = 0; i < r->remove_count; i++)
        buf_addf(out, "%.*s is taken out\n",
                 STR_FMT(model_expert_at(r->before, r->remove[i])->name));
    for (size_t k = model_expert_count(r->before); k < model_arm_count(r->before); k++)
        if (falls_away(r, model_arm_at(r->before, k)))
            buf_addf(out, "%.*s falls away with it\n", STR_FMT(model_arm_at(r->before, k)->name));
    size_t experts = model_expert_count(r->after);
    size_t plans = model_arm_count(r->after) - experts;
    buf_addf(out, "%s: %zu expert%s and %zu plan%s left (%016" PRIx64 ")\n",
             r->output ? r->output : r->path, experts, experts == 1 ? "" : "s", plans,
             plans == 1 ? "" : "s", model_checksum(r->after));
    if (!r->output)
        buf_addf(out, "the model from before is %s.previous; `leeroo rollback %s` puts it back\n",
                 r->path, r->path);
}

static void write_json(const struct retire *r, struct buf *out)
{
    buf_add_c(out, "{\"model\":");
    json_write_string(out, str_from(r->output ? r->output : r->path));
    buf_addf(out, ",\"checksum\":\"%016" PRIx64 "\",\"retired\":[", model_checksum(r->after));
    for (size_t i = 0; i < r->remove_count; i++) {
        buf_add_c(out, i ? "," : "");
        json_write_string(out, model_expert_at(r->before, r->remove[i])->name);
    }
    buf_add_c(out, "],\"plans_gone\":[");
    for (size_t k = model_expert_count(r->before), n = 0; k < model_arm_count(r->before); k++)
        if (falls_away(r, model_arm_at(r->before, k))) {
            buf_add_c(out, n++ ? "," : "");
            json_write_string(out, model_arm_at(r->before, k)->name);
        }
    buf_addf(out, "],\"experts\":%zu,\"plans\":%zu}\n", model_expert_count(r->after),
             model_arm_count(r->after) - model_expert_count(r->after));
}

static enum status retire(struct retire *r, struct error *err)
{
    struct buf out;
    enum status status = model_change_check(r->path, r->output, err);
    if (status == OK)
        status = model_load(r->path, &r->before, err);
    if (status == OK)
        status = find_all(r, err);
    if (status != OK)
        return status;
    const struct model_edit edit = {.remove = r->remove, .remove_count = r->remove_count};
    status = model_change_write(r->before, &edit, r->path, r->output, err);
    if (status == OK)
        status = model_load(r->output ? r->output : r->path, &r->after, err);
    if (status != OK || (r->quiet && !r->json))
        return status;
    buf_init(&out, OUTPUT_BYTES_MAX);
    (r->json ? write_json : write_text)(r, &out);
    return file_print(stdout, &out, err);
}

/* One piece: the rows of the options point into its variables. */
static int run(int argc, char **argv)
{
    struct retire r = {0};
    const struct option_row rows[] = {
        {"--expert", 0, "NAME,...", "who is taken out", OPTION_STRING, &r.names, 0, 0, NULL},
        {"--output", 'o', "OUT", "write there instead, and leave MODEL as it is", OPTION_STRING,
         &r.output, 0, 0, NULL},
        {"--json", 0, NULL, "print one JSON object", OPTION_FLAG, &r.json, 0, 0, NULL},
        {"--quiet", 'q', NULL, "print nothing", OPTION_FLAG, &r.quiet, 0, 0, NULL},
    };
    const struct usage usage = {"retire MODEL --expert NAME,... [-o OUT]", text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    int count = 0;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    r.path = count == 1 ? argv[0] : NULL;
    if (!r.path)
        status = error_set(&err, ERR_USAGE,
                           "expected one model file: leeroo retire MODEL "
                           "--expert NAME");
    else if (!r.names || !*r.names)
        status = error_set(&err, ERR_USAGE,
                           "--expert is missing: who is taken out? `leeroo models %s` lists them",
                           r.path);
    if (status == OK)
        status = retire(&r, &err);
    model_free(r.before);
    model_free(r.after);
    return status == OK ? 0 : cli_fail("retire", &err);
}

const struct command retire_command = {"retire", "take experts out of a model", run};
