/* A model → its file, whether just trained or loaded. The metadata are those of model_describe.c, the
 * tensors those of model_tensors.c. Everything is gathered in memory first, for the checksum covers it
 * and stands in the header. */
#include "train/model_write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "predict/model_format.h"
#include "train/model_describe.h"
#include "train/model_edit.h"
#include "train/model_tensors.h"

#define METADATA_MAX (8u << 20)
#define ARENA_CAP    (1u << 20)

/* Both hashes and writes the data, in the same order. */
static enum status gather_data(const struct safetensors_item *items, size_t count, struct buf *data,
                               struct error *err)
{
    for (size_t i = 0; i < count; i++)
        buf_add(data, (struct str){items[i].bytes, safetensors_bytes(&items[i])});
    return buf_status(data, err);
}

static enum status assemble(const struct model_parts *p, const struct model_tensor *tensors,
                            size_t count, struct buf *head, struct buf *data, struct error *err)
{
    struct safetensors_item items[MODEL_TENSORS_MAX];
    struct buf metadata;
    CHECK(count <= MODEL_TENSORS_MAX);
    for (size_t i = 0; i < count; i++)
        items[i] = tensors[i].item;
    buf_init(&metadata, METADATA_MAX);
    model_describe(p, &metadata);
    enum status status = buf_status(&metadata, err);
    if (status == OK)
        status = safetensors_header(items, count, buf_str(&metadata), head, err);
    if (status == OK)
        status = gather_data(items, count, data, err);
    buf_done(&metadata);
    if (status != OK)
        return status;
    struct str header = str_slice(buf_str(head), 8, head->len);
    char *digits = strstr(head->ptr + 8, MODEL_ZEROS), hex[CHECKSUM_DIGITS + 1];
    CHECK(digits);
    snprintf(hex, sizeof(hex), "%016" PRIx64, model_file_checksum(header, digits, buf_str(data)));
    memcpy(digits, hex, CHECKSUM_DIGITS);
    return OK;
}

enum status model_tensors_bytes(const struct model_parts *p, const struct model_tensor *tensors,
                                size_t count, struct buf *out, struct error *err)
{
    struct buf head, data;
    buf_init(&head, SAFETENSORS_HEADER_MAX + 64);
    buf_init(&data, MODEL_BYTES_MAX);
    enum status status = assemble(p, tensors, count, &head, &data, err);
    if (status == OK) {
        buf_add(out, buf_str(&head));
        buf_add(out, buf_str(&data));
        status = buf_status(out, err);
    }
    buf_done(&head);
    buf_done(&data);
    return status;
}

enum status model_tensors_write(const struct model_parts *p, const struct model_tensor *tensors,
                                size_t count, const char *path, struct error *err)
{
    struct file_out out;
    struct buf head, data;
    buf_init(&head, SAFETENSORS_HEADER_MAX + 64);
    buf_init(&data, MODEL_BYTES_MAX);
    enum status status = assemble(p, tensors, count, &head, &data, err);
    if (status == OK)
        status = file_out_open(path, &out, err);
    if (status == OK) {
        fwrite(head.ptr, 1, head.len, out.stream);
        fwrite(data.ptr, 1, data.len, out.stream);
        status = file_out_commit(&out, err);
    }
    buf_done(&head);
    buf_done(&data);
    return status;
}

/* All tensors of a model, in an arena of the call. */
static enum status list_tensors(const struct model_parts *p, struct arena **ret_arena,
                                struct model_tensor **ret, size_t *ret_count, struct error *err)
{
    *ret_arena = arena_create(ARENA_CAP);
    *ret = *ret_arena ? ARENA_ARRAY(*ret_arena, MODEL_TENSORS_MAX, struct model_tensor) : NULL;
    return *ret ? model_tensors(p, *ret_arena, *ret, ret_count, err)
                : error_set(err, ERR_MEMORY, "out of memory");
}

enum status model_parts_load(const struct model_parts *p, struct model **ret, struct error *err)
{
    struct arena *a;
    struct model_tensor *tensors;
    struct buf bytes;
    size_t count = 0;
    buf_init(&bytes, MODEL_BYTES_MAX);
    enum status status = list_tensors(p, &a, &tensors, &count, err);
    if (status == OK)
        status = model_tensors_bytes(p, tensors, count, &bytes, err);
    if (status == OK)
        status = model_load_bytes(bytes.ptr, bytes.len, ret, err);
    buf_done(&bytes);
    arena_free(a);
    return status;
}

static enum status write_parts(const struct model_parts *p, const char *path, struct error *err)
{
    struct arena *a;
    struct model_tensor *tensors;
    size_t count = 0;
    enum status status = list_tensors(p, &a, &tensors, &count, err);
    if (status == OK)
        status = model_tensors_write(p, tensors, count, path, err);
    arena_free(a);
    return status;
}

enum status model_write(const struct trained *t, const char *path, struct error *err)
{
    return write_parts(&t->parts, path, err);
}
