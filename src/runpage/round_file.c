/* round.json read back: see round_file.h.
 *
 * One reader goes over all members and keeps the first thing that is wrong; what comes after reads as missing. Pure;
 * the text is a file that may have been edited or cut, so every number is held to what it can be. */
#include "runpage/round_file.h"

#include <math.h>

#include "base/json.h"

struct reader {
    const char *place;
    struct arena *arena;
    struct error *err;
    enum status status;
};

static void fail(struct reader *r, const char *name, const char *what)
{
    if (r->status == OK)
        r->status = error_set(r->err, ERR_CORRUPT, "%s: \"%s\" is not %s", r->place, name, what);
}

/* Members */

static int64_t whole_of(struct reader *r, struct json_value object, const char *name)
{
    struct json_value v = json_get(object, name);
    int64_t value;
    if (!json_is_set(v))
        return 0;
    if (json_to_int64(v, &value) == OK && value >= 0)
        return value;
    fail(r, name, "a whole number");
    return 0;
}

static size_t count_of(struct reader *r, struct json_value object, const char *name)
{
    return (size_t)whole_of(r, object, name);
}

static double within(struct reader *r, struct json_value object, const char *name, double low)
{
    struct json_value v = json_get(object, name);
    double value;
    if (!json_is_set(v))
        return NAN;
    if (json_to_double(v, &value) == OK && value >= low && value <= 1)
        return value;
    fail(r, name, low < 0 ? "from -1 to 1" : "from 0 to 1");
    return NAN;
}

static double share_of(struct reader *r, struct json_value object, const char *name)
{
    return within(r, object, name, 0);
}

static double difference_of(struct reader *r, struct json_value object, const char *name)
{
    return within(r, object, name, -1);
}

/* Utility: quality less money, so that it may be far below 0. */
static double figure_of(struct reader *r, struct json_value object, const char *name)
{
    struct json_value v = json_get(object, name);
    double value;
    if (!json_is_set(v))
        return NAN;
    if (json_to_double(v, &value) == OK)
        return value;
    fail(r, name, "a number");
    return NAN;
}

static struct str decoded(struct reader *r, struct json_value v, const char *name)
{
    struct str text = {NULL, 0};
    if (!json_is_set(v))
        return text;
    if (json_string_decode(v, r->arena, &text) != OK)
        fail(r, name, "a string");
    return text;
}

static struct str string_of(struct reader *r, struct json_value object, const char *name)
{
    return decoded(r, json_get(object, name), name);
}

static bool flag_of(struct json_value object, const char *name)
{
    return json_get(object, name).type == JSON_TRUE;
}

/* Lists */

static size_t length_of(struct json_value list)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value key, item;
    size_t count = 0;
    while (list.type == JSON_OBJECT ? json_object_next(&it, &key, &item)
                                    : json_array_next(&it, &item))
        count++;
    return count;
}

static bool is_a(struct reader *r, struct json_value list, enum json_type type, const char *name)
{
    if (json_is_set(list) && list.type != type)
        fail(r, name, type == JSON_ARRAY ? "an array" : "an object");
    return list.type == type;
}

/* Room for the rows of a list; NULL where there are none, or what is wrong is noted. */
static void *rows_of(struct reader *r, struct json_value list, enum json_type type,
                     const char *name, size_t row_bytes)
{
    size_t count = is_a(r, list, type, name) ? length_of(list) : 0;
    if (count > ROUND_FILE_LIST_MAX)
        fail(r, name, "so short a list");
    if (count == 0 || r->status != OK)
        return NULL;
    void *rows = arena_array(r->arena, count, row_bytes);
    if (!rows)
        r->status = error_set(r->err, ERR_MEMORY, "out of memory for %s", r->place);
    return rows;
}

