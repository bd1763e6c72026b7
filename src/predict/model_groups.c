/* What a model knows of its experts by groups of domains, for whoever shows it. */
#include "base/check.h"
#include "predict/model_int.h"
#include "predict/model_source.h"

static const struct groups_head *head_of(const struct model *m, size_t *ret_experts)
{
    const struct predictor *p = &m->parts.predictor;
    for (size_t s = 0; s < p->source_count; s++)
        if (p->sources[s].ops == &groups_source) {
            *ret_experts = p->sources[s].experts;
            return p->sources[s].state;
        }
    return NULL;
}

size_t model_group_count(const struct model *m)
{
    size_t experts;
    const struct groups_head *h = head_of(m, &experts);
    return h ? h->groups : 0;
}

struct str model_group_name(const struct model *m, size_t group)
{
    size_t experts;
    const struct groups_head *h = head_of(m, &experts);
    CHECK(h && group < h->groups);
    return h->names ? h->names[group] : STR("");
}

double model_group_quality(const struct model *m, size_t group, size_t expert)
{
    size_t experts;
    const struct groups_head *h = head_of(m, &experts);
    CHECK(h && group < h->groups && expert < m->parts.listed);
    return (double)h->quality[group * experts + m->parts.column[expert]];
}
