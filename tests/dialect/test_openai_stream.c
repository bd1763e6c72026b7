/* Chunks as servers really send them, and as clients are told of them. */
#include "dialect/openai_stream.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct openai_stream stream;

static void begin(void)
{
    openai_stream_init(&stream, 1 << 20);
}

static void end(void)
{
    openai_stream_done(&stream);
}

TestSuite(openai_stream, .init = begin, .fini = end);

static enum openai_chunk feed(const char *data, struct openai_reply *reply, char *told, size_t size)
{
    struct str text = str_from(data);
    enum openai_chunk chunk = openai_stream_read(&stream, &text, reply);
    snprintf(told, size, "%.*s", STR_FMT(text));
    return chunk;
}

/* An id that was made here is random: each becomes call_*. */
static void mask_ids(char *told)
{
    for (char *at = told; (at = strstr(at, "\"call_")) != NULL; at++) {
        char *end = strchr(at + 1, '"');
        if (!end || end - at != 22)
            continue;
        at[6] = '*';
        memmove(at + 7, end, strlen(end) + 1);
    }
}

static void expect_chunk(const char *data, const char *want)
{
    struct openai_reply reply;
    char told[4096];
    cr_expect_eq(feed(data, &reply, told, sizeof(told)), OPENAI_CHUNK_GOOD, "%s", data);
    mask_ids(told);
    cr_expect_str_eq(told, want);
}

#define DELTA(inside) "{\"choices\":[{\"index\":0,\"delta\":{" inside "},\"finish_reason\":null}]}"
#define CALLS(items)  DELTA("\"tool_calls\":[" items "]")

static void expect_calls(const char *items, const char *want)
{
    char data[2048], told[2048];
    snprintf(data, sizeof(data), CALLS("%s"), items);
    snprintf(told, sizeof(told), CALLS("%s"), want);
    expect_chunk(data, told);
}

Test(openai_stream, what_is_fine_passes_as_its_own_bytes)
{
    static const char *const chunks[] = {
        DELTA("\"role\":\"assistant\",\"content\":\"\""),
        "{ \"choices\": [ {\"index\":0, \"delta\":{\"content\":\"a\\u00e9\"} } ] }",
        CALLS("{\"index\":0,\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
              "\"arguments\":\"\"}}"),
        CALLS("{\"index\":0,\"function\":{\"arguments\":\"{\"}}"),
        CALLS("{\"index\":1,\"id\":\"c2\",\"type\":\"function\",\"function\":{\"name\":\"f\","
              "\"arguments\":\"{}\"}}"),
        CALLS("{\"index\":0,\"id\":null,\"function\":{\"arguments\":\"}\"}}"),
        "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}",
        "{\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}"};
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++)
        expect_chunk(chunks[i], chunks[i]);
    cr_expect(openai_stream_is_whole(&stream, 1));
    cr_expect_not(openai_stream_is_whole(&stream, 2));
}

/* BerriAI/litellm PR #14587, chenyme/grok2api #239 */
Test(openai_stream, calls_without_an_index)
{
    expect_calls("{\"id\":\"c1\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}},"
                 "{\"id\":\"c2\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}",
                 "{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}},"
                 "{\"index\":1,\"id\":\"c2\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}");
    expect_calls("{\"function\":{\"arguments\":\"{}\"}}",
                 "{\"index\":1,\"function\":{\"arguments\":\"{}\"}}");
    expect_calls("{\"id\":\"c1\",\"index\":null,\"function\":{\"arguments\":\"{}\"}}",
                 "{\"index\":0,\"function\":{\"arguments\":\"{}\"}}");
    expect_calls(
        "{\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}",
        "{\"index\":2,\"id\":\"call_*\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}");
}

Test(openai_stream, calls_without_an_id_of_their_own)
{
    expect_calls("{\"index\":0,\"id\":\"\",\"function\":{\"name\":\"f\"}}",
                 "{\"index\":0,\"id\":\"call_*\",\"function\":{\"name\":\"f\"}}");
    expect_calls("{\"index\":0,\"id\":\"late\",\"function\":{\"arguments\":\"{}\"}}",
                 "{\"index\":0,\"function\":{\"arguments\":\"{}\"}}");
    expect_calls("{\"index\":1,\"id\":\"f\",\"function\":{\"name\":\"f\"}},"
                 "{\"index\":2,\"id\":\"f\",\"function\":{\"name\":\"f\"}}",
                 "{\"index\":1,\"id\":\"f\",\"function\":{\"name\":\"f\"}},"
                 "{\"index\":2,\"id\":\"call_*\",\"function\":{\"name\":\"f\"}}");
    expect_calls("{\"index\":2,\"id\":\"f\",\"function\":{\"arguments\":\"{}\"}}",
                 "{\"index\":2,\"function\":{\"arguments\":\"{}\"}}");
}

