/* Drawn questions become posed ones: see sandbox_pose.h. */
#include "pose/sandbox_pose.h"

#include "base/check.h"
#include "pose/question.h"

size_t sandbox_domain_count(void)
{
    return SKILL_COUNT;
}

struct str sandbox_domain(size_t index)
{
    CHECK(index < SKILL_COUNT);
    return str_from(skill_name((enum skill)index));
}

unsigned sandbox_levels(void)
{
    return QUESTION_LEVELS;
}

enum status sandbox_pose(struct rng *rng, size_t domain, unsigned level, struct arena *a,
                         struct posed *ret, struct error *err)
{
    struct question drawn;
    CHECK(domain < SKILL_COUNT);
    question_make(rng, (enum skill)domain, level, &drawn);
    struct posed p = {.source = POSED_SANDBOX, .level = level};
    p.query.text = arena_copy(a, str_from(drawn.text));
    p.query.answer = arena_copy(a, str_from(drawn.answer));
    p.query.domain = sandbox_domain(domain);
    p.query.task = STR("sandbox");
    if (!p.query.text.ptr || !p.query.answer.ptr)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    p.kind = posed_kind_of(&p.query);
    enum status status = posed_finish(&p.query, a, err);
    if (status == OK)
        *ret = p;
    return status;
}
