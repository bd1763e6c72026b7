/* A cursor over the first bytes of a file whose whole length is known: what lies behind them but within the file is
 * "not read yet", what lies behind the file is "truncated". Numbers are copied out byte by byte, never pointed at;
 * every sum is made so that it cannot overflow. Nothing here keeps anything of the bytes, and nothing is allocated for
 * what the file says there is. */
#include "lm/gguf_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_READ ((size_t)1 << 20)

enum value_type {
    TYPE_U8,
    TYPE_I8,
    TYPE_U16,
    TYPE_I16,
    TYPE_U32,
    TYPE_I32,
    TYPE_F32,
    TYPE_BOOL,
    TYPE_STRING,
    TYPE_ARRAY,
    TYPE_U64,
    TYPE_I64,
    TYPE_F64,
    TYPE_COUNT,
};

static const unsigned char type_bytes[TYPE_COUNT] = {
    [TYPE_U8] = 1,  [TYPE_I8] = 1,   [TYPE_U16] = 2, [TYPE_I16] = 2, [TYPE_U32] = 4, [TYPE_I32] = 4,
    [TYPE_F32] = 4, [TYPE_BOOL] = 1, [TYPE_U64] = 8, [TYPE_I64] = 8, [TYPE_F64] = 8,
};

/* What sizes an architecture's keys may name: more than any model has, less than what makes a loader run away. */
static const struct {
    const char *name; /* behind "ARCHITECTURE." */
    uint64_t max;
} limits[] = {
    {"context_length", 1 << 26},
    {"embedding_length", 1 << 18},
    {"block_count", 1024},
    {"feed_forward_length", 1 << 22},
    {"expert_feed_forward_length", 1 << 22},
    {"attention.head_count", 1 << 12},
    {"attention.head_count_kv", 1 << 12},
    {"attention.key_length", 1 << 14},
    {"attention.value_length", 1 << 14},
    {"attention.sliding_window", 1 << 26},
    {"rope.dimension_count", 1 << 14},
    {"expert_count", 1 << 12},
    {"expert_used_count", 1 << 12},
    {"vocab_size", 1 << 24},
    {"pooling_type", 8},
    {"ssm.state_size", 1 << 16},
    {"ssm.inner_size", 1 << 20},
    {"ssm.conv_kernel", 1 << 10},
    {"ssm.time_step_rank", 1 << 16},
};

/* [type] = elements, bytes: a table of ggml's. */
static const struct block {
    unsigned short elements, bytes;
} blocks[] = {
    [0] = {1, 4},      [1] = {1, 2},      [2] = {32, 18},    [3] = {32, 20},    [6] = {32, 22},
    [7] = {32, 24},    [8] = {32, 34},    [9] = {32, 36},    [10] = {256, 84},  [11] = {256, 110},
    [12] = {256, 144}, [13] = {256, 176}, [14] = {256, 210}, [15] = {256, 292}, [16] = {256, 66},
    [17] = {256, 74},  [18] = {256, 98},  [19] = {256, 50},  [20] = {32, 18},   [21] = {256, 110},
    [22] = {256, 82},  [23] = {256, 136}, [24] = {1, 1},     [25] = {1, 2},     [26] = {1, 4},
    [27] = {1, 8},     [28] = {1, 8},     [29] = {256, 56},  [30] = {1, 2},     [34] = {256, 54},
    [35] = {256, 66},  [39] = {32, 17},   [40] = {64, 36},   [41] = {128, 18},  [42] = {64, 18},
};

struct reader {
    struct str bytes;
    size_t at;
    uint64_t file_bytes;
    uint64_t alignment;
    struct error *err;
};

bool gguf_type_block(uint32_t type, unsigned *elements, unsigned *bytes)
{
    if (type >= sizeof(blocks) / sizeof(*blocks) || !blocks[type].elements)
        return false;
    *elements = blocks[type].elements;
    *bytes = blocks[type].bytes;
    return true;
}

static enum status take(struct reader *r, uint64_t count, struct str *ret)
{
    if (count > r->file_bytes - r->at)
        return error_set(r->err, ERR_CORRUPT,
                         "truncated: the head goes on behind the end of the file");
    if (count > r->bytes.len - r->at)
        return AGAIN;
    *ret = (struct str){r->bytes.ptr + r->at, (size_t)count};
    r->at += (size_t)count;
    return OK;
}

