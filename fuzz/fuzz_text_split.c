/* What a model writes, cut at any places: the text and the calls told are those of the whole, and hold no stop
 * string. */
#include <stdint.h>

#include "base/check.h"
#include "infer/text_split.h"

#define TEXT_BYTES_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_text(void *user, struct str text)
{
    buf_add(&((struct buf *)user)[0], text);
}

static void on_call(void *user, struct str call)
{
    buf_add(&((struct buf *)user)[1], call);
    buf_add_char(&((struct buf *)user)[1], '\n');
}

/* told[2]: texts, calls. */
static bool split(struct str all, size_t piece, struct buf *told)
{
    struct text_split t = {.stops = {STR("stop"), STR("\n\n")},
                           .stop_count = 2,
                           .calls = true,
                           .user = told,
                           .on_text = on_text,
                           .on_call = on_call};
    bool stopped = false;
    buf_init(&told[0], TEXT_BYTES_MAX);
    buf_init(&told[1], TEXT_BYTES_MAX);
    text_split_init(&t);
    for (size_t at = 0; at < all.len && !stopped; at += piece)
        stopped = text_split_add(&t, str_slice(all, at, at + piece));
    text_split_end(&t);
    CHECK(stopped || t.passed == all.len);
    text_split_done(&t);
    return stopped;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole[2], pieces[2];
    if (size < 1)
        return 0;
    struct str all = {(const char *)data + 1, size - 1};
    bool stopped = split(all, size, whole);
    CHECK(stopped == split(all, 1 + data[0] % 16, pieces));
    for (int i = 0; i < 2; i++) {
        CHECK(str_equal(buf_str(&whole[i]), buf_str(&pieces[i])));
        buf_done(&whole[i]);
        buf_done(&pieces[i]);
    }
    return 0;
}
