/* A small data set and what is exported of it. */
#pragma once

#include "base/file.h"
#include "data/scratch.h"
#include "export/export.h"

/* small costs 1e-6 USD a call, big 1e-3. q1: both right. q2: big alone. q3: nobody. q4: asked of small alone, wrong.
 * q5: q1 in other letters. q6: nobody was asked. q7: big's cost is unknown, small's score hardly believed. */
#define EXPORTED_QUERIES                                                                           \
    "{\"id\":\"q1\",\"text\":\"One?\",\"choices\":[\"x\",\"y\"]}\n"                                \
    "{\"id\":\"q2\",\"text\":\"Two \\\"2\\\"\\n\\u00e9\\ud83d\\ude00?\"}\n"                        \
    "{\"id\":\"q3\",\"text\":\"Three?\"}\n"                                                        \
    "{\"id\":\"q4\",\"text\":\"Four?\"}\n"                                                         \
    "{\"id\":\"q5\",\"text\":\"ONE?\",\"choices\":[\"x\",\"y\"]}\n"                                \
    "{\"id\":\"q6\",\"text\":\"Six?\"}\n"                                                          \
    "{\"id\":\"q7\",\"text\":\"Seven?\"}\n"
#define EXPORTED_EXPERTS "model,usd_per_m_input,usd_per_m_output\nsmall,0.1,0.25\norg/big,5,15\n"
#define EXPORTED_OUTCOMES                                                                          \
    "id,model,score,cost_usd,confidence\n"                                                         \
    "q1,small,1,0.000001,\nq1,org/big,1,0.001,\n"                                                  \
    "q2,small,0,0.000001,\nq2,org/big,1,0.001,\n"                                                  \
    "q3,small,0,0.000001,\nq3,org/big,0,0.001,\n"                                                  \
    "q4,small,0,0.000001,\n"                                                                       \
    "q5,small,0,0.000001,\nq5,org/big,1,0.001,\n"                                                  \
    "q7,small,1,0.000001,0.3\nq7,org/big,1,,\n"

struct exported {
    struct scratch scratch;
    struct dataset *d;
    struct export_figures figures;
    struct buf rows;
    enum status status;
    struct error err;
};

static inline struct exported exported_open(const char *queries, const char *outcomes)
{
    struct exported x = {.scratch =
                             scratch_dataset(queries ? queries : EXPORTED_QUERIES, EXPORTED_EXPERTS,
                                             outcomes ? outcomes : EXPORTED_OUTCOMES)};
    cr_assert_eq(dataset_load(x.scratch.path, DATASET_ALL, &x.d, &x.err), OK, "%s", x.err.text);
    buf_init(&x.rows, 1u << 20);
    return x;
}

static inline struct export_options exported_options(enum export_format format,
                                                     enum export_subject subject)
{
    return (struct export_options){.format = format,
                                   .subject = subject,
                                   .confidence_min = EXPORT_CONFIDENCE,
                                   .margin = EXPORT_MARGIN,
                                   .pairs = 1};
}

/* x->rows, and how it went. */
static inline void exported_write(struct exported *x, const struct export_options *o)
{
    char path[96];
    snprintf(path, sizeof(path), "%s/rows", x->scratch.path);
    FILE *out = fopen(path, "w");
    cr_assert_not_null(out);
    x->status = export_write(x->d, o, out, &x->figures, &x->err);
    fclose(out);
    buf_clear(&x->rows);
    cr_assert_eq(file_read(path, 1u << 20, &x->rows, NULL), OK);
}

static inline void exported_close(struct exported *x)
{
    buf_done(&x->rows);
    dataset_free(x->d);
    scratch_remove(&x->scratch);
}