static uint64_t little_endian(struct str bytes)
{
    uint64_t v = 0;
    for (size_t i = bytes.len; i > 0; i--)
        v = v << 8 | (unsigned char)bytes.ptr[i - 1];
    return v;
}

static enum status take_number(struct reader *r, size_t bytes, uint64_t *ret)
{
    struct str s;
    enum status status = take(r, bytes, &s);
    if (status == OK)
        *ret = little_endian(s);
    return status;
}

static enum status take_text(struct reader *r, struct str *ret)
{
    uint64_t len;
    enum status status = take_number(r, 8, &len);
    return status == OK ? take(r, len, ret) : status;
}

static enum status take_name(struct reader *r, size_t max, const char *what, struct str *ret)
{
    struct str s;
    enum status status = take_text(r, &s);
    if (status != OK)
        return status;
    if (!s.len || s.len >= max)
        return error_set(r->err, ERR_CORRUPT, "the name of a %s has %zu bytes", what, s.len);
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~')
            return error_set(r->err, ERR_CORRUPT, "the name of a %s is no text", what);
    *ret = s;
    return OK;
}

/* An integer of any type, negative ones as what they are without their sign's meaning: larger than any limit. */
static bool is_integer(uint64_t type)
{
    return type < TYPE_COUNT && type != TYPE_F32 && type != TYPE_F64 && type != TYPE_BOOL &&
           type_bytes[type];
}

static enum status check_limit(struct reader *r, struct str key, uint64_t value)
{
    size_t dot = str_find(key, STR("."), 0);
    struct str name = dot == SIZE_MAX ? key : str_slice(key, dot + 1, key.len);
    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
        if (str_equal(name, str_from(limits[i].name)) && value > limits[i].max)
            return error_set(r->err, ERR_TOO_LARGE, "%.*s is %" PRIu64 "; at most %" PRIu64 " here",
                             (int)key.len, key.ptr, value, limits[i].max);
    return OK;
}

/* One piece: an array is of fixed sizes, which are skipped, or of what must be looked at one by one. */
static enum status read_array(struct reader *r, struct str key)
{
    uint64_t type, count;
    struct str skipped;
    enum status status = take_number(r, 4, &type);
    if (status == OK)
        status = take_number(r, 8, &count);
    if (status != OK)
        return status;
    if (type >= TYPE_COUNT || type == TYPE_ARRAY)
        return error_set(r->err, ERR_CORRUPT, "%.*s: an array of type %" PRIu64, (int)key.len,
                         key.ptr, type);
    size_t least = type == TYPE_STRING ? 8 : type_bytes[type];
    if (count > (r->file_bytes - r->at) / least)
        return error_set(r->err, ERR_CORRUPT, "truncated: %.*s would have %" PRIu64 " elements",
                         (int)key.len, key.ptr, count);
    if (type != TYPE_STRING && !is_integer(type))
        return take(r, count * least, &skipped);
    for (uint64_t i = 0; i < count && status == OK; i++) {
        uint64_t value = 0;
        if (type == TYPE_STRING)
            status = take_text(r, &skipped);
        else
            status = take_number(r, least, &value);
        if (status == OK)
            status = check_limit(r, key, value);
    }
    return status;
}

static enum status keep_text(struct reader *r, struct str key, struct str value,
                             struct gguf_head *head)
{
    if (str_equal(key, STR("general.type")))
        head->is_adapter = str_equal(value, STR("adapter"));
    if (!str_equal(key, STR("general.architecture")))
        return OK;
    if (!value.len || value.len >= sizeof(head->architecture) || memchr(value.ptr, 0, value.len))
        return error_set(r->err, ERR_CORRUPT, "general.architecture is no name");
    memcpy(head->architecture, value.ptr, value.len);
    head->architecture[value.len] = '\0';
    return OK;
}

