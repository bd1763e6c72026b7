/* A data set directory (docs/datasets.md): queries, experts, outcomes, and responses on demand. Everything is
 * owned by the dataset's arena and read-only once loaded. Every file may be plain or .gz.
 *
 * Outcomes are a dense query × expert matrix with holes: outcome->known is false for a missing cell. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/certainty.h"
#include "base/error.h"
#include "base/map.h"
#include "base/money.h"
#include "base/str.h"

#define DATASET_EXPERTS_MAX 256
#define QUERY_CHOICES_MAX   26 /* A to Z */

struct query {
    struct str id, text, answer, task, domain;
    const struct str *choices;
    uint32_t choice_count;
    struct str
        check; /* how an answer is checked: well-formed JSON as it was spelled; empty: not said */
    struct str prompt;  /* what a client sends: the text, then one line per choice "A. ..." */
    uint64_t text_hash; /* of the normalised text: equal texts are the same query, never split */
};

struct outcome {
    bool present;    /* outcomes.csv has a row for it, of whatever cells */
    bool known;      /* score is there */
    bool cost_known; /* cost_nano_usd is there: recorded, or else tokens times the expert's price */
    bool tokens_known; /* both token counts are there */
    float score;       /* 0..1 */
    int64_t cost_nano_usd;
    int32_t input_tokens, output_tokens;
    /* What the expert's text answers; empty: unknown, or the text has not been read. */
    struct str answer;
    /* Within one query, answers of equal classes agree; 0: unknown. judge/rescore.h fills it. */
    uint16_t answer_class;
    /* How far the score is to be believed, above 0 up to 1; 0, as in an outcome made by hand, is not said and counts
     * as 1. Read it by outcome_confidence(). */
    float confidence;
    struct str method; /* what the score was found by ("choice", "consensus"); empty: not said */
};

static inline float outcome_confidence(const struct outcome *o)
{
    return o->confidence > 0 ? o->confidence : 1;
}

enum price_basis {
    PRICE_GIVEN,
    PRICE_FITTED,  /* none was given, or 0: that of its recorded costs, by least squares */
    PRICE_LISTED,  /* none was given, and no cost is recorded: dataset_price_set has set it */
    PRICE_UNKNOWN, /* none was given, and no cost is recorded */
};

struct dataset_expert {
    struct str name;
    struct price price;
};

/* Where an expert's price is from. */
struct dataset_price {
    enum price_basis basis;
    /* PRICE_FITTED: how far its recorded costs lie from it (root of the mean square, as a share of the mean cost), and
     * how many there are. */
    float error;
    size_t costs;
    bool
        by_length; /* tokens were not recorded: they were taken for a quarter of the prompt's bytes */
};

#define DATASET_SKIPPED_NAMES 8

struct dataset_skipped {
    size_t outcomes; /* rows of experts that are not in experts.csv */
    struct str names[DATASET_SKIPPED_NAMES];
    size_t named;        /* the first of these experts */
    size_t line, column; /* of the first such row */
};

/* What a check has said of the answers, to be written (dataset_write.h); data/check_column.h reads it. */
struct dataset_check {
    const char *column;   /* its name in outcomes.csv: "verified" */
    const uint8_t *cells; /* [query_count × expert_count] of enum check_said */
};

struct dataset {
    struct arena *arena;
    struct str path;
    struct query *queries; /* [query_count], in file order */
    size_t query_count;
    struct dataset_expert *experts; /* [expert_count], in file order */
    size_t expert_count;
    struct dataset_price *prices; /* [expert_count]; NULL: all are given */
    struct outcome *
        outcomes; /* [query_count × expert_count], row-major by query; NULL if outcomes were not asked for */
    struct dataset_skipped skipped;
    bool is_table;         /* it was read from a table (data/result_table.h) */
    bool experts_unlisted; /* there is no experts.csv: they are those of outcomes.csv */
    bool has_answers;      /* every outcome's `answer` is there: outcomes.csv has that column */
    const struct dataset_check *check; /* NULL: none is written; never set by reading */
};