static void read_drops(struct reader *r, struct json_value posed, struct round_file *f)
{
    struct json_value list = json_get(posed, "dropped"), key, item;
    f->drops = rows_of(r, list, JSON_OBJECT, "dropped", sizeof(*f->drops));
    struct json_iter it = json_iter_begin(list);
    while (f->drops && json_object_next(&it, &key, &item)) {
        int64_t count = 0;
        if (json_to_int64(item, &count) != OK || count < 0)
            fail(r, "dropped", "an object of counts");
        f->drops[f->drop_count++] = (struct round_drop){decoded(r, key, "dropped"), (size_t)count};
    }
}

static void read_spending(struct reader *r, struct json_value root, struct round_file *f)
{
    struct json_value list = json_get(root, "spending"), item;
    struct json_iter it = json_iter_begin(list);
    f->spending = rows_of(r, list, JSON_ARRAY, "spending", sizeof(*f->spending));
    while (f->spending && json_array_next(&it, &item))
        f->spending[f->spending_count++] =
            (struct round_spending){.expert = string_of(r, item, "expert"),
                                    .purpose = string_of(r, item, "purpose"),
                                    .calls = count_of(r, item, "calls"),
                                    .cost_nano_usd = whole_of(r, item, "cost_nano_usd")};
}

static void read_experts(struct reader *r, struct json_value root, struct round_file *f)
{
    struct json_value list = json_get(root, "experts"), item;
    struct json_iter it = json_iter_begin(list);
    f->experts = rows_of(r, list, JSON_ARRAY, "experts", sizeof(*f->experts));
    while (f->experts && json_array_next(&it, &item))
        f->experts[f->expert_count++] =
            (struct round_expert){.name = string_of(r, item, "name"),
                                  .outcomes = count_of(r, item, "outcomes"),
                                  .scored = count_of(r, item, "scored"),
                                  .cost_nano_usd = whole_of(r, item, "cost_nano_usd"),
                                  .mean_score = share_of(r, item, "mean_score"),
                                  .left_out = flag_of(item, "left_out")};
}

/* Evaluation */

static void read_canaries(struct reader *r, struct json_value judge, struct round_judge *j)
{
    struct json_value list = json_get(judge, "canary_shares"), key, item;
    struct json_iter it = json_iter_begin(list);
    while (is_a(r, list, JSON_OBJECT, "canary_shares") && json_object_next(&it, &key, &item) &&
           j->kind_count < ROUND_FILE_CANARIES_MAX) {
        double won = NAN;
        if (json_is_set(item) && (json_to_double(item, &won) != OK || won < 0 || won > 1))
            fail(r, "canary_shares", "an object of shares");
        j->kinds[j->kind_count++] = (struct round_canary){decoded(r, key, "canary_shares"), won};
    }
}

/* One piece: a member a line. */
static void read_judge(struct reader *r, struct json_value item, struct round_judge *j)
{
    *j = (struct round_judge){.name = string_of(r, item, "judge"),
                              .reason = string_of(r, item, "reason"),
                              .trusted = flag_of(item, "trusted"),
                              .canaries = count_of(r, item, "canaries"),
                              .pairs = count_of(r, item, "pairs"),
                              .family_pairs = count_of(r, item, "family_pairs"),
                              .canary_share = share_of(r, item, "canary_share"),
                              .agreement = share_of(r, item, "agreement"),
                              .agreement_low = share_of(r, item, "agreement_low"),
                              .agreement_high = share_of(r, item, "agreement_high"),
                              .inconsistent = share_of(r, item, "inconsistent"),
                              .position_bias = difference_of(r, item, "position_bias"),
                              .length_bias = difference_of(r, item, "length_bias"),
                              .family_favour = difference_of(r, item, "family_favour"),
                              .unreadable = share_of(r, item, "unreadable")};
    if (j->family_pairs == 0)
        j->family_favour = NAN; /* it is written as 0 */
    if (j->pairs == 0)
        j->length_bias = NAN;
    read_canaries(r, item, j);
}