static enum status keep_number(struct reader *r, struct str key, uint64_t value)
{
    if (str_equal(key, STR("split.count")) && value > 1)
        return error_set(
            r->err, ERR_UNSUPPORTED,
            "one of %" PRIu64 " files of a model: join them by llama-gguf-split --merge", value);
    if (str_equal(key, STR("general.alignment"))) {
        if (!value || value > GGUF_ALIGNMENT_MAX || (value & (value - 1)))
            return error_set(r->err, ERR_CORRUPT, "general.alignment is %" PRIu64, value);
        r->alignment = value;
    }
    return check_limit(r, key, value);
}

static enum status read_key(struct reader *r, struct gguf_head *head)
{
    struct str key, text;
    uint64_t type, value;
    enum status status = take_name(r, GGUF_KEY_BYTES_MAX, "key", &key);
    if (status == OK)
        status = take_number(r, 4, &type);
    if (status != OK)
        return status;
    if (type >= TYPE_COUNT)
        return error_set(r->err, ERR_CORRUPT, "%.*s: a value of type %" PRIu64, (int)key.len,
                         key.ptr, type);
    if (type == TYPE_ARRAY)
        return read_array(r, key);
    if (type == TYPE_STRING) {
        status = take_text(r, &text);
        return status == OK ? keep_text(r, key, text, head) : status;
    }
    status = take_number(r, type_bytes[type], &value);
    return status == OK && is_integer(type) ? keep_number(r, key, value) : status;
}

/* Bytes of a tensor's rows × columns; ERR_CORRUPT where they are none or too many. */
static enum status tensor_bytes(struct reader *r, struct str name, const uint64_t *sizes,
                                unsigned dimensions, uint64_t type, uint64_t *ret)
{
    unsigned elements, bytes;
    if (!gguf_type_block((uint32_t)type, &elements, &bytes))
        return error_set(r->err, ERR_UNSUPPORTED,
                         "tensor %.*s has numbers of type %" PRIu64 ", which is not known here",
                         (int)name.len, name.ptr, type);
    uint64_t count = 1;
    for (unsigned i = 0; i < dimensions; i++) {
        if (!sizes[i] || sizes[i] > GGUF_TENSOR_BYTES_MAX / count)
            return error_set(r->err, ERR_CORRUPT, "tensor %.*s: a dimension of %" PRIu64,
                             (int)name.len, name.ptr, sizes[i]);
        count *= sizes[i];
    }
    if (sizes[0] % elements)
        return error_set(r->err, ERR_CORRUPT,
                         "tensor %.*s: rows of %" PRIu64 " elements, which come in blocks of %u",
                         (int)name.len, name.ptr, sizes[0], elements);
    *ret = count / elements * bytes;
    return OK;
}

/* One piece: the fields of a tensor, in the order of the file. */
static enum status read_tensor(struct reader *r, struct gguf_head *head)
{
    struct str name;
    uint64_t dimensions = 0, sizes[4] = {1, 1, 1, 1}, type = 0, offset = 0, bytes = 0;
    enum status status = take_name(r, GGUF_NAME_BYTES_MAX, "tensor", &name);
    if (status == OK)
        status = take_number(r, 4, &dimensions);
    if (status == OK && (!dimensions || dimensions > 4))
        return error_set(r->err, ERR_CORRUPT, "tensor %.*s has %" PRIu64 " dimensions",
                         (int)name.len, name.ptr, dimensions);
    for (uint64_t i = 0; i < dimensions && status == OK; i++)
        status = take_number(r, 8, &sizes[i]);
    if (status == OK)
        status = take_number(r, 4, &type);
    if (status == OK)
        status = take_number(r, 8, &offset);
    if (status == OK)
        status = tensor_bytes(r, name, sizes, (unsigned)dimensions, type, &bytes);
    if (status != OK)
        return status;
    if (offset != head->data_bytes)
        return error_set(r->err, ERR_CORRUPT,
                         "tensor %.*s lies at %" PRIu64 ", not behind the one before it",
                         (int)name.len, name.ptr, offset);
    head->data_bytes += bytes + (-bytes & (r->alignment - 1));
    if (head->data_bytes > GGUF_TENSOR_BYTES_MAX)
        return error_set(r->err, ERR_TOO_LARGE, "tensors of over %" PRIu64 " bytes",
                         GGUF_TENSOR_BYTES_MAX);
    head->tensors++;
    return OK;
}

