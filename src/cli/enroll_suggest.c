/* leeroo enroll --suggest: which questions to ask a newcomer. What is broken is told apart from what is asked. */
#include <stdio.h>

#include "base/file.h"
#include "cli/enrolling.h"
#include "data/dataset_write.h"
#include "print/suggested.h"
#include "setup/dataset_open.h"

#define OUTPUT_BYTES_MAX (256u << 20)

/* Questions to -o; what stands on standard output else is JSON, or the questions. */
static enum status put(const struct enroll_command *c, const struct suggested *s, struct error *err)
{
    struct buf lines, json;
    enum status status = OK;
    buf_init(&lines, OUTPUT_BYTES_MAX);
    for (size_t i = 0; i < s->q.count; i++)
        query_write(suggested_query(s, s->q.picks[i]), &lines);
    if (c->output) {
        status = file_write(c->output, &lines, err);
        buf_done(&lines);
    }
    if (status == OK && c->json) {
        buf_init(&json, OUTPUT_BYTES_MAX);
        suggested_print_json(s, &json);
        status = file_print(stdout, &json, err);
    } else if (status == OK && !c->output) {
        return file_print(stdout, &lines, err);
    }
    if (!c->output)
        buf_done(&lines);
    return status;
}

/* Whoever is enrolled anew may be asked again what it has answered as it was. */
static struct str answered_as(const struct enroll_command *c)
{
    return c->replace ? STR("") : c->newcomer.name;
}

enum status enroll_suggest_write(struct enroll_command *c, struct error *err)
{
    struct suggested s = {.d = c->d};
    enum status status = OK;
    if (c->from) {
        status = dataset_open_any("enroll", c->from, stderr, &c->questions, err);
        s.d = c->questions;
    }
    if (status == OK)
        status = enroll_questions_choose(enroll_into(c), &c->newcomer.belief, s.d, answered_as(c),
                                         c->suggest, c->arena, &s.q, err);
    if (status == OK)
        status = put(c, &s, err);
    if (status == OK && !c->quiet) {
        suggested_print_broken(&s, stderr);
        if (s.q.count < c->suggest)
            fprintf(stderr,
                    "leeroo enroll: note: only %zu of %zu questions are left to ask: %s has "
                    "answered others, or they seem broken\n",
                    s.q.count, s.d->query_count, c->name);
    }
    return status;
}
