/* round.json and cells.csv of a round, and what the next round reads of them.
 *
 * Every figure that is printed of the round is in round.json, and each expert's part, so a report needs nothing else.
 * One thread; the files are whole because the folder that they are in gets its name last. */
#include "play/play_int.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/json.h"

#define ROUND_BYTES_MAX (256u << 20)
#define CELL_BYTES_MAX  (64u << 10) /* a row of cells.csv: two names and some figures */

const char *play_publication_name(enum play_publication p)
{
    static const char *const names[] = {"no model", "uncompared", "kept", "first", "published"};
    return names[p];
}

static void write_whole(struct buf *b, const char *name, int64_t value)
{
    buf_addf(b, ",\n  \"%s\": %" PRId64, name, value);
}

static void write_figure(struct buf *b, const char *name, double value)
{
    buf_addf(b, ",\n  \"%s\": ", name);
    json_write_double(b, value);
}

/* Of one expert: what it was asked until now, what that cost, how well it did. */
static void write_expert(const struct play *p, size_t e, struct buf *b)
{
    const struct dataset *d = run_dataset(p->run);
    double score = 0;
    int64_t cost = 0;
    size_t asked = 0, known = 0;
    for (size_t q = 0; q < d->query_count; q++) {
        const struct outcome *o = dataset_outcome(d, q, e);
        asked += o->present;
        cost += o->present ? o->cost_nano_usd : 0;
        known += o->known;
        score += o->known ? (double)o->score : 0;
    }
    buf_add_c(b, e ? ",\n    {\"name\": " : "\n    {\"name\": ");
    json_write_string(b, d->experts[e].name);
    buf_addf(
        b, ", \"outcomes\": %zu, \"scored\": %zu, \"cost_nano_usd\": %" PRId64 ", \"mean_score\": ",
        asked, known, cost);
    json_write_double(b, known ? score / (double)known : NAN);
    buf_addf(b, ", \"left_out\": %s}", calls_left_out(p->calls, e) ? "true" : "false");
}

static void write_counts(const struct play_round *r, struct buf *b)
{
    buf_addf(b, "{\n  \"round\": %zu", r->round);
    write_whole(b, "rounds", (int64_t)r->rounds);
    write_whole(b, "questions_new", (int64_t)r->questions_new);
    write_whole(b, "questions", (int64_t)r->questions);
    write_whole(b, "cells", (int64_t)r->cells);
    write_whole(b, "broken", (int64_t)r->broken);
    write_whole(b, "left_out", (int64_t)r->left_out);
    write_whole(b, "unpaid", (int64_t)r->unpaid);
    write_whole(b, "outcomes", (int64_t)r->outcomes);
    write_whole(b, "budget_nano_usd", r->budget_nano_usd);
    write_whole(b, "spent_nano_usd", r->spent_nano_usd);
    write_whole(b, "spent_all_nano_usd", r->spent_all_nano_usd);
    write_whole(b, "booked_nano_usd", r->booked_nano_usd);
    write_whole(b, "cap_nano_usd", r->cap_nano_usd);
    write_whole(b, "calls_ended", (int64_t)r->calls_ended);
    write_whole(b, "validation", (int64_t)r->validation);
    write_whole(b, "compared", (int64_t)r->compared);
}

/* How the round's questions came about, and why others did not: by the reasons of pose/drop.h. */
static void write_posed(const struct play_posed *q, struct buf *b)
{
    const char *comma = "";
    buf_addf(
        b,
        ",\n  \"posed\": {\"requests\": %zu, \"failed\": %zu, \"generated\": %zu, \"split\": %zu, "
        "\"dropped\": {",
        q->requests, q->failed, q->generated, q->split);
    for (size_t i = 0; i < DROP_REASONS; i++) {
        if (q->dropped.of[i] == 0)
            continue;
        buf_addf(b, "%s\"%s\": %zu", comma, drop_reason_name((enum drop_reason)i),
                 q->dropped.of[i]);
        comma = ", ";
    }
    buf_add_c(b, "}}");
}

/* What it was spent on: a row for each expert and purpose. The costs are what the answers did, not what is booked. */
static void write_spending(const struct play *p, struct buf *b)
{
    const char *comma = "";
    buf_add_c(b, ",\n  \"spending\": [");
    for (size_t e = 0; e < run_dataset(p->run)->expert_count; e++)
        for (size_t i = 0; i < CALL_PURPOSES; i++) {
            struct calls_told told = calls_told(p->calls, (enum call_purpose)i, e);
            if (told.calls == 0)
                continue;
            buf_addf(b, "%s\n    {\"expert\": ", comma);
            json_write_string(b, run_dataset(p->run)->experts[e].name);
            buf_addf(b, ", \"purpose\": \"%s\", \"calls\": %zu, \"cost_nano_usd\": %" PRId64 "}",
                     call_purpose_name((enum call_purpose)i), told.calls, told.cost_nano_usd);
            comma = ",";
        }
    buf_add_c(b, "\n  ]");
}