static enum status read_counts(struct reader *r, uint64_t *keys, uint64_t *tensors)
{
    struct str magic;
    uint64_t version = 0;
    enum status status = take(r, 4, &magic);
    if (status == OK && !str_equal(magic, STR("GGUF")))
        return error_set(r->err, ERR_CORRUPT, "no GGUF file: it does not begin with GGUF");
    if (status == OK)
        status = take_number(r, 4, &version);
    if (status == OK && version != 2 && version != 3)
        return error_set(r->err, ERR_UNSUPPORTED,
                         "GGUF version %" PRIu64 "; versions 2 and 3 are read", version);
    if (status == OK)
        status = take_number(r, 8, tensors);
    if (status == OK)
        status = take_number(r, 8, keys);
    if (status != OK)
        return status;
    if (*tensors > GGUF_TENSORS_MAX || *keys > GGUF_KEYS_MAX)
        return error_set(r->err, ERR_TOO_LARGE,
                         "%" PRIu64 " tensors and %" PRIu64 " keys; at most %d and %d", *tensors,
                         *keys, GGUF_TENSORS_MAX, GGUF_KEYS_MAX);
    return OK;
}

enum status gguf_head_read(struct str bytes, uint64_t file_bytes, struct gguf_head *ret,
                           struct error *err)
{
    struct reader r = {.bytes = bytes, .file_bytes = file_bytes, .alignment = 32, .err = err};
    struct gguf_head head = {0};
    uint64_t tensors = 0;
    enum status status = read_counts(&r, &head.keys, &tensors);
    for (uint64_t i = 0; i < head.keys && status == OK; i++)
        status = read_key(&r, &head);
    for (uint64_t i = 0; i < tensors && status == OK; i++)
        status = read_tensor(&r, &head);
    if (status != OK)
        return status;
    if (!head.architecture[0])
        return error_set(err, ERR_CORRUPT, "general.architecture is missing");
    head.data_offset = r.at + (-(uint64_t)r.at & (r.alignment - 1));
    if (tensors &&
        (head.data_offset > file_bytes || head.data_bytes > file_bytes - head.data_offset))
        return error_set(err, ERR_CORRUPT,
                         "truncated: %" PRIu64 " bytes, and its tensors end at %" PRIu64,
                         file_bytes, head.data_offset + head.data_bytes);
    *ret = head;
    return OK;
}

static enum status read_first(int fd, char *into, size_t size, size_t *ret)
{
    size_t len = 0;
    while (len < size) {
        ssize_t n = pread(fd, into + len, size - len, (off_t)len);
        if (n < 0 && errno != EINTR)
            return ERR_IO;
        if (n == 0)
            break;
        len += n > 0 ? (size_t)n : 0;
    }
    *ret = len;
    return OK;
}

/* Heads are mostly vocabularies, of some megabytes: twice as much is read each time that it was not enough. */
enum status gguf_file_check(int fd, const char *path, struct gguf_head *ret, struct error *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_set_errno(err, ERR_IO, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERR_CORRUPT, "%s: no regular file", path);
    for (size_t size = FIRST_READ; size <= GGUF_HEAD_BYTES_MAX; size *= 2) {
        size_t len = 0;
        char *bytes = malloc(size);
        if (!bytes)
            return error_set(err, ERR_MEMORY, "out of memory");
        enum status status = read_first(fd, bytes, size, &len);
        if (status == OK)
            status = gguf_head_read((struct str){bytes, len}, (uint64_t)st.st_size, ret, err);
        else
            status = error_set_errno(err, status, errno, "%s", path);
        free(bytes);
        if (status == AGAIN && len < size) /* the file became shorter */
            return error_set(err, ERR_CORRUPT, "%s: truncated while it was read", path);
        if (status != AGAIN)
            return status == OK || status == ERR_IO ? status : error_prefix(err, "%s", path);
    }
    return error_set(err, ERR_TOO_LARGE, "%s: a head of over %zu bytes", path, GGUF_HEAD_BYTES_MAX);
}
