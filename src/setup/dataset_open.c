/* See dataset_open.h. Lines begin as the command's messages do; what is said is in the data set, put there by whoever
 * read it. One thread, before the command's work. */
#include "setup/dataset_open.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalogue/catalogue.h"

/* Six significant digits, as a person would write a price. */
static void take_listed(struct dataset *d)
{
    for (size_t e = 0; e < d->expert_count; e++) {
        const struct catalogue_entry *entry = NULL;
        if (dataset_price_basis(d, e) == PRICE_UNKNOWN)
            entry = catalogue_find(STR(""), d->experts[e].name);
        if (entry)
            dataset_price_set(d, e, &entry->price);
    }
}

static void print_skipped(const char *command, const struct dataset *d, FILE *notes)
{
    const struct dataset_skipped *s = &d->skipped;
    if (!s->outcomes)
        return;
    fprintf(notes,
            "leeroo %s: note: %.*s: %zu outcome%s passed over, of experts that are not in "
            "experts.csv: ",
            command, STR_FMT(d->path), s->outcomes, s->outcomes == 1 ? " is" : "s are");
    for (size_t i = 0; i < s->named; i++)
        fprintf(notes, "%s%.*s", i ? ", " : "", STR_FMT(s->names[i]));
    fprintf(notes, "%s\n", s->named == DATASET_SKIPPED_NAMES ? ", ..." : "");
}

static void print_price(const char *command, const struct dataset *d, size_t e, FILE *notes)
{
    const struct dataset_expert *x = &d->experts[e];
    const struct dataset_price *p = d->prices ? &d->prices[e] : NULL;
    if (!p || p->basis == PRICE_GIVEN)
        return;
    fprintf(notes, "leeroo %s: note: %.*s: no price of '%.*s'", command, STR_FMT(d->path),
            STR_FMT(x->name));
    if (p->basis == PRICE_UNKNOWN) {
        fprintf(notes, ", and no costs to find one in\n");
        return;
    }
    fprintf(notes, "; taken: %.6g and %.6g USD per million tokens of input and output, ",
            money_usd(x->price.input_nano_usd_per_m), money_usd(x->price.output_nano_usd_per_m));
    if (p->basis == PRICE_LISTED)
        fprintf(notes, "as listed in the catalogue\n");
    else
        fprintf(notes,
                "the least squares of its %zu recorded cost%s, off by %.1f %% of their mean%s\n",
                p->costs, p->costs == 1 ? "" : "s", 100 * (double)p->error,
                p->by_length ? "; tokens are not recorded, so they are guessed" : "");
}

static enum status check_prices(const struct dataset *d, struct error *err)
{
    for (size_t e = 0; e < d->expert_count; e++)
        if (dataset_price_basis(d, e) != PRICE_UNKNOWN)
            return OK;
    if (d->expert_count == 0)
        return OK;
    if (d->is_table)
        return error_set(err, ERR_INPUT,
                         "%.*s: a table without costs, of models that the catalogue does not know; "
                         "add a column cost_usd",
                         STR_FMT(d->path));
    return error_set(err, ERR_INPUT,
                     "%.*s: %s, and outcomes.csv has no costs to find prices in; add "
                     "experts.csv with model,usd_per_m_input,usd_per_m_output",
                     STR_FMT(d->path),
                     d->experts_unlisted ? "experts.csv is not there"
                                         : "experts.csv has no prices");
}

enum status dataset_open(const char *command, const char *path, FILE *notes, struct dataset **ret,
                         struct error *err)
{
    struct dataset *d = NULL;
    enum status status = dataset_load(path, DATASET_ALL, &d, err);
    if (status != OK)
        return status;
    take_listed(d);
    status = check_prices(d, err);
    if (status != OK) {
        dataset_free(d);
        return status;
    }
    if (d->experts_unlisted && !d->is_table)
        fprintf(notes,
                "leeroo %s: note: %s has no experts.csv: its experts are those of "
                "outcomes.csv\n",
                command, path);
    print_skipped(command, d, notes);
    for (size_t e = 0; e < d->expert_count; e++)
        print_price(command, d, e, notes);
    *ret = d;
    return OK;
}

static bool folder_has(const char *folder, const char *file)
{
    char path[4096];
    return snprintf(path, sizeof(path), "%s/%s", folder, file) < (int)sizeof(path) &&
           access(path, F_OK) == 0;
}

enum status dataset_open_any(const char *command, const char *path, FILE *notes,
                             struct dataset **ret, struct error *err)
{
    struct stat s;
    struct error other;
    bool there = stat(path, &s) == 0;
    if (there && S_ISDIR(s.st_mode) && folder_has(path, "queries.jsonl") &&
        !folder_has(path, "outcomes.csv") && !folder_has(path, "outcomes.csv.gz"))
        return dataset_load(path, DATASET_QUERIES, ret, err);
    enum status status = dataset_open(command, path, notes, ret, err);
    if (status == ERR_INPUT && there && !S_ISDIR(s.st_mode) &&
        dataset_load_queries(path, ret, &other) == OK)
        return OK;
    return status;
}
