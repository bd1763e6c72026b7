/* Pure functions; any thread. */
#include "gaps/telling.h"

#include <math.h>

#define WITH_LEAST 3.0 /* texts of the first set that have the word */

/* The difference of the log odds over its standard error. */
static double word_z(const struct telling_set *in, const struct telling_set *out, size_t word)
{
    double strength = fmax(fmin(in->texts, out->texts), 1);
    double share = (in->with[word] + out->with[word]) / (in->texts + out->texts);
    double y = in->with[word] + strength * share, x = out->with[word] + strength * share;
    double no_y = in->texts - in->with[word] + strength * (1 - share);
    double no_x = out->texts - out->with[word] + strength * (1 - share);
    if (!(no_y > 0) || !(no_x > 0)) /* every text has it */
        return 0;
    return (log(y / no_y) - log(x / no_x)) / sqrt(1 / y + 1 / x + 1 / no_y + 1 / no_x);
}

size_t telling_words(const struct telling_set *in, const struct telling_set *out, size_t words,
                     double z_least, struct telling_word *into, size_t wanted)
{
    size_t count = 0;
    for (size_t w = 0; w < words; w++) {
        if (in->with[w] < WITH_LEAST)
            continue;
        double z = word_z(in, out, w);
        if (!(z >= z_least) || (count == wanted && z <= into[count - 1].z))
            continue;
        size_t at = count < wanted ? count++ : count - 1;
        for (; at > 0 && into[at - 1].z < z; at--)
            into[at] = into[at - 1];
        into[at] = (struct telling_word){(uint32_t)w, z};
    }
    return count;
}