/* One piece: the members in the order of docs/play.md. */
static void write_round(const struct play *p, struct buf *b)
{
    const struct play_round *r = &p->r;
    write_counts(r, b);
    write_posed(&r->posed, b);
    write_figure(b, "area", r->area);
    write_figure(b, "area_error", r->area_error);
    write_figure(b, "area_prior", r->area_prior);
    write_figure(b, "gain_mix", r->gain_mix);
    write_figure(b, "gain_last", r->gain_last);
    write_figure(b, "doubt", r->doubt);
    write_figure(b, "confidence", r->confidence);
    write_figure(b, "confidence_min", r->confidence_min);
    write_figure(b, "gain_in_force", r->gain_in_force);
    buf_addf(b, ",\n  \"publication\": \"%s\"", play_publication_name(r->publication));
    buf_addf(b, ",\n  \"cap_reached\": %s,\n  \"problem\": ", r->cap_reached ? "true" : "false");
    if (r->problem)
        json_write_string(b, str_from(r->problem));
    else
        buf_add_c(b, "null");
    if (p->judged)
        buf_addf(b, ",\n  \"evaluation\": %s", p->judged);
    write_spending(p, b);
    buf_add_c(b, ",\n  \"experts\": [");
    for (size_t e = 0; e < run_dataset(p->run)->expert_count; e++)
        write_expert(p, e, b);
    buf_add_c(b, "\n  ]\n}\n");
}

static void write_belief(struct buf *b, float value)
{
    buf_add_char(b, ',');
    if (!isnan(value))
        buf_addf(b, "%.4f", (double)value);
}

static void write_cell(const struct dataset *d, const struct cell *c, struct buf *b)
{
    csv_write_cell(b, d->queries[c->question].id);
    buf_add_char(b, ',');
    csv_write_cell(b, d->experts[c->expert].name);
    buf_addf(b, ",%d,%d", c->random, dataset_outcome(d, c->question, c->expert)->present);
    write_belief(b, c->quality);
    write_belief(b, c->quality_sd);
    write_belief(b, c->tie);
    buf_add_char(b, '\n');
}

/* Row by row: of all that a run may ask there are more than a text has room for. */
static enum status write_cells(const struct play *p, const struct cells *cells, struct error *err)
{
    char path[PATH_MAX + 64];
    struct file_out out;
    struct buf b;
    snprintf(path, sizeof(path), "%s/cells.csv", p->folder);
    enum status status = file_out_open(path, &out, err);
    if (status != OK)
        return status;
    buf_init(&b, CELL_BYTES_MAX);
    fputs("id,model,random,answered,quality,quality_sd,tie\n", out.stream);
    for (size_t i = 0; i < cells->count && status == OK; i++) {
        buf_clear(&b);
        write_cell(run_dataset(p->run), &cells->cells[i], &b);
        status = buf_status(&b, err);
        fwrite(b.ptr, 1, b.len, out.stream);
    }
    buf_done(&b);
    if (status == OK)
        return file_out_commit(&out, err);
    file_out_abort(&out);
    return status;
}

static enum status write_file(const struct play *p, const char *name, struct buf *b,
                              struct error *err)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof(path), "%s/%s", p->folder, name);
    enum status status = file_write(path, b, err);
    buf_clear(b);
    return status;
}

enum status play_write_round(const struct play *p, const struct cells *cells, struct error *err)
{
    struct buf b;
    enum status status = write_cells(p, cells, err);
    buf_init(&b, ROUND_BYTES_MAX);
    if (status == OK) {
        write_round(p, &b);
        status = write_file(p, "round.json", &b, err);
    }
    if (status == OK && p->judged) {
        buf_add_c(&b, p->judged);
        status = write_file(p, "judge.json", &b, err);
    }
    buf_done(&b);
    return status;
}

/* The last round's */

static enum status read_figures(struct play *p, struct str text, const char *path,
                                struct error *err)
{
    struct json_value root;
    int64_t spent, booked, ended;
    enum status status = json_parse(text, path, 1, &root, err);
    if (status != OK)
        return status;
    if (json_to_int64(json_get(root, "spent_all_nano_usd"), &spent) != OK || spent < 0)
        return error_set(err, ERR_CORRUPT, "%s: no \"spent_all_nano_usd\"", path);
    if (json_to_int64(json_get(root, "booked_nano_usd"), &booked) != OK || booked < 0)
        return error_set(err, ERR_CORRUPT, "%s: no \"booked_nano_usd\"", path);
    if (json_to_int64(json_get(root, "calls_ended"), &ended) != OK || ended < 0)
        return error_set(err, ERR_CORRUPT, "%s: no \"calls_ended\"", path);
    p->spent_before_nano_usd = spent;
    p->booked_before_nano_usd = booked;
    p->ended_before = (size_t)ended;
    return OK;
}

enum status play_read_round(struct play *p, struct error *err)
{
    char path[PATH_MAX + 64];
    struct buf b;
    if (run_rounds(p->run) == 0)
        return OK;
    buf_init(&b, ROUND_BYTES_MAX);
    snprintf(path, sizeof(path), "%s/round-%zu/round.json", run_path(p->run), run_rounds(p->run));
    enum status status = file_read(path, ROUND_BYTES_MAX, &b, err);
    if (status == OK)
        status = read_figures(p, buf_str(&b), path, err);
    buf_done(&b);
    return run_round_read(p->run, status, err);
}