enum dataset_parts {
    DATASET_QUERIES = 1,
    DATASET_EXPERTS = 2,
    DATASET_OUTCOMES = 4,
    DATASET_ALL = 7
};

/* Reads the parts asked for. `path` may also be a table of results, or a folder of them (data/result_table.h); then it
 * is all parts. Unknown ids in outcomes.csv, doubled ids or cells, scores outside 0..1, malformed JSON or numbers:
 * ERR_INPUT with file, line and column. What is passed over or made up for stands in `skipped` and in `prices`. */
NODISCARD enum status dataset_load(const char *path, unsigned parts, struct dataset **ret,
                                   struct error *err);
void dataset_free(struct dataset *d);

/* Reads queries alone from one JSONL file ("-" is stdin), as the `route` command takes them. */
NODISCARD enum status dataset_load_queries(const char *path, struct dataset **ret,
                                           struct error *err);
/* One query from one JSON line; strings live in `a`. `place`/`line` name it in errors. "id" may be missing here
 * (ret->id is empty then), but not in a data set; numbers as ids and answers keep their spelling. */
NODISCARD enum status query_parse(struct str json_line, const char *place, size_t line,
                                  struct arena *a, struct query *ret, struct error *err);

/* One data set out of several: experts united by name (prices must agree), queries with equal ids from
 * different sets are kept apart. The parts must stay loaded. */
NODISCARD enum status dataset_concat(struct dataset *const *parts, size_t count,
                                     struct dataset **ret, struct error *err);

static inline enum price_basis dataset_price_basis(const struct dataset *d, size_t expert)
{
    return d->prices ? d->prices[expert].basis : PRICE_GIVEN;
}

/* Gives an expert of a loaded data set a price from elsewhere, and its outcomes the costs that follow. */
void dataset_price_set(struct dataset *d, size_t expert, const struct price *price);

const struct outcome *dataset_outcome(const struct dataset *d, size_t query, size_t expert);
/* Index by name; SIZE_MAX when absent. */
size_t dataset_expert_index(const struct dataset *d, struct str name);
/* "a,b,c" → indices in the order named. ERR_NOT_FOUND names the unknown one and lists what there is. */
NODISCARD enum status dataset_expert_list(const struct dataset *d, const char *names, size_t *ret,
                                          size_t *ret_count, struct error *err);

/* The mean of an expert's known scores, each by its confidence; NAN: it has none. */
double dataset_mean_score(const struct dataset *d, size_t expert);

/* Lower-cases (ASCII) and folds white space runs to one blank, trimmed. */
void text_normalize(struct str text, struct buf *out);
uint64_t text_hash(struct str text); /* hash64 of the normalised text; allocates nothing */

/* Whether tables and journals take it for a query's id: 1 to QUERY_ID_BYTES_MAX bytes, no line end, nothing unseen. */
#define QUERY_ID_BYTES_MAX 256
bool query_id_fits(struct str id);

/* Copies choices[count] to `a`, where their texts live already, as those of the query. ERR_MEMORY. */
NODISCARD enum status query_choices_keep(struct query *q, const struct str *choices, uint32_t count,
                                         struct arena *a);

/* The prompt of a query: text, then one line per choice "A. ...". */
void query_prompt(struct str text, const struct str *choices, uint32_t count, struct buf *out);

struct response_line { /* what an expert said to a query */
    struct str id, text;
    struct certainty certainty;
};

/* responses/MODEL.jsonl(.gz): calls fn for every {"id","text"} in file order, with "certainty" where it has one;
 * ERR_NOT_FOUND when there is no such file. `said` is valid during the call. fn returns a status; anything but OK stops
 * and is returned. */
NODISCARD enum status responses_read(const char *dataset_path, struct str model,
                                     enum status (*fn)(const struct response_line *said, void *arg,
                                                       struct error *err),
                                     void *arg, struct error *err);
