/* The words: see opinion_prompt.h. Changing one changes what every orchestrator says, and its fingerprint with it. */
#include "opinion/opinion_prompt.h"

#include <math.h>

#include "base/json.h"

const struct str opinion_tail =
    STR_INIT("\n\nReply with the letter of the best expert alone.\nAnswer:");
const struct str opinion_choices_head = STR_INIT("Answer the question.\n\nQuestion:\n");
const struct str opinion_choices_tail =
    STR_INIT("\n\nReply with the letter of the right choice alone.\nAnswer:");

static void add_aim(double lambda, struct buf *b)
{
    buf_add_c(b, "Which expert should answer the question? ");
    if (lambda > 0) {
        buf_add_c(b, "The best has the highest quality - lambda * cost, where quality is from 0 to "
                     "1, cost is in USD, and lambda is ");
        json_write_double(b, lambda);
        buf_add_c(b, ".\n");
    } else {
        buf_add_c(b, "The best is the cheapest of those that answer it right.\n");
    }
}

static void add_expert(const struct opinion_expert *e, char label, struct buf *b)
{
    buf_addf(b, "%c: %.*s, ", label, STR_FMT(e->name));
    if (e->priced) {
        money_format_usd_short(b, e->price.input_nano_usd_per_m);
        buf_add_c(b, " in, ");
        money_format_usd_short(b, e->price.output_nano_usd_per_m);
        buf_add_c(b, " out");
    } else {
        buf_add_c(b, "price not known");
    }
    if (e->accuracy == e->accuracy)
        buf_addf(b, ", right on %d %%", (int)lround(100 * e->accuracy));
    buf_add_char(b, '\n');
}

enum status opinion_head_write(const struct opinion_expert *experts, size_t count, double lambda,
                               struct buf *out, struct error *err)
{
    struct buf b;
    if (count == 0 || count > OPINION_EXPERTS_MAX)
        return error_set(err, ERR_INPUT,
                         "a language model is asked about 1 to %d experts, a letter each, not "
                         "about %zu; choose some by --experts",
                         OPINION_EXPERTS_MAX, count);
    buf_init(&b, OPINION_HEAD_BYTES_MAX);
    add_aim(lambda, &b);
    buf_add_c(&b, "\nExperts, with USD per million tokens of input and of output, and how often "
                  "each was right:\n");
    for (size_t e = 0; e < count; e++)
        add_expert(&experts[e], opinion_label(count, e), &b);
    buf_add_c(&b, "\nQuestion:\n");
    enum status status = buf_status(&b, err);
    if (status == OK)
        buf_add(out, buf_str(&b));
    buf_done(&b);
    return status == OK ? buf_status(out, err) : status;
}
