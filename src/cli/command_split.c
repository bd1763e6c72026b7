/* leeroo split: a data set in two parts, one to learn from and one to be measured on.
 *
 * Which part a query is in depends on its text and the seed alone (data/split.h), so it stays there when the data set
 * grows, and no text is in both. Both parts appear under their names when they are whole (new_folder.h). One thread. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/new_folder.h"
#include "cli/commands.h"
#include "data/part_write.h"
#include "data/split.h"
#include "setup/dataset_open.h"

enum { PART_TRAIN, PART_TEST, PARTS };
static const char *const part_names[PARTS] = {"train", "test"};

struct split_command {
    const char *dataset, *output;
    double share;
    uint64_t seed;
    bool force, quiet, json;
    char paths[PARTS][PATH_MAX];
    uint32_t *rows[PARTS];
    size_t counts[PARTS], texts[PARTS];
};

/* The next name of a path, however its slashes and dots are written; empty at the end. */
static struct str next_name(struct str *path)
{
    struct str name = STR("");
    while (path->len > 0 && (name.len == 0 || str_equal(name, STR("."))))
        name = str_split(path, '/');
    return str_equal(name, STR(".")) ? STR("") : name;
}

/* Whether `path` is `folder`, or in it, as far as they are written alike. */
static bool lies_in(const char *path, const char *folder)
{
    struct str inner = str_from(path), outer = str_from(folder);
    if ((path[0] == '/') != (folder[0] == '/'))
        return false;
    for (struct str name = next_name(&outer); name.len > 0; name = next_name(&outer))
        if (!str_equal(name, next_name(&inner)))
            return false;
    return true;
}

/* "a,b" names both parts; "a" is the folder of train and test; without -o they stand beside the data set. */
static enum status name_parts(struct split_command *c, struct error *err)
{
    struct str of = str_from(c->dataset), output = str_from(c->output);
    const char *comma = c->output ? strchr(c->output, ',') : NULL;
    while (of.len > 1 && of.ptr[of.len - 1] == '/')
        of.len--;
    for (size_t i = 0; i < PARTS; i++) {
        int len;
        if (comma && i == PART_TRAIN)
            len = snprintf(c->paths[i], PATH_MAX, "%.*s", (int)(comma - c->output), c->output);
        else if (comma)
            len = snprintf(c->paths[i], PATH_MAX, "%s", comma + 1);
        else if (output.len)
            len = snprintf(c->paths[i], PATH_MAX, "%s/%s", c->output, part_names[i]);
        else
            len = snprintf(c->paths[i], PATH_MAX, "%.*s-%s", STR_FMT(of), part_names[i]);
        if (len >= PATH_MAX)
            return error_set(err, ERR_USAGE, "the path '%.100s...' is too long", c->paths[i]);
        if (len <= 0 || (c->output && strchr(c->paths[i], ',')))
            return error_set(err, ERR_USAGE,
                             "-o '%.100s': expected a directory, or two as TRAIN,TEST", c->output);
    }
    const char *train = c->paths[PART_TRAIN], *test = c->paths[PART_TEST];
    if (lies_in(train, test) && lies_in(test, train))
        return error_set(err, ERR_USAGE, "-o: both parts would be %.100s", train);
    if (lies_in(train, test) || lies_in(test, train))
        return error_set(err, ERR_USAGE, "-o: %.100s and %.100s: one would be in the other", train,
                         test);
    return OK;
}

static enum status divide(struct split_command *c, const struct dataset *d, struct error *err)
{
    for (size_t i = 0; i < PARTS; i++)
        if (!(c->rows[i] = ARENA_ARRAY(d->arena, d->query_count + 1, uint32_t)))
            return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t q = 0; q < d->query_count; q++) {
        int part =
            split_in_share(d->queries[q].text_hash, c->seed, c->share) ? PART_TEST : PART_TRAIN;
        c->rows[part][c->counts[part]++] = (uint32_t)q;
    }
    for (size_t i = 0; i < PARTS; i++)
        if (!c->counts[i])
            return error_set(err, ERR_INPUT,
                             "%s: none of its %zu queries would be in the part '%s'; another "
                             "--test or --seed, or more queries",
                             c->dataset, d->query_count, part_names[i]);
    return OK;
}

