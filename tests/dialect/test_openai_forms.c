/* Completions as chunks, and chunks as completions. */
#include "forms_testing.h"

Test(openai_forms, both_ways)
{
    forms_expect_both(
        &openai_forms,
        "{\"id\":\"c1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":["
        "{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"a\\u00e9\","
        "\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\","
        "\"arguments\":\"{}\"}}]},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
        "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2},\"x\":{\"y\":[1]}}",
        "{\"object\":\"chat.completion.chunk\",\"id\":\"c1\",\"created\":1,\"model\":\"m\",\"x\":"
        "{\"y\":[1]},\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":"
        "\"a\\u00e9\",\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"type\":\"function\",\"function\":"
        "{\"name\":\"f\",\"arguments\":\"{}\"}}]},\"finish_reason\":null}]}\n"
        "{\"object\":\"chat.completion.chunk\",\"id\":\"c1\",\"created\":1,\"model\":\"m\",\"x\":"
        "{\"y\":[1]},\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n"
        "{\"object\":\"chat.completion.chunk\",\"id\":\"c1\",\"created\":1,\"model\":\"m\",\"x\":"
        "{\"y\":[1]},\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n"
        "[DONE]\n",
        "{\"object\":\"chat.completion\",\"id\":\"c1\",\"created\":1,\"model\":\"m\",\"x\":{\"y\":"
        "[1]},\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
        "\"a\\u00e9\",\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":"
        "\"f\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":"
        "1,\"completion_tokens\":2}}");
}

#define CHOICE(index, rest) "{\"choices\":[{\"index\":" index "," rest "}]}\n"

Test(openai_forms, choices_and_calls_out_of_order)
{
    forms_expect_gathered(
        &openai_forms,
        CHOICE("1", "\"delta\":{\"content\":\"b\"}") CHOICE(
            "0",
            "\"delta\":{\"tool_calls\":[{"
            "\"index\":1,\"id\":\"y\",\"function\":{\"name\":\"g\"}},{\"index\":0,\"id\":\"x\"}]}")
            CHOICE("0",
                   "\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"{}\"}}]}")
                CHOICE("1", "\"delta\":{\"content\":\"c\"},\"finish_reason\":\"stop\""),
        OK,
        "{\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
        "\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"x\"},{\"id\":\"y\",\"type\":"
        "\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]},\"finish_reason\":null}"
        ",{\"index\":1,\"message\":"
        "{\"role\":\"assistant\",\"content\":\"bc\"},\"finish_reason\":\"stop\"}]}");
}

Test(openai_forms, pieces_of_thinking)
{
#define PIECE(rest)                                                                                \
    CHOICE("0", "\"delta\":{\"thinking_blocks\":[{\"type\":\"thinking\"," rest "}]}")
    forms_expect_gathered(
        &openai_forms,
        PIECE("\"thinking\":\"a\",\"signature\":\"\"") PIECE("\"thinking\":\"b\"")
            PIECE("\"thinking\":\"\",\"signature\":\"S\"") PIECE("\"thinking\":\"c\""),
        OK,
        "{\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
        "\"assistant\",\"content\":null,\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":"
        "\"ab\",\"signature\":\"S\"},{\"type\":\"thinking\",\"thinking\":\"c\"}]},"
        "\"finish_reason\":null}]}");
}

Test(openai_forms, nothing_and_nonsense)
{
    forms_expect_gathered(&openai_forms, "", ERR_UPSTREAM, "");
    forms_expect_gathered(&openai_forms, "1\n[]\n{\"choices\":[1,{\"index\":-1},{\"index\":999}]}",
                          ERR_UPSTREAM, "");
}

Test(openai_forms, what_is_too_long)
{
    void *gathered = openai_forms.create(2000);
    struct error err;
    struct buf out;
    buf_init(&out, FORMS_BYTES_MAX);
    for (int i = 0; i < 1000; i++)
        openai_forms.add(gathered, STR("{\"choices\":[{\"delta\":{\"content\":\"words\"}}]}"));
    cr_expect_eq(openai_forms.write(gathered, &out, &err), ERR_TOO_LARGE);
    openai_forms.free(gathered);
    buf_done(&out);
}
