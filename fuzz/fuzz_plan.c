/* A plan's name: read, written and matched. The first line is the text; each other line is the name of an expert. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "predict/arm.h"

#define EXPERTS_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read can be written, and means itself. (A name with brackets of its own may read as another plan.) */
static void check_plan(struct plan *p, const struct str *names, size_t count)
{
    struct buf b;
    CHECK(p->kind == PLAN_CASCADE || p->kind == PLAN_PANEL);
    CHECK(p->member_count == (p->kind == PLAN_PANEL ? 3 : 2));
    for (size_t i = 0; i < p->member_count; i++) {
        CHECK(p->members[i] < count);
        for (size_t k = 0; k < i; k++)
            CHECK(p->members[i] != p->members[k]);
    }
    for (int rule = PLAN_AGREE; rule <= PLAN_TRUST; rule++) {
        p->rule = (enum plan_rule)rule;
        p->share = 0.3f;
        buf_init(&b, 1u << 22);
        plan_name_add(&b, p, names);
        CHECK(b.status == OK);
        p->name = buf_str(&b);
        CHECK(memchr(b.ptr, '\0', b.len) || plan_matches(p, p->name));
        CHECK(plan_matches(p, STR("all")) && plan_matches(p, str_from(plan_kind_name(p->kind))));
        buf_done(&b);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size}, names[EXPERTS_MAX];
    struct str text = str_split(&rest, '\n');
    struct plan p = {.member_count = 99};
    struct error err = {0};
    size_t count = 0;
    while (rest.len > 0 && count < EXPERTS_MAX)
        names[count++] = str_split(&rest, '\n');
    enum status status = plan_parse(text, names, count, &p, &err);
    CHECK((status == OK) == (p.member_count != 99));
    CHECK((status == OK) == (err.text[0] == '\0'));
    if (status == OK)
        check_plan(&p, names, count);
    for (size_t i = 0; i < count; i++) { /* any text against any other */
        struct plan named = {.kind = PLAN_PANEL, .name = names[i]};
        bool odd = memchr(data, '\0', size) || str_trim(names[i]).len < names[i].len;
        (void)plan_matches(&named, text);
        CHECK(odd || plan_matches(&named, names[i]));
    }
    return 0;
}
