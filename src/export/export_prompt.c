/* The words in which a model that routes is asked. It says lambda, so that rows made with several can be joined. One
 * message of a user: some chat templates know no system message. */
#include "export/export_int.h"

#include "base/json.h"

static void add_expert(const struct dataset_expert *e, enum price_basis basis, struct buf *b)
{
    buf_addf(b, "- %.*s: ", STR_FMT(e->name));
    if (basis == PRICE_UNKNOWN) {
        buf_add_c(b, "price not known\n");
        return;
    }
    money_format_usd_short(b, e->price.input_nano_usd_per_m);
    buf_add_c(b, " in, ");
    money_format_usd_short(b, e->price.output_nano_usd_per_m);
    buf_add_c(b, " out\n");
}

void export_preamble_write(const struct exporting *x, struct buf *out)
{
    const struct dataset *d = x->d;
    struct buf b;
    if (x->o->subject == EXPORT_ANSWERS)
        return;
    buf_init(&b, EXPORT_ROW_BYTES_MAX);
    buf_add_c(&b,
              "Which expert should answer the question? Reply with its name alone.\n"
              "The best one has the highest quality - lambda * cost, where quality is from 0 to "
              "1, cost is in USD, and lambda is ");
    json_write_double(&b, x->lambda);
    buf_add_c(&b, ".\n\nExperts, with USD per million tokens of input and of output:\n");
    for (size_t e = 0; e < d->expert_count; e++)
        add_expert(&d->experts[e], dataset_price_basis(d, e), &b);
    buf_add_c(&b, "\nQuestion:\n");
    json_write_inside(out, buf_str(&b));
    buf_done(&b);
}