static struct round_gap *read_gaps(struct reader *r, struct json_value evaluation, const char *name,
                                   size_t *ret_count)
{
    struct json_value list = json_get(evaluation, name), item;
    struct json_iter it = json_iter_begin(list);
    size_t count = 0;
    struct round_gap *rows = rows_of(r, list, JSON_ARRAY, name, sizeof(*rows));
    while (rows && json_array_next(&it, &item))
        rows[count++] = (struct round_gap){.expert = string_of(r, item, "expert"),
                                           .count = count_of(r, item, "count"),
                                           .agreement = share_of(r, item, "agreement"),
                                           .bias = difference_of(r, item, "bias")};
    *ret_count = count;
    return rows;
}

static void read_evaluation(struct reader *r, struct json_value root, struct round_file *f)
{
    struct json_value evaluation = json_get(root, "evaluation"), item;
    struct json_value list = json_get(evaluation, "judges");
    struct json_iter it = json_iter_begin(list);
    f->judges = rows_of(r, list, JSON_ARRAY, "judges", sizeof(*f->judges));
    while (f->judges && json_array_next(&it, &item))
        read_judge(r, item, &f->judges[f->judge_count++]);
    f->judge_gaps = read_gaps(r, evaluation, "judge_against_references", &f->judge_gap_count);
    f->consensus_gaps =
        read_gaps(r, evaluation, "consensus_against_references", &f->consensus_gap_count);
    f->commands_refused = count_of(r, evaluation, "commands_refused");
    f->checks_broken = count_of(r, evaluation, "checks_broken");
}

/* One piece: a member a line. */
static void read_figures(struct reader *r, struct json_value root, struct round_file *f)
{
    *f = (struct round_file){.round = count_of(r, root, "round"),
                             .rounds = count_of(r, root, "rounds"),
                             .questions_new = count_of(r, root, "questions_new"),
                             .questions = count_of(r, root, "questions"),
                             .cells = count_of(r, root, "cells"),
                             .broken = count_of(r, root, "broken"),
                             .left_out = count_of(r, root, "left_out"),
                             .unpaid = count_of(r, root, "unpaid"),
                             .outcomes = count_of(r, root, "outcomes"),
                             .validation = count_of(r, root, "validation"),
                             .spent_nano_usd = whole_of(r, root, "spent_nano_usd"),
                             .spent_all_nano_usd = whole_of(r, root, "spent_all_nano_usd"),
                             .booked_nano_usd = whole_of(r, root, "booked_nano_usd"),
                             .cap_nano_usd = whole_of(r, root, "cap_nano_usd"),
                             .area = share_of(r, root, "area"),
                             .area_error = share_of(r, root, "area_error"),
                             .area_prior = share_of(r, root, "area_prior"),
                             .gain_mix = difference_of(r, root, "gain_mix"),
                             .gain_last = difference_of(r, root, "gain_last"),
                             .doubt = share_of(r, root, "doubt"),
                             .compared = count_of(r, root, "compared"),
                             .confidence_min = share_of(r, root, "confidence_min"),
                             .confidence = share_of(r, root, "confidence"),
                             .gain_in_force = figure_of(r, root, "gain_in_force"),
                             .publication = string_of(r, root, "publication"),
                             .problem = string_of(r, root, "problem"),
                             .cap_reached = flag_of(root, "cap_reached")};
}

enum status round_file_parse(struct str text, const char *place, struct arena *a,
                             struct round_file *ret, struct error *err)
{
    struct reader r = {.place = place, .arena = a, .err = err};
    struct round_file f;
    struct json_value root;
    enum status status = json_parse(text, place, 1, &root, err);
    if (status != OK)
        return status;
    if (root.type != JSON_OBJECT)
        return error_set(err, ERR_CORRUPT, "%s: not an object", place);
    read_figures(&r, root, &f);
    struct json_value posed = json_get(root, "posed");
    f.requests = count_of(&r, posed, "requests");
    f.requests_failed = count_of(&r, posed, "failed");
    f.generated = count_of(&r, posed, "generated");
    f.split = count_of(&r, posed, "split");
    read_drops(&r, posed, &f);
    read_spending(&r, root, &f);
    read_evaluation(&r, root, &f);
    read_experts(&r, root, &f);
    if (r.status == OK)
        *ret = f;
    return r.status;
}
