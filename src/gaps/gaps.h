/* Where nobody is good enough, and where one expert stands alone: the brief for the next expert.
 *
 * The topics of a data set (gaps/topics.h), ranked by what a new expert of a given level would add to what is achieved
 * there (gaps/scores.h), in answers per 1,000 queries of the whole data set. Topics where no less is achieved than
 * elsewhere, beyond chance, come behind those where it is: they add much because they are large. What is missed falls
 * into what another expert of the pool had right ("routing": choosing better would get it; an upper bound, because
 * with many experts one is right by luck) and what none had ("nobody": only a new expert gets it).
 *
 * Few recorded answers are shrunk towards the model's estimates: these count as `prior_queries` answers of the topic.
 * How many that is, is told by how far topics' scores lie from the estimates beyond chance (method of moments). */
#pragma once

#include "eval/report.h"
#include "gaps/scores.h"
#include "gaps/topics.h"

#define GAPS_WORDS        8 /* that tell a topic, and its missed queries */
#define GAPS_EXAMPLES_MAX 50
#define GAPS_ALONE_LEAST  0.05 /* so far ahead of the second is an expert that stands alone */
#define GAPS_SURE         3.0  /* standard errors: of thirty topics, two find a gap by chance */
#define GAPS_NOBODY       SIZE_MAX

/* An expert of the pool in a topic. */
struct gaps_expert {
    double score;       /* mean of its scores there, shrunk as what is achieved */
    double measured;    /* before; NaN: it was not asked there */
    size_t recorded;    /* queries; 0: `score` is estimated */
    double expected;    /* mean of the model's estimates */
    size_t chosen;      /* queries on which the model chooses it */
    struct figure loss; /* per 1,000 queries of the data set, if it goes and the next is asked */
};

/* The topic measured again on other queries; `queries` 0: not done, or none there. */
struct gaps_again {
    size_t queries;
    struct figure achieved;
    struct figure difference; /* from all the other queries that were looked at again */
};

struct gaps_topic {
    uint32_t number;   /* among those of the set */
    struct str domain; /* empty: of queries without one that is large enough */
    bool whole;        /* it is all queries of the domain, or all there are */
    bool few;          /* too few queries to be believed; ranks last */
    const struct str
        *words; /* [word_count] that tell it from all other queries, the most telling first */
    size_t word_count;
    const struct str
        *missed_words; /* [missed_word_count] that tell its missed queries from the others */
    size_t missed_word_count;
    size_t queries, recorded, compared;
    struct figure achieved; /* shrunk; 0..1 */
    struct figure below;    /* how much less is achieved than on all other queries */
    bool sure;              /* `below` is more than GAPS_SURE of its errors */
    double measured;        /* before it was shrunk */
    double expected;        /* the model's estimate of the same */
    struct figure adds;     /* per 1,000 queries of the data set */
    double routing, nobody; /* what of it is which; NaN where no two experts were recorded */
    const struct gaps_expert *experts; /* [pool.count] */
    size_t best, second;               /* experts by score; second GAPS_NOBODY in a pool of one */
    size_t alone;                      /* the expert that stands alone here, or GAPS_NOBODY */
    const uint32_t *examples;          /* [example_count] queries: missed, the most typical first */
    size_t example_count;
    struct gaps_again again;
};

struct gaps {
    struct score_set scores;
    struct topic_set set;
    double level;
    double prior_queries;
    struct gaps_topic *topics; /* [topic_count], those where most would be added first */
    size_t topic_count;
    uint32_t *place; /* [topic_count] of the set's topics among these */
    struct gaps_topic
        all;         /* the same figures of all queries together; without words and examples */
    uint32_t *alone; /* [alone_count] topics where an expert stands alone, most to lose first */
    size_t alone_count;
    struct gaps_again again; /* all queries that were looked at again */
    size_t again_unplaced;   /* of domains that no topic has */
    size_t again_known;      /* that are also in the data set */
};

struct gaps_options {
    const char *experts; /* "a,b"; NULL: all */
    double level;        /* above 0, up to 1: what a new expert would score */
    size_t examples;     /* at most GAPS_EXAMPLES_MAX */
    uint64_t seed;
    /* Of gaps_find up to twice the queries, of gaps_again up to them; may be NULL. */
    score_progress *progress;
    void *arg;
};

/* Everything lives in `a`; `m` and `d` must stay. `d` may be without outcomes. ERR_INPUT: it has no queries. */
NODISCARD enum status gaps_find(const struct model *m, const struct dataset *d,
                                const struct gaps_options *options, struct arena *a,
                                struct gaps *ret, struct error *err);
/* Measures the topics again, on the queries of another data set: fills the `again` of all. */
NODISCARD enum status gaps_again(const struct model *m, const struct dataset *d,
                                 const struct gaps_options *options, struct arena *a,
                                 struct gaps *g, struct error *err);

/* "law: contract, offer, breach"; unescaped. */
void gaps_topic_name(const struct gaps_topic *t, size_t words, struct buf *b);
/* One JSON object, with the first topics[most] and all that follows from them. */
void gaps_write_json(const struct gaps *g, size_t most, struct buf *b);

struct gaps_page {
    const struct gaps *gaps;
    const char *model, *dataset; /* as the command line names them */
    const char *again;           /* NULL: not measured again */
    size_t topics;               /* to show */
};

/* A whole document. All text from data is escaped. */
void gaps_write_html(const struct gaps_page *p, struct buf *b);