Test(openai_stream, all_under_index_0_and_from_1_on)
{
    expect_calls("{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"f\"}}",
                 "{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"f\"}}");
    expect_calls("{\"index\":0,\"id\":\"c2\",\"function\":{\"name\":\"f\"}}",
                 "{\"index\":1,\"id\":\"c2\",\"function\":{\"name\":\"f\"}}");
    expect_calls("{\"index\":0,\"function\":{\"arguments\":\"{}\"}}",
                 "{\"index\":1,\"function\":{\"arguments\":\"{}\"}}");
    expect_calls("{\"index\":7,\"id\":\"c3\",\"function\":{\"name\":\"f\"}}",
                 "{\"index\":2,\"id\":\"c3\",\"function\":{\"name\":\"f\"}}");
}

Test(openai_stream, what_every_piece_repeats)
{
    static const char first[] = "{\"index\":0,\"id\":\"c1\",\"type\":\"function\",\"function\":"
                                "{\"name\":\"f\",\"arguments\":\"{\"}}";
    expect_calls(first, first);
    expect_calls(first, "{\"index\":0,\"type\":\"function\",\"function\":{\"arguments\":\"{\"}}");
    expect_calls("{\"index\":0,\"id\":\"other\",\"type\":null,\"function\":{\"arguments\":\"}\"}}",
                 "{\"index\":0,\"function\":{\"arguments\":\"}\"}}");
}

Test(openai_stream, members_that_are_unknown_stay)
{
    expect_calls("{\"extra_content\":{\"google\":{\"thought_signature\":\"S\"}},\"id\":\"c1\","
                 "\"function\":{\"name\":\"f\",\"arguments\":{\"a\": \"b\"},\"x\":1}}",
                 "{\"index\":0,\"extra_content\":{\"google\":{\"thought_signature\":\"S\"}},"
                 "\"id\":\"c1\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\": "
                 "\\\"b\\\"}\",\"x\":1}}");
}

Test(openai_stream, choices_count_their_calls_apart)
{
#define OF(choice, rest)                                                                           \
    "{\"choices\":[{\"index\":" choice ",\"delta\":{\"tool_calls\":[{" rest                        \
    "\"function\":{\"name\":\"f\"}}]}}]}"
    expect_chunk(OF("0", ""), OF("0", "\"index\":0,\"id\":\"call_*\","));
    expect_chunk(OF("1", ""), OF("1", "\"index\":0,\"id\":\"call_*\","));
}

/* ollama's way */
Test(openai_stream, the_role_in_every_chunk)
{
    expect_chunk(DELTA("\"role\":\"assistant\",\"content\":\"a\""),
                 DELTA("\"role\":\"assistant\",\"content\":\"a\""));
    expect_chunk(DELTA("\"role\":\"assistant\" , \"content\":\"b\""), DELTA(" \"content\":\"b\""));
    expect_chunk(DELTA("\"content\":\"c\" , \"role\":\"assistant\" "),
                 DELTA("\"content\":\"c\"  "));
    expect_chunk(DELTA("\"role\":\"\""), DELTA(""));
    expect_chunk("{\"choices\":[{\"index\":1,\"delta\":{\"role\":\"assistant\"}}]}",
                 "{\"choices\":[{\"index\":1,\"delta\":{\"role\":\"assistant\"}}]}");
}

/* farion1231/cc-switch PR #5093, ollama/ollama #4357 */
Test(openai_stream, a_blank_finish_reason_is_none)
{
    expect_chunk("{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\": \"\"}]}",
                 "{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\": null}]}");
    expect_chunk("{\"choices\":[{\"delta\":{},\"finish_reason\":\"null\"}]}",
                 "{\"choices\":[{\"delta\":{},\"finish_reason\":null}]}");
    cr_expect_not(openai_stream_is_whole(&stream, 1));
    cr_expect_not(openai_stream_is_empty(&stream));
}

Test(openai_stream, usage_never_falls)
{
    struct openai_reply reply;
    char told[1024];
    static const char real[] =
        "{\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,"
        "\"completion_tokens_details\":{\"reasoning_tokens\":3}}}";
    static const char zero[] =
        "{\"choices\":[],\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0}}";
    expect_chunk(zero, zero);
    expect_chunk(real, real);
    cr_expect_eq(feed(zero, &reply, told, sizeof(told)), OPENAI_CHUNK_EMPTY);
    expect_chunk("{\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":7},\"choices\":[{\"delta\":"
                 "{},\"finish_reason\":\"\"}]}",
                 "{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":7,\"total_tokens\":17,"
                 "\"prompt_tokens_details\":{\"cached_tokens\":0,\"cache_creation_tokens\":0},"
                 "\"completion_tokens_details\":{\"reasoning_tokens\":3}},\"choices\":[{\"delta\":"
                 "{},\"finish_reason\":null}]}");
    cr_expect(stream.usage.input_tokens == 10 && stream.usage.output_tokens == 7);
}

