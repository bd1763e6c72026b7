/* The prompt of rows that teach routing is that of an orchestrator (opinion/opinion_prompt.h), so that a model which
 * learns these rows can be one. It says lambda, so that rows made with several can be joined. */
#include "export/export_int.h"

#include "base/json.h"
#include "opinion/opinion_prompt.h"

enum status export_head_write(const struct dataset *d, const size_t *experts, size_t count,
                              double lambda, struct buf *out, struct error *err)
{
    struct opinion_expert told[DATASET_EXPERTS_MAX];
    for (size_t i = 0; i < count; i++) {
        size_t e = experts ? experts[i] : i;
        told[i] = (struct opinion_expert){.name = d->experts[e].name,
                                          .priced = dataset_price_basis(d, e) != PRICE_UNKNOWN,
                                          .price = d->experts[e].price,
                                          .accuracy = dataset_mean_score(d, e)};
    }
    return opinion_head_write(told, count, lambda, out, err);
}

enum status export_preamble_write(const struct exporting *x, struct buf *out, struct error *err)
{
    struct buf b;
    if (x->o->subject == EXPORT_ANSWERS)
        return OK;
    buf_init(&b, OPINION_HEAD_BYTES_MAX);
    enum status status = export_head_write(x->d, NULL, x->d->expert_count, x->lambda, &b, err);
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
