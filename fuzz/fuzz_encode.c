/* Any bytes become features: distinct buckets, norm 1 or 0, finite statistics; a blank at the end changes no
 * bucket. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "encode/ngram_encoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct ngram_text *f)
{
    static unsigned char seen[NGRAM_BUCKETS];
    double norm = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        CHECK(f->buckets[i] < NGRAM_BUCKETS);
        CHECK(!seen[f->buckets[i]]);
        seen[f->buckets[i]] = 1;
        CHECK(f->values[i] > 0);
        norm += (double)f->values[i] * (double)f->values[i];
    }
    for (uint32_t i = 0; i < f->count; i++)
        seen[f->buckets[i]] = 0;
    CHECK(f->count ? fabs(norm - 1) < 1e-3 : norm == 0);
    for (unsigned i = 0; i < NGRAM_STATS; i++)
        CHECK(isfinite(f->stats[i]));
    CHECK(f->count <= NGRAM_GRAMS_MAX);
}

/* "\nB.": with a blank behind it, it is an option that is empty. */
static bool ends_in_mark(const uint8_t *data, size_t size)
{
    return size >= 3 && data[size - 3] == '\n' && data[size - 1] == '.';
}

/* A blank at the end changes nothing. */
static void check_blank(const uint8_t *data, size_t size, const struct ngram_text *f,
                        struct ngram_text *g)
{
    char *longer = malloc(size + 1);
    if (!longer)
        return;
    memcpy(longer, data, size);
    longer[size] = ' ';
    CHECK(ngram_text_encode(g, (struct str){longer, size + 1}, NULL) == OK);
    CHECK(g->count == f->count);
    CHECK(memcmp(g->buckets, f->buckets, f->count * sizeof(*f->buckets)) == 0);
    CHECK(memcmp(g->values, f->values, f->count * sizeof(*f->values)) == 0);
    free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ngram_text f, g;
    if (ngram_text_init(&f, NULL) != OK)
        return 0;
    if (ngram_text_init(&g, NULL) == OK) {
        CHECK(ngram_text_encode(&f, (struct str){(const char *)data, size}, NULL) == OK);
        check(&f);
        if (size && size < NGRAM_TEXT_BYTES_MAX && !ends_in_mark(data, size))
            check_blank(data, size, &f, &g);
        ngram_text_done(&g);
    }
    ngram_text_done(&f);
    return 0;
}
