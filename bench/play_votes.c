/* Labels by consensus. Only classes of answers go in, and only of cells that are bought; references and recorded scores
 * are not looked at. Every call starts anew from all that is bought, since what an expert is worth as a voter is better
 * known in each round. One thread. */
#include "play_votes.h"

#include "judge/consensus.h"

#define ARENA_CAP ((size_t)1 << 30)

static enum status no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, "out of memory");
}

static enum status votes_of(const struct purchase *p, struct arena *a, struct consensus_input *ret,
                            struct error *err)
{
    const struct dataset *d = p->fold->train;
    size_t cells = d->query_count * d->expert_count;
    uint16_t *classes = ARENA_ARRAY(a, cells + 1, uint16_t);
    uint16_t *families = ARENA_ARRAY(a, d->expert_count + 1, uint16_t);
    uint32_t *choices = ARENA_ARRAY(a, d->query_count + 1, uint32_t);
    struct str *names = ARENA_ARRAY(a, d->expert_count + 1, struct str);
    if (!classes || !families || !choices || !names)
        return no_memory(err);
    for (size_t i = 0; i < cells; i++)
        classes[i] = p->bought[i] ? d->outcomes[i].answer_class : 0;
    for (size_t q = 0; q < d->query_count; q++)
        choices[q] = d->queries[q].choice_count;
    for (size_t e = 0; e < d->expert_count; e++)
        names[e] = d->experts[e].name;
    consensus_families(names, d->expert_count, families);
    *ret = (struct consensus_input){.classes = classes,
                                    .choices = choices,
                                    .families = families,
                                    .questions = d->query_count,
                                    .experts = d->expert_count};
    return OK;
}

/* An unreadable answer is a wrong one, as it is where there is a reference. */
static void label_row(struct purchase *p, const struct consensus_input *in,
                      const struct consensus *c, size_t q)
{
    size_t votes = 0, width = in->experts;
    for (size_t e = 0; e < width; e++)
        votes += in->classes[q * width + e] != 0;
    for (size_t e = 0; e < width; e++) {
        size_t at = q * width + e;
        bool scored = p->bought[at] && votes >= PLAY_VOTES_MIN;
        p->labels[at] = scored ? c->right[at] : -1;
    }
}

enum status purchase_vote(struct purchase *p, struct error *err)
{
    struct consensus_input in;
    struct consensus c;
    struct arena *a = arena_create(ARENA_CAP);
    enum status status = a ? votes_of(p, a, &in, err) : no_memory(err);
    if (status == OK)
        status = consensus_run(&in, a, &c, err);
    for (size_t q = 0; q < p->fold->train->query_count && status == OK; q++)
        label_row(p, &in, &c, q);
    arena_free(a);
    return status;
}