Test(openai_stream, a_message_is_a_delta)
{
    expect_chunk(
        "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":null,"
        "\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":{}}}]},"
        "\"finish_reason\":\"tool_calls\"}]}",
        "{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":null,"
        "\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":"
        "\"{}\"}}]},\"finish_reason\":\"tool_calls\"}]}");
    expect_chunk(
        "{\"choices\":[{\"text\":\"a\",\"index\":0,\"finish_reason\":\"\"}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"a\"},\"index\":0,\"finish_reason\":null}]}");
    cr_expect(openai_stream_is_whole(&stream, 1));
}

static void expect_mended(const char *answer, const char *want)
{
    struct openai_reply reply;
    struct error err;
    struct buf out;
    buf_init(&out, 10000);
    cr_assert_eq(openai_reply_read(str_from(answer), &reply, &err), OK, "%s", err.text);
    cr_expect_eq(openai_answer_mend(&reply, &out), want != NULL);
    if (want) {
        mask_ids(out.ptr);
        cr_expect_str_eq(out.ptr, want);
    }
    buf_done(&out);
}

Test(openai_stream, arguments_of_a_whole_answer)
{
#define CALLED(arguments)                                                                          \
    "{\"choices\":[{\"message\":{\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\","             \
    "\"function\":{\"name\":\"f\",\"arguments\":" arguments "}}]}}]}"
    expect_mended(CALLED("\"{}\""), NULL);
    expect_mended(CALLED("{\"a\": \"b\"}"), CALLED("\"{\\\"a\\\": \\\"b\\\"}\""));
    expect_mended("{\"choices\":[]}", NULL);
}

Test(openai_stream, calls_of_a_whole_answer_have_what_libraries_demand)
{
#define WITH(calls) "{\"choices\":[{\"message\":{\"tool_calls\":[" calls "]}}]}"
#define PLAIN(id)   "{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"arguments\":\"{}\"}}"
    expect_mended(WITH("{\"function\":{}}"), WITH(PLAIN("call_*")));
    expect_mended(WITH("{\"id\":\"\",\"type\":null,\"function\":{\"arguments\":null}}"),
                  WITH(PLAIN("call_*")));
    expect_mended(WITH(PLAIN("a") "," PLAIN("a") "," PLAIN("b")),
                  WITH(PLAIN("a") "," PLAIN("call_*") "," PLAIN("b")));
    expect_mended(WITH("{\"id\":\"a\",\"type\":\"custom\",\"custom\":{\"name\":\"p\"}}"), NULL);
}

Test(openai_stream, clients_walk_over_choices)
{
    expect_chunk("{\"choices\":null,\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}",
                 "{\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}");
    expect_chunk("{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}",
                 "{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2},\"choices\":[]}");
}

Test(openai_stream, what_is_no_chunk)
{
    static const struct {
        const char *data;
        enum openai_chunk chunk;
    } rows[] = {{"", OPENAI_CHUNK_EMPTY},
                {" ", OPENAI_CHUNK_EMPTY},
                {"{}", OPENAI_CHUNK_EMPTY},
                {"{\"type\":\"ping\"}", OPENAI_CHUNK_EMPTY},
                {"ping", OPENAI_CHUNK_BROKEN},
                {"[1]", OPENAI_CHUNK_BROKEN},
                {"null", OPENAI_CHUNK_BROKEN},
                {"{\"error\":\"x\"}", OPENAI_CHUNK_ERROR},
                {"[{\"error\":{}}]", OPENAI_CHUNK_ERROR},
                {"{\"detail\":\"x\"}", OPENAI_CHUNK_ERROR},
                {"{\"choices\":[{\"finish_reason\":\"error\"}]}", OPENAI_CHUNK_ERROR}};
    struct openai_reply reply;
    char told[256];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cr_expect_eq(feed(rows[i].data, &reply, told, sizeof(told)), rows[i].chunk, "%s",
                     rows[i].data);
    cr_expect(openai_stream_is_empty(&stream));
}

Test(openai_stream, more_calls_than_are_told_apart)
{
    struct openai_reply reply;
    char data[512], told[512];
    for (int i = 0; i < OPENAI_CALLS_MAX + 3; i++) {
        snprintf(data, sizeof(data), CALLS("{\"id\":\"c%d\",\"function\":{\"name\":\"f\"}}"), i);
        cr_expect_eq(feed(data, &reply, told, sizeof(told)), OPENAI_CHUNK_GOOD);
        cr_expect_eq(strstr(told, "\"index\":0,\"id\"") != NULL, i == 0);
    }
    cr_expect_str_eq(told, data, "the last passes as it is");
}
