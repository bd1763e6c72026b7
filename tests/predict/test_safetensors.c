/* The safetensors layout: a round trip, and every way a header can lie. */
#include "predict/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/buf.h"

static const uint64_t words[2] = {UINT64_C(0x1122334455667788), 7};
static const float numbers[6] = {1, 2, 3, 4, 5, 6};
static const uint8_t octets[3] = {9, 8, 7};

static const struct safetensors_item items[] = {
    {"words", "U64", 1, {2}, words},
    {"numbers", "F32", 2, {2, 3}, numbers},
    {"nothing", "F32", 2, {0, 3}, numbers},
    {"octets", "U8", 3, {1, 3, 1}, octets},
};
#define ITEMS (sizeof(items) / sizeof(items[0]))

/* malloc: aligned as the contract wants, and any read past the end is seen. */
static void *copy(struct str s)
{
    void *p = malloc(s.len ? s.len : 1);
    cr_assert_not_null(p);
    memcpy(p, s.ptr, s.len);
    return p;
}

static void write_all(struct buf *b)
{
    buf_init(b, 1 << 20);
    cr_assert_eq(safetensors_header(items, ITEMS, STR("{\"a\":\"b\"}"), b, NULL), OK);
    for (size_t i = 0; i < ITEMS; i++)
        buf_add(b, (struct str){items[i].bytes, safetensors_bytes(&items[i])});
    cr_assert_eq(buf_status(b, NULL), OK);
}

Test(safetensors, round_trip)
{
    struct safetensors s;
    struct buf b;
    const void *p;
    size_t dim;
    write_all(&b);
    void *bytes = copy(buf_str(&b));
    cr_assert_eq(safetensors_open(bytes, b.len, "x", &s, NULL), OK);
    cr_assert_eq((8 + s.header.len) % 64, 0);
    cr_assert(str_equal(json_get(s.metadata, "a").raw, STR("\"b\"")));
    for (size_t i = 0; i < ITEMS; i++) {
        const struct safetensors_item *item = &items[i];
        cr_assert_eq(
            safetensors_get(&s, item->name, item->dtype, item->shape, item->rank, &p, NULL), OK);
        cr_assert_eq(memcmp(p, item->bytes, safetensors_bytes(item)), 0);
        for (size_t axis = 0; axis < item->rank; axis++) {
            cr_assert_eq(safetensors_dim(&s, item->name, item->rank, axis, &dim, NULL), OK);
            cr_assert_eq(dim, item->shape[axis]);
        }
    }
    free(bytes);
    buf_done(&b);
}

/* The layout as https://github.com/huggingface/safetensors describes it, read with nothing of ours. */
Test(safetensors, the_bytes_are_those_of_the_format)
{
    struct buf b;
    write_all(&b);
    const unsigned char *p = (const unsigned char *)b.ptr;
    size_t length = p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16;
    cr_assert_eq(b.len, 8 + length + 16 + 24 + 3);
    cr_assert_eq(b.ptr[8], '{');
    const char wanted[] =
        "{\"__metadata__\":{\"a\":\"b\"},"
        "\"words\":{\"dtype\":\"U64\",\"shape\":[2],\"data_offsets\":[0,16]},"
        "\"numbers\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[16,40]},"
        "\"nothing\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[40,40]},"
        "\"octets\":{\"dtype\":\"U8\",\"shape\":[1,3,1],\"data_offsets\":[40,43]}}";
    cr_assert_eq(memcmp(b.ptr + 8, wanted, sizeof(wanted) - 1), 0);
    for (size_t i = 8 + sizeof(wanted) - 1; i < 8 + length; i++)
        cr_assert_eq(b.ptr[i], ' ');
    cr_assert_eq((unsigned char)b.ptr[8 + length], 0x88); /* little endian */
    buf_done(&b);
}

static size_t frame(const char *header, size_t data, char *out)
{
    size_t len = strlen(header);
    memset(out, 0, 8 + len + data);
    out[0] = (char)(len & 0xff);
    out[1] = (char)(len >> 8);
    memcpy(out + 8, header, len);
    return 8 + len + data;
}

