/* The prompt of rows that teach routing is that of an orchestrator (opinion/opinion_prompt.h), so that a model which
 * learns these rows can be one. It says lambda, so that rows made with several can be joined. */
#include "export/export_int.h"

#include "base/json.h"
#include "opinion/opinion_prompt.h"

enum status export_preamble_write(const struct exporting *x, struct buf *out, struct error *err)
{
    const struct dataset *d = x->d;
    struct opinion_expert experts[DATASET_EXPERTS_MAX];
    struct buf b;
    if (x->o->subject == EXPORT_ANSWERS)
        return OK;
    for (size_t e = 0; e < d->expert_count; e++)
        experts[e] = (struct opinion_expert){.name = d->experts[e].name,
                                             .priced = dataset_price_basis(d, e) != PRICE_UNKNOWN,
                                             .price = d->experts[e].price,
                                             .accuracy = dataset_mean_score(d, e)};
    buf_init(&b, OPINION_HEAD_BYTES_MAX);
    enum status status = opinion_head_write(experts, d->expert_count, x->lambda, &b, err);
    if (status == OK)
        json_write_inside(out, buf_str(&b));
    buf_done(&b);
    return status == OK ? buf_status(out, err) : status;
}

void export_tail_write(const struct exporting *x, struct buf *out)
{
    if (x->o->subject == EXPORT_ROUTING)
        json_write_inside(out, opinion_tail);
}

struct str export_label(const struct exporting *x, uint32_t expert, char *room)
{
    *room = opinion_label(x->d->expert_count, expert);
    return (struct str){room, 1};
}
