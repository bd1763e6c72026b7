/* What an expert sends back, in both forms. The first byte says what the rest is: 'c' chunks of chat and 'e' events
 * of Messages, a line each, which are gathered; 'w' a completion and 'm' a message, which are split, and what comes
 * of that is gathered again. What goes out is JSON, a tool call's index is that of one call, and usage never falls.
 * */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/json.h"
#include "dialect/forms.h"
#include "dialect/openai_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_BYTES_MAX (64u << 20)

struct scene {
    const struct forms *forms;
    void *gathered;
    struct openai_stream chunks;
};

static void check_json(struct str text)
{
    struct json_value root;
    enum status status = json_parse(text, "out", 1, &root, NULL);
    CHECK(status == OK || status == ERR_TOO_LARGE);
}

static void take_chunk(struct scene *s, struct str line)
{
    struct openai_reply reply;
    const struct openai_usage before = s->chunks.usage;
    if (openai_stream_read(&s->chunks, &line, &reply) != OPENAI_CHUNK_GOOD)
        return;
    check_json(line);
    CHECK(reply.has_choices && !reply.is_error && !reply.has_blank_finish);
    CHECK(!reply.usage.known || (reply.usage.input_tokens >= before.input_tokens &&
                                 reply.usage.output_tokens >= before.output_tokens));
    s->forms->add(s->gathered, line);
}

static void take_split(void *arg, struct str name, struct str data)
{
    struct scene *s = arg;
    (void)name;
    if (!str_equal(data, STR("[DONE]")))
        check_json(data);
    if (s->forms == &openai_forms)
        take_chunk(s, data);
    else
        s->forms->add(s->gathered, data);
}

static void write_gathered(const struct scene *s)
{
    struct buf out;
    buf_init(&out, FUZZ_BYTES_MAX);
    if (s->forms->write(s->gathered, &out, NULL) == OK)
        check_json(buf_str(&out));
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct str text = {(const char *)data + 1, size - 1};
    bool is_chat = data[0] == 'c' || data[0] == 'w', is_whole = data[0] == 'w' || data[0] == 'm';
    struct scene s = {.forms = is_chat ? &openai_forms : &anthropic_forms};
    s.gathered = s.forms->create(FUZZ_BYTES_MAX);
    openai_stream_init(&s.chunks, FUZZ_BYTES_MAX);
    if (s.gathered && is_whole)
        s.forms->split(text, take_split, &s);
    while (s.gathered && !is_whole && text.len > 0) {
        struct str line = str_split(&text, '\n');
        if (is_chat)
            take_chunk(&s, line);
        else
            s.forms->add(s.gathered, line);
    }
    if (s.gathered)
        write_gathered(&s);
    s.forms->free(s.gathered);
    openai_stream_done(&s.chunks);
    return 0;
}