static enum status open_framed(const char *header, size_t data, void **bytes, struct safetensors *s,
                               struct error *err)
{
    char out[1024];
    size_t len = frame(header, data, out);
    *bytes = copy((struct str){out, len});
    return safetensors_open(*bytes, len, "m.leeroo", s, err);
}

static void expect_no_file(struct str bytes, const char *words_of_error)
{
    struct safetensors s;
    struct error err = {0};
    void *p = copy(bytes);
    cr_assert_eq(safetensors_open(p, bytes.len, "m.leeroo", &s, &err), ERR_CORRUPT);
    cr_assert(strstr(err.text, "m.leeroo: ") == err.text, "%s", err.text);
    cr_assert_not_null(strstr(err.text, words_of_error), "%s", err.text);
    free(p);
}

Test(safetensors, foreign_and_cut_files)
{
    expect_no_file(STR(""), "0 bytes");
    expect_no_file(STR("1234567"), "7 bytes");
    expect_no_file(STR("{\"text\": \"a JSON file\"}"), "not a safetensors file");
    expect_no_file(STR("\x08\0\0\0\0\0\0\0{\"a\":1"), "truncated");
    expect_no_file(STR("\0\0\0\0\0\0\0\0"), "not a safetensors file");
    expect_no_file(STR("\xff\xff\xff\xff\xff\xff\xff\xff{}"), "not a safetensors file");
    expect_no_file(STR("\x02\0\0\0\0\0\0\0[]"), "no object");
    expect_no_file(STR("\x03\0\0\0\0\0\0\0{x}"), "not a safetensors file (");
    expect_no_file(STR("\x04\0\0\0\0\0\0\0{} x"), "not a safetensors file (");
    struct buf b;
    write_all(&b);
    for (size_t len = 0; len < 8 + 64; len++) {
        struct safetensors s;
        void *p = copy(str_slice(buf_str(&b), 0, len));
        cr_assert_eq(safetensors_open(p, len, "cut", &s, NULL), ERR_CORRUPT);
        free(p);
    }
    buf_done(&b);
}

#define T(fields) "{\"t\":{" fields "}}"
#define DTYPE     "\"dtype\":\"F32\","
#define SHAPE     "\"shape\":[2,2],"
#define OFFSETS   "\"data_offsets\":[0,16]"

/* A header that names t; 24 bytes of data behind it. All but the first are refused as F32 [2 × 2]. */
static const struct {
    const char *header, *words;
} lies[] = {
    {T(DTYPE SHAPE OFFSETS), NULL},
    {"{}", "no tensor 't'"},
    {"{\"t\":1}", "no tensor 't'"},
    {T(SHAPE OFFSETS), "not described well"},
    {T(DTYPE OFFSETS), "not described well"},
    {T("\"dtype\":\"F32\",\"shape\":[2,2]"), "not described well"},
    {T("\"dtype\":7," SHAPE OFFSETS), "not described well"},
    {T(DTYPE "\"shape\":{\"a\":2}," OFFSETS), "not described well"},
    {T(DTYPE "\"shape\":[2,-2]," OFFSETS), "not described well"},
    {T(DTYPE "\"shape\":[2,2.5]," OFFSETS), "not described well"},
    {T(DTYPE "\"shape\":[2,\"2\"]," OFFSETS), "not described well"},
    {T(DTYPE "\"shape\":[1,1,1,4]," OFFSETS), "not described well"},
    {T(DTYPE "\"shape\":[99999999999999999999,2]," OFFSETS), "not described well"},
    {T(DTYPE SHAPE "\"data_offsets\":[0]"), "not described well"},
    {T(DTYPE SHAPE "\"data_offsets\":[0,8,16]"), "not described well"},
    {T(DTYPE SHAPE "\"data_offsets\":[-16,0]"), "not described well"},
    {T("\"dtype\":\"F64\"," SHAPE OFFSETS), "another type or shape"},
    {T("\"dtype\":\"F3\"," SHAPE OFFSETS), "another type or shape"},
    {T(DTYPE "\"shape\":[4]," OFFSETS), "another type or shape"},
    {T(DTYPE "\"shape\":[]," OFFSETS), "another type or shape"},
    {T(DTYPE "\"shape\":[2,3]," OFFSETS), "another type or shape"},
    {T(DTYPE SHAPE "\"data_offsets\":[16,0]"), "outside the file"},
    {T(DTYPE SHAPE "\"data_offsets\":[0,12]"), "outside the file"},
    {T(DTYPE SHAPE "\"data_offsets\":[0,20]"), "outside the file"},
    {T(DTYPE SHAPE "\"data_offsets\":[12,28]"), "outside the file"},
    {T(DTYPE SHAPE "\"data_offsets\":[9223372036854775792,9223372036854775807]"),
     "outside the file"},
};

