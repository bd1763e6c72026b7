/* Any bytes become features: distinct buckets, norm 1 or 0, finite statistics; a blank at the end changes no
 * bucket. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "encode/encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct encoder encoder = {ENCODER_NGRAM};

static void check(const struct features *f, size_t size)
{
    static unsigned char seen[ENCODE_BUCKETS];
    double norm = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        CHECK(f->buckets[i] < ENCODE_BUCKETS);
        CHECK(!seen[f->buckets[i]]);
        seen[f->buckets[i]] = 1;
        CHECK(f->values[i] > 0);
        norm += (double)f->values[i] * (double)f->values[i];
    }
    for (uint32_t i = 0; i < f->count; i++)
        seen[f->buckets[i]] = 0;
    CHECK(f->count ? fabs(norm - 1) < 1e-3 : norm == 0);
    for (unsigned i = 0; i < ENCODE_STATS; i++)
        CHECK(isfinite(f->stats[i]));
    CHECK(f->count <= ENCODE_GRAMS_MAX);
    CHECK(f->characters <= size);
}

static void check_blank(const uint8_t *data, size_t size, const struct features *f,
                        struct features *g)
{
    char *longer = malloc(size + 1);
    if (!longer)
        return;
    memcpy(longer, data, size);
    longer[size] = ' ';
    CHECK(encode_text(&encoder, (struct str){longer, size + 1}, g, NULL) == OK);
    CHECK(g->count == f->count);
    CHECK(memcmp(g->buckets, f->buckets, f->count * sizeof(*f->buckets)) == 0);
    CHECK(memcmp(g->values, f->values, f->count * sizeof(*f->values)) == 0);
    free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct features f, g;
    if (features_init(&f, NULL) != OK)
        return 0;
    if (features_init(&g, NULL) == OK) {
        CHECK(encode_text(&encoder, (struct str){(const char *)data, size}, &f, NULL) == OK);
        check(&f, size);
        if (size && size < ENCODE_TEXT_BYTES_MAX)
            check_blank(data, size, &f, &g);
        features_done(&g);
    }
    features_done(&f);
    return 0;
}