/* Both are written before either appears. */
static enum status write_parts(struct split_command *c, const struct dataset *d, struct error *err)
{
    struct new_folder folders[PARTS];
    enum status status = OK;
    size_t begun = 0, committed = 0;
    for (; begun < PARTS && status == OK; begun += status == OK) {
        status = new_folder_begin(c->paths[begun], c->force, &folders[begun], err);
        if (status != OK)
            break;
        status = dataset_part_write(d, c->rows[begun], c->counts[begun], folders[begun].temporary,
                                    &c->texts[begun], err);
        if (status != OK)
            new_folder_abort(&folders[begun]);
    }
    for (; committed < begun && status == OK; committed++)
        status = new_folder_commit(&folders[committed], err);
    for (size_t i = committed; i < begun; i++)
        new_folder_abort(&folders[i]);
    return status;
}

static enum status print(const struct split_command *c, struct error *err)
{
    struct buf b;
    buf_init(&b, 1u << 16);
    for (size_t i = 0; i < PARTS && c->json; i++) {
        buf_addf(&b, "%s\"%s\":{\"path\":", i ? "," : "{", part_names[i]);
        json_write_string(&b, str_from(c->paths[i]));
        buf_addf(&b, ",\"queries\":%zu,\"responses\":%zu}%s", c->counts[i], c->texts[i],
                 i + 1 < PARTS ? "" : "}\n");
    }
    for (size_t i = 0; i < PARTS && !c->json && !c->quiet; i++)
        buf_addf(&b, "%-5s %8zu queries %8zu responses  %s\n", part_names[i], c->counts[i],
                 c->texts[i], c->paths[i]);
    return file_print(stdout, &b, err);
}

static enum status split(struct split_command *c, struct error *err)
{
    struct dataset *d = NULL;
    enum status status = name_parts(c, err);
    for (size_t i = 0; i < PARTS && status == OK; i++)
        status = new_folder_check(c->paths[i], c->dataset, c->force, err);
    if (status == OK)
        status = dataset_open("split", c->dataset, stderr, &d, err);
    if (status == OK)
        status = divide(c, d, err);
    if (status == OK)
        status = write_parts(c, d, err);
    if (status == OK)
        status = print(c, err);
    dataset_free(d);
    return status;
}

static const char usage_text[] =
    "Divides a data set into one to learn from and one to be measured on. Where a query goes is\n"
    "decided by its text and the seed: it stays there when the data set grows, and equal texts\n"
    "are never on both sides. Texts of experts go with their queries. The shares are those of a\n"
    "draw, so the part of 1,000 queries at --test 0.2 holds 200 give or take 13.\n\n"
    "The parts are OUT/train and OUT/test; -o TRAIN,TEST names both. Without -o they stand beside\n"
    "the data set: DATASET-train and DATASET-test.\n\n"
    "  leeroo split data/mmlu --test 0.2 -o parts\n"
    "  leeroo split data/mmlu --test 0.5 --seed 7 -o learn,measure\n";

/* One piece: the rows of the options point into its variables. */
static int split_run(int argc, char **argv)
{
    struct split_command c = {.share = 0.2};
    const struct option_row rows[] = {
        {"--test", 0, "SHARE", "of the queries, above 0 and below 1 (0.2)", OPTION_DOUBLE, &c.share,
         0, 1, NULL},
        {"--output", 'o', "OUT", "the folder of both parts, or TRAIN,TEST", OPTION_STRING,
         &c.output, 0, 0, NULL},
        {"--seed", 0, "N", "of the draw (0)", OPTION_SEED, &c.seed, 0, 0, NULL},
        {"--force", 0, NULL, "replace parts that are data sets already", OPTION_FLAG, &c.force, 0,
         0, NULL},
        {"--quiet", 'q', NULL, "no table", OPTION_FLAG, &c.quiet, 0, 0, NULL},
        {"--json", 0, NULL, "one JSON object instead of a table", OPTION_FLAG, &c.json, 0, 0, NULL},
    };
    const struct usage usage = {"split DATASET [--test SHARE] [-o OUT] [options]", usage_text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    int count;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if (count != 1)
        status = error_set(&err, ERR_USAGE, "expected one DATASET; `leeroo split -h` explains");
    else if (!(c.share > 0 && c.share < 1))
        status = error_set(&err, ERR_USAGE, "--test: above 0 and below 1, or there is no split");
    c.dataset = argv[0];
    if (status == OK)
        status = split(&c, &err);
    return status == OK ? 0 : cli_fail("split", &err);
}

const struct command split_command = {
    "split", "divide a data set into one to learn from and one to measure on", split_run};
