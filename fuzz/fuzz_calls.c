/* The journal of paid calls: any bytes are read or refused; what was read is written and read again alike. */
#include <stdint.h>

#include "base/check.h"
#include "calls/call_journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status again(void *arg, const struct call_entry *e, struct error *err)
{
    struct call_entry same;
    struct buf line;
    (void)err;
    buf_init(&line, CALL_JOURNAL_LINE_MAX);
    call_entry_write(e, &line);
    CHECK(line.len > 0 && line.ptr[line.len - 1] == '\n');
    CHECK(call_entry_parse((struct str){line.ptr, line.len - 1}, "again", 1, arg, &same, NULL) ==
          OK);
    CHECK(same.kind == e->kind && same.nano_usd == e->nano_usd && same.asked == e->asked);
    CHECK(str_equal(same.key, e->key) && str_equal(same.text, e->text) &&
          str_equal(same.expert, e->expert) && str_equal(same.paid, e->paid));
    CHECK(same.basis == e->basis && same.input_tokens == e->input_tokens &&
          same.output_tokens == e->output_tokens && same.latency_ms == e->latency_ms);
    buf_done(&line);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len = 0;
    struct str bytes = {(const char *)data, size};
    if (size > 1 << 16)
        return 0;
    struct arena *arena = arena_create(64 << 20);
    CHECK(arena != NULL);
    if (call_journal_read(bytes, "fuzz", arena, again, arena, &len, NULL) == OK)
        CHECK(len <= size && (len == 0 || data[len - 1] == '\n'));
    arena_free(arena);
    return 0;
}
