/* What an encoder is opened by, from a model file and a command line, and what an endpoint answers. What is read is
 * written and reads back the same; rows that are said to be there are numbers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "reader/embeddings_reply.h"
#include "reader/encoder_spec.h"

#define WIDTH_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_back(const struct encoder_spec *s)
{
    struct encoder_spec again;
    struct buf first, second;
    struct arena *a = arena_create(1u << 20);
    buf_init(&first, 1u << 20);
    buf_init(&second, 1u << 20);
    encoder_spec_write(s, &first);
    if (first.len <= ENCODER_SPEC_BYTES_MAX) {
        CHECK(encoder_spec_read(buf_str(&first), a, &again, NULL) == OK);
        encoder_spec_write(&again, &second);
        CHECK(str_equal(buf_str(&first), buf_str(&second)));
    }
    buf_done(&first);
    buf_done(&second);
    arena_free(a);
}

static void check_spec(struct str text)
{
    struct error err;
    struct encoder_spec s;
    struct arena *a = arena_create(1u << 20);
    if (encoder_spec_parse(text, a, &s, &err) == OK)
        read_back(&s);
    if (encoder_spec_read(text, a, &s, &err) == OK)
        read_back(&s);
    arena_free(a);
}

static void check_reply(struct str text)
{
    static float rows[8 * WIDTH_MAX];
    for (size_t count = 1; count <= 8; count *= 2)
        for (size_t known = 0; known <= 3; known += 3) {
            size_t width = known;
            struct error err;
            if (embeddings_reply_rows(text, count, WIDTH_MAX, &width, rows, &err) != OK) {
                CHECK(width == known);
                continue;
            }
            CHECK(width > 0 && width <= WIDTH_MAX && (!known || width == known));
            for (size_t i = 0; i < count * width; i++)
                CHECK(isfinite(rows[i]));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_spec((struct str){(const char *)data, size});
    check_reply((struct str){(const char *)data, size});
    return 0;
}
