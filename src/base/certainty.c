/* Certainty of an answer: see certainty.h. */
#include "base/certainty.h"

bool certainty_read(struct json_value list, struct certainty *ret)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value item;
    float numbers[3] = {0};
    size_t count = 0;
    if (list.type != JSON_ARRAY)
        return false;
    while (json_array_next(&it, &item)) {
        double number;
        if (count == 3 || json_to_double(item, &number) != OK || !(number >= 0) ||
            number > (double)CERTAINTY_MARGIN_MAX)
            return false;
        numbers[count++] = (float)number;
    }
    if (count < 3 || numbers[0] < numbers[1] || numbers[2] < numbers[1])
        return false;
    *ret = (struct certainty){true, numbers[0], numbers[1], numbers[2]};
    return true;
}

void certainty_write(const struct certainty *c, struct buf *out)
{
    if (c->known)
        buf_addf(out, "[%.9g,%.9g,%.9g]", (double)c->mean, (double)c->least, (double)c->last);
    else
        buf_add_c(out, "null");
}

void certainty_features(const struct certainty *c, float *features)
{
    features[0] = c->known;
    features[1] = c->known ? c->mean : 0;
    features[2] = c->known ? c->least : 0;
    features[3] = c->known ? c->last : 0;
}
