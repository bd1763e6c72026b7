/* The safetensors layout read and written: see safetensors.h. Tensors lie one behind the other without gaps, as the
 * format wants, so writers put wide types first. The reader gives pointers into the file only for spans that lie
 * inside it, are aligned and have the shape that was asked for; what the numbers say is for its callers to check.
 * Functions of their arguments; any thread. */
#include "predict/safetensors.h"

#include <string.h>

#include "base/check.h"

#define ALIGNMENT 64u

static size_t dtype_bytes(struct str dtype)
{
    static const struct {
        const char *name;
        size_t bytes;
    } known[] = {{"F32", 4}, {"U16", 2}, {"U64", 8}, {"U8", 1}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (str_equal(dtype, str_from(known[i].name)))
            return known[i].bytes;
    return 0;
}

static uint64_t load_length(const unsigned char *p)
{
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

enum status safetensors_open(const void *bytes, size_t len, const char *place,
                             struct safetensors *ret, struct error *err)
{
    struct safetensors s;
    if (len < 8)
        return error_set(err, ERR_CORRUPT, "%s: not a model file (%zu bytes)", place, len);
    uint64_t header = load_length(bytes);
    if (header > SAFETENSORS_HEADER_MAX || header < 2)
        return error_set(err, ERR_CORRUPT, "%s: not a safetensors file", place);
    if (header > len - 8)
        return error_set(err, ERR_CORRUPT, "%s: truncated: the header ends after the file", place);
    s.header = (struct str){(const char *)bytes + 8, (size_t)header};
    s.data = (struct str){s.header.ptr + s.header.len, len - 8 - (size_t)header};
    struct error inner;
    if (json_parse(s.header, "header", 1, &s.root, &inner) != OK)
        return error_set(err, ERR_CORRUPT, "%s: not a safetensors file (%s)", place, inner.text);
    if (s.root.type != JSON_OBJECT)
        return error_set(err, ERR_CORRUPT, "%s: not a safetensors file (header is no object)",
                         place);
    s.metadata = json_get(s.root, "__metadata__");
    *ret = s;
    return OK;
}

static bool read_sizes(struct json_value array, size_t *into, size_t max, size_t *count)
{
    struct json_iter it = json_iter_begin(array);
    struct json_value item;
    *count = 0;
    while (json_array_next(&it, &item)) {
        int64_t value;
        if (*count == max || json_to_int64(item, &value) != OK || value < 0)
            return false;
        into[(*count)++] = (size_t)value;
    }
    return array.type == JSON_ARRAY;
}

struct entry {
    struct str dtype;
    size_t shape[SAFETENSORS_RANK_MAX], rank, offsets[2];
};

static enum status find(const struct safetensors *s, const char *name, struct entry *e,
                        struct error *err)
{
    struct json_value tensor = json_get(s->root, name);
    if (tensor.type != JSON_OBJECT)
        return error_set(err, ERR_CORRUPT, "no tensor '%s'", name);
    struct json_value dtype = json_get(tensor, "dtype");
    size_t two;
    if (dtype.type != JSON_STRING ||
        !read_sizes(json_get(tensor, "shape"), e->shape, SAFETENSORS_RANK_MAX, &e->rank) ||
        !read_sizes(json_get(tensor, "data_offsets"), e->offsets, 2, &two) || two != 2)
        return error_set(err, ERR_CORRUPT, "tensor '%s' is not described well", name);
    e->dtype = str_slice(dtype.raw, 1, dtype.raw.len - 1);
    return OK;
}

static bool multiply(const size_t *shape, size_t rank, size_t unit, size_t *ret)
{
    size_t total = unit;
    for (size_t i = 0; i < rank; i++)
        if (__builtin_mul_overflow(total, shape[i], &total))
            return false;
    *ret = total;
    return true;
}

enum status safetensors_get(const struct safetensors *s, const char *name, const char *dtype,
                            const size_t *shape, size_t rank, const void **ret, struct error *err)
{
    struct entry e;
    size_t unit = dtype_bytes(str_from(dtype)), bytes;
    CHECK(unit > 0);
    enum status status = find(s, name, &e, err);
    if (status != OK)
        return status;
    if (!str_equal(e.dtype, str_from(dtype)) || e.rank != rank ||
        memcmp(e.shape, shape, rank * sizeof(*shape)) != 0 || !multiply(shape, rank, unit, &bytes))
        return error_set(err, ERR_CORRUPT, "tensor '%s' has another type or shape than expected",
                         name);
    if (e.offsets[0] > e.offsets[1] || e.offsets[1] > s->data.len ||
        e.offsets[1] - e.offsets[0] != bytes)
        return error_set(err, ERR_CORRUPT, "tensor '%s' lies outside the file", name);
    const char *p = s->data.ptr + e.offsets[0];
    if ((uintptr_t)p % unit)
        return error_set(err, ERR_CORRUPT, "tensor '%s' is not aligned", name);
    *ret = p;
    return OK;
}

bool safetensors_has(const struct safetensors *s, const char *name)
{
    return json_get(s->root, name).type != JSON_NONE;
}

enum status safetensors_dim(const struct safetensors *s, const char *name, size_t rank, size_t axis,
                            size_t *ret, struct error *err)
{
    struct entry e;
    CHECK(axis < rank);
    enum status status = find(s, name, &e, err);
    if (status != OK)
        return status;
    if (e.rank != rank)
        return error_set(err, ERR_CORRUPT, "tensor '%s' has rank %zu, not %zu", name, e.rank, rank);
    *ret = e.shape[axis];
    return OK;
}

size_t safetensors_bytes(const struct safetensors_item *item)
{
    size_t bytes = 0;
    CHECK(multiply(item->shape, item->rank, dtype_bytes(str_from(item->dtype)), &bytes));
    return bytes;
}

static void write_item(struct buf *b, const struct safetensors_item *item, size_t *offset)
{
    buf_addf(b, ",\"%s\":{\"dtype\":\"%s\",\"shape\":[", item->name, item->dtype);
    for (size_t i = 0; i < item->rank; i++)
        buf_addf(b, i ? ",%zu" : "%zu", item->shape[i]);
    size_t end = *offset + safetensors_bytes(item);
    buf_addf(b, "],\"data_offsets\":[%zu,%zu]}", *offset, end);
    *offset = end;
}

enum status safetensors_header(const struct safetensors_item *items, size_t count,
                               struct str metadata, struct buf *out, struct error *err)
{
    CHECK(count <= SAFETENSORS_TENSORS_MAX);
    struct buf b;
    buf_init(&b, SAFETENSORS_HEADER_MAX);
    buf_add_c(&b, "{\"__metadata__\":");
    buf_add(&b, metadata);
    size_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        DEBUG_CHECK(offset % dtype_bytes(str_from(items[i].dtype)) == 0);
        write_item(&b, &items[i], &offset);
    }
    buf_add_char(&b, '}');
    while ((b.len + 8) % ALIGNMENT && b.status == OK)
        buf_add_char(&b, ' ');
    unsigned char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)b.len >> (8 * i));
    buf_add(out, (struct str){(const char *)length, 8});
    buf_add(out, buf_str(&b));
    enum status status = buf_status(&b, err);
    buf_done(&b);
    return status == OK ? buf_status(out, err) : status;
}
