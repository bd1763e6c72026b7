/* What a person or a script says to an offer: which of it to take, and what something costs. Pure. */
#include <stdlib.h>
#include <string.h>

#include "discover/offer.h"

static bool is_between(char c)
{
    return c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct str next_word(struct str *rest)
{
    size_t from = 0, to;
    while (from < rest->len && is_between(rest->ptr[from]))
        from++;
    for (to = from; to < rest->len && !is_between(rest->ptr[to]); to++)
        ;
    struct str word = str_slice(*rest, from, to);
    *rest = str_slice(*rest, to, rest->len);
    return word;
}

/* "3" or "2-5" */
static bool read_places(struct str word, size_t count, uint64_t *ret_from, uint64_t *ret_to)
{
    struct str rest = word, first = str_split(&rest, '-');
    uint64_t from = 0, to = 0;
    if (str_to_uint64(first, &from) != OK)
        return false;
    to = from;
    if (first.len < word.len && str_to_uint64(rest, &to) != OK)
        return false;
    if (from < 1 || from > to || to > count)
        return false;
    *ret_from = from;
    *ret_to = to;
    return true;
}

static enum status choose(const struct offer_list *offers, struct str words, bool numbers,
                          bool *chosen, struct error *err)
{
    size_t count = 0;
    for (struct str word = next_word(&words); word.len > 0; word = next_word(&words)) {
        uint64_t from = 0, to = 0;
        const struct offer *o = offer_find(offers, word);
        if (o)
            from = to = (uint64_t)(o - offers->items) + 1;
        else if (!numbers || !read_places(word, offers->count, &from, &to))
            return error_set(err, ERR_INPUT, "there is no '%.*s' among what was found",
                             (int)(word.len < 80 ? word.len : 80), word.ptr);
        for (uint64_t i = from; i <= to; i++, count++)
            chosen[i - 1] = true;
    }
    return count > 0 ? OK : error_set(err, ERR_INPUT, "none was named");
}

enum status offers_choose(struct offer_list *offers, struct str words, bool numbers,
                          struct error *err)
{
    bool *chosen = calloc(offers->count + 1, sizeof(*chosen));
    if (!chosen)
        return error_set(err, ERR_MEMORY, "out of memory for a choice");
    enum status status = choose(offers, words, numbers, chosen, err);
    for (size_t i = 0; status == OK && i < offers->count; i++)
        offers->items[i].marked = chosen[i];
    free(chosen);
    return status;
}

static enum status set_price(struct offer_list *offers, struct str word, struct error *err)
{
    const char *equals = memrchr(word.ptr, '=', word.len);
    struct str name = str_slice(word, 0, equals ? (size_t)(equals - word.ptr) : 0);
    struct str output = str_slice(word, name.len + 1, word.len);
    struct str input = str_split(&output, '/');
    struct price price = {0};
    if (!equals || money_parse_usd(input, &price.input_nano_usd_per_m) != OK ||
        money_parse_usd(output, &price.output_nano_usd_per_m) != OK)
        return error_set(err, ERR_INPUT,
                         "'%.*s' is no price; right is NAME=INPUT/OUTPUT, like gpt-4o=2.5/10",
                         (int)(word.len < 80 ? word.len : 80), word.ptr);
    struct offer *o = offer_find(offers, name);
    if (!o)
        return error_set(err, ERR_INPUT, "there is no '%.*s' among what was found", STR_FMT(name));
    o->price = price;
    o->price_from = OFFER_PRICE_GIVEN;
    return OK;
}

enum status offers_set_prices(struct offer_list *offers, struct str prices, struct error *err)
{
    enum status status = OK;
    for (struct str word = next_word(&prices); status == OK && word.len > 0;
         word = next_word(&prices))
        status = set_price(offers, word, err);
    return status;
}

enum status offers_check_marks(const struct offer_list *offers, struct error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < offers->count; i++) {
        const struct offer *o = &offers->items[i];
        if (o->marked && o->price_from == OFFER_UNPRICED)
            return error_set(err, ERR_INPUT,
                             "no price is known for '%.*s'; say what it costs: --price "
                             "%.*s=INPUT/OUTPUT, in USD per million tokens",
                             STR_FMT(o->name), STR_FMT(o->name));
        count += o->marked;
    }
    if (count > OFFER_EXPERTS_MAX)
        return error_set(err, ERR_INPUT,
                         "%zu experts; a configuration takes at most %d: name fewer", count,
                         OFFER_EXPERTS_MAX);
    return count > 0 ? OK
                     : error_set(err, ERR_INPUT,
                                 "nothing of what was found is taken by itself; name it with "
                                 "--experts NAME,...");
}