Test(safetensors, every_lie_is_refused)
{
    const size_t shape[2] = {2, 2};
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct safetensors s;
        struct error err = {0};
        const void *p = NULL;
        void *bytes;
        char header[512]; /* padded with blanks, as writers do, so that the data are aligned */
        snprintf(header, sizeof(header), "%-120s", lies[i].header);
        cr_assert_eq(open_framed(header, 24, &bytes, &s, &err), OK, "%s", lies[i].header);
        enum status status = safetensors_get(&s, "t", "F32", shape, 2, &p, &err);
        cr_assert_eq(status, lies[i].words ? ERR_CORRUPT : OK, "%s", lies[i].header);
        cr_assert_eq(p == NULL, lies[i].words != NULL);
        if (lies[i].words)
            cr_assert_not_null(strstr(err.text, lies[i].words), "%s: %s", lies[i].header, err.text);
        free(bytes);
    }
}

Test(safetensors, an_odd_place_is_refused)
{
    const size_t shape[2] = {2, 2};
    struct safetensors s;
    struct error err = {0};
    const void *p;
    void *bytes;
    char header[512];
    snprintf(header, sizeof(header), "%-120s", T(DTYPE SHAPE "\"data_offsets\":[2,18]"));
    cr_assert_eq(open_framed(header, 24, &bytes, &s, NULL), OK);
    cr_assert_eq(safetensors_get(&s, "t", "F32", shape, 2, &p, &err), ERR_CORRUPT);
    cr_assert_not_null(strstr(err.text, "not aligned"));
    free(bytes);
    snprintf(header, sizeof(header), "%-121s", T(DTYPE SHAPE OFFSETS));
    cr_assert_eq(open_framed(header, 24, &bytes, &s, NULL), OK);
    cr_assert_eq(safetensors_get(&s, "t", "F32", shape, 2, &p, &err), ERR_CORRUPT);
    free(bytes);
}

Test(safetensors, products_that_overflow_are_refused)
{
    const size_t shape[3] = {(size_t)1 << 31, (size_t)1 << 31, 4};
    struct safetensors s;
    const void *p;
    void *bytes;
    size_t dim = 5;
    cr_assert_eq(open_framed(T(DTYPE "\"shape\":[2147483648,2147483648,4],\"data_offsets\":[0,0]"),
                             0, &bytes, &s, NULL),
                 OK);
    cr_assert_eq(safetensors_get(&s, "t", "F32", shape, 3, &p, NULL), ERR_CORRUPT);
    cr_assert_eq(safetensors_dim(&s, "t", 2, 0, &dim, NULL), ERR_CORRUPT);
    cr_assert_eq(safetensors_dim(&s, "u", 2, 0, &dim, NULL), ERR_CORRUPT);
    cr_assert_eq(dim, 5);
    free(bytes);
}

Test(safetensors, without_metadata)
{
    struct safetensors s;
    void *bytes;
    cr_assert_eq(open_framed("{}", 0, &bytes, &s, NULL), OK);
    cr_assert_eq(s.metadata.type, JSON_NONE);
    cr_assert_eq(json_get(s.metadata, "format").type, JSON_NONE);
    free(bytes);
}
