/* Answers through both of their forms. */
#pragma once

#include <criterion/criterion.h>
#include <string.h>

#include "dialect/forms.h"

#define FORMS_BYTES_MAX (1u << 20)

struct forms_test {
    const struct forms *forms;
    void *gathered;
    struct buf told; /* names and data, a line each */
};

static inline void forms_take(void *arg, struct str name, struct str data)
{
    struct forms_test *t = arg;
    buf_addf(&t->told, "%.*s%s%.*s\n", STR_FMT(name), name.len > 0 ? " " : "", STR_FMT(data));
    t->forms->add(t->gathered, data);
}

/* What is split and gathered again is the answer; the events are `events` where that is not NULL. */
static inline void forms_expect_both(const struct forms *forms, const char *answer,
                                     const char *events, const char *again)
{
    struct forms_test t = {.forms = forms, .gathered = forms->create(FORMS_BYTES_MAX)};
    struct error err = {0};
    struct buf whole;
    buf_init(&t.told, FORMS_BYTES_MAX);
    buf_init(&whole, FORMS_BYTES_MAX);
    forms->split(str_from(answer), forms_take, &t);
    if (events)
        cr_expect_str_eq(t.told.ptr, events);
    cr_expect_eq(forms->write(t.gathered, &whole, &err), OK, "%s", err.text);
    cr_expect_str_eq(whole.ptr, again);
    forms->free(t.gathered);
    buf_done(&whole);
    buf_done(&t.told);
}

/* What lines of events make up. */
static inline void forms_expect_gathered(const struct forms *forms, const char *events,
                                         enum status want, const char *answer)
{
    void *gathered = forms->create(FORMS_BYTES_MAX);
    struct str rest = str_from(events);
    struct error err = {0};
    struct buf whole;
    buf_init(&whole, FORMS_BYTES_MAX);
    while (rest.len > 0)
        forms->add(gathered, str_split(&rest, '\n'));
    cr_expect_eq(forms->write(gathered, &whole, &err), want, "%s", err.text);
    if (want == OK)
        cr_expect_str_eq(whole.ptr, answer);
    forms->free(gathered);
    buf_done(&whole);
}
