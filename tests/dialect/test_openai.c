/* Answers and events of the OpenAI dialect, good and odd. */
#include "dialect/openai.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct openai_reply read_reply(const char *text)
{
    struct openai_reply reply;
    struct error err = {0};
    cr_assert_eq(openai_reply_read(str_from(text), &reply, &err), OK, "%s", err.text);
    return reply;
}

Test(openai, whole_answer_with_usage)
{
    struct openai_reply r = read_reply("{\"choices\":[{\"message\":{\"role\":\"assistant\","
                                       "\"content\":\"four\"},\"finish_reason\":\"stop\"}],"
                                       "\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":0}}");
    cr_assert(r.usage.known);
    cr_assert_eq(r.usage.input_tokens, 9);
    cr_assert_eq(r.usage.output_tokens, 0);
    cr_assert_eq(r.characters, 4);
    cr_assert(r.finished && r.has_content && !r.usage_only && !r.is_error);
}

Test(openai, usage_that_is_missing_in_part_is_missing)
{
    cr_assert_not(read_reply("{\"choices\":[]}").usage.known);
    cr_assert_not(read_reply("{\"usage\":null}").usage.known);
    cr_assert_not(read_reply("{\"usage\":{\"prompt_tokens\":3}}").usage.known);
    cr_assert_not(
        read_reply("{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":-1}}").usage.known);
    cr_assert_not(
        read_reply("{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1.5}}").usage.known);
    cr_assert(read_reply("{\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}").usage.known);
}

#define USAGE(details) "{\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1," details "}}"

Test(openai, cached_tokens_are_read_where_reported)
{
    struct openai_reply r = read_reply(USAGE("\"prompt_tokens_details\":{\"cached_tokens\":8}"));
    cr_assert(r.usage.known);
    cr_assert_eq(r.usage.cached_tokens, 8);
    r = read_reply(USAGE("\"input_tokens_details\":{\"cached_tokens\":3}"));
    cr_assert_eq(r.usage.cached_tokens, 3);
    r = read_reply(USAGE("\"prompt_tokens_details\":null"));
    cr_assert(r.usage.known && r.usage.cached_tokens == 0);
    r = read_reply(USAGE("\"prompt_tokens_details\":{\"cached_tokens\":-8}"));
    cr_assert(r.usage.known && r.usage.cached_tokens == 0);
    r = read_reply(USAGE("\"prompt_tokens_details\":7"));
    cr_assert(r.usage.known && r.usage.cached_tokens == 0);
}

static struct openai_usage usage_of(const char *members)
{
    char text[512];
    snprintf(text, sizeof(text), "{\"usage\":{%s}}", members);
    return read_reply(text).usage;
}

Test(openai, counts_are_read_in_the_forms_in_which_servers_write_them)
{
    static const char *const good[] = {
        "\"prompt_tokens\":100.0,\"completion_tokens\":5.0",
        "\"prompt_tokens\":1e2,\"completion_tokens\":50e-1",
        "\"prompt_tokens\":\"100\",\"completion_tokens\":\"5\"",
    };
    static const char *const bad[] = {
        "\"prompt_tokens\":100.5,\"completion_tokens\":5",
        "\"prompt_tokens\":1e30,\"completion_tokens\":5",
        "\"prompt_tokens\":\"\",\"completion_tokens\":5",
        "\"prompt_tokens\":\"many\",\"completion_tokens\":5",
        "\"prompt_tokens\":\"-3\",\"completion_tokens\":5",
        "\"prompt_tokens\":true,\"completion_tokens\":5",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct openai_usage u = usage_of(good[i]);
        cr_expect(u.known && !u.odd && u.input_tokens == 100 && u.output_tokens == 5, "%s",
                  good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct openai_usage u = usage_of(bad[i]);
        cr_expect(!u.known && u.odd, "%s", bad[i]);
    }
}

Test(openai, moonshot_tells_usage_in_the_choice_and_cached_tokens_beside)
{
    struct openai_reply r =
        read_reply("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\",\"usage\":{"
                   "\"prompt_tokens\":100,\"completion_tokens\":5,\"total_tokens\":105,"
                   "\"cached_tokens\":80}}]}");
    cr_assert(r.usage.known && !r.usage_only);
    cr_assert_eq(r.usage.input_tokens, 100);
    cr_assert_eq(r.usage.cached_tokens, 80);
}

/* sub2api #5771, vercel/ai #12425, inspect_ai #5528: what the total holds beyond the sum was billed. */
Test(openai, tokens_beside_the_counts_are_added)
{
    struct openai_usage u =
        usage_of("\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":115,"
                 "\"completion_tokens_details\":{\"reasoning_tokens\":100}");
    cr_expect(u.input_tokens == 10 && u.output_tokens == 105 && u.reasoning_tokens == 100);
    u = usage_of("\"prompt_tokens\":10,\"completion_tokens\":105,\"total_tokens\":115,"
                 "\"completion_tokens_details\":{\"reasoning_tokens\":100}");
    cr_expect(u.input_tokens == 10 && u.output_tokens == 105 && u.reasoning_tokens == 100);
    u = usage_of("\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":115");
    cr_expect(u.input_tokens == 10 && u.output_tokens == 105 && u.reasoning_tokens == 100);
    u = usage_of("\"prompt_tokens\":10,\"completion_tokens\":5,"
                 "\"completion_tokens_details\":{\"reasoning_tokens\":100}");
    cr_expect(u.output_tokens == 105, "more reasoning than output, and no total");
    u = usage_of("\"prompt_tokens\":10,\"completion_tokens\":40,\"total_tokens\":70,"
                 "\"completion_tokens_details\":{\"reasoning_tokens\":30}");
    cr_expect(u.output_tokens == 60 && u.reasoning_tokens == 50, "some within, some beside");
    u = usage_of("\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":65,"
                 "\"cache_read_input_tokens\":50");
    cr_expect(u.input_tokens == 60 && u.cached_tokens == 50 && u.output_tokens == 5);
    u = usage_of("\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":3");
    cr_expect(u.input_tokens == 10 && u.output_tokens == 5, "a total below the sum says nothing");
    u = usage_of("\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":0");
    cr_expect(u.input_tokens == 10 && u.output_tokens == 5);
}

/* litellm #29432: an hour in the cache has a price of its own. */
Test(openai, what_is_kept_for_an_hour_is_read)
{
    struct openai_usage u = usage_of(
        "\"prompt_tokens\":1100,\"completion_tokens\":5,\"cache_creation_input_tokens\":1000,"
        "\"cache_creation\":{\"ephemeral_5m_input_tokens\":400,\"ephemeral_1h_input_tokens\":600}");
    cr_expect(u.cache_write_tokens == 1000 && u.cache_write_1h_tokens == 600);
    u = usage_of("\"prompt_tokens\":1100,\"completion_tokens\":5,\"prompt_tokens_details\":{"
                 "\"cache_creation_token_details\":{\"ephemeral_1h_input_tokens\":600}}");
    cr_expect(u.cache_write_tokens == 600 && u.cache_write_1h_tokens == 600);
}

Test(openai, counts_that_are_none_are_odd)
{
    struct openai_usage u = usage_of("\"prompt_tokens\":-5,\"completion_tokens\":5");
    cr_expect(!u.known && u.odd);
    u = usage_of("\"prompt_tokens\":5,\"completion_tokens\":1e300");
    cr_expect(!u.known && u.odd);
    u = usage_of("\"prompt_tokens\":5,\"completion_tokens\":99999999999999999999");
    cr_expect(!u.known && u.odd);
    u = usage_of("\"prompt_tokens\":5");
    cr_expect(!u.known && !u.odd);
}

Test(openai, of_two_reports_the_larger_counts_stay)
{
    struct openai_usage sum = usage_of("\"prompt_tokens\":100,\"completion_tokens\":50");
    const struct openai_usage zeros = usage_of("\"prompt_tokens\":0,\"completion_tokens\":0"),
                              later = usage_of("\"prompt_tokens\":100,\"completion_tokens\":60");
    openai_usage_merge(&sum, &zeros);
    cr_expect(sum.known && sum.input_tokens == 100 && sum.output_tokens == 50);
    openai_usage_merge(&sum, &later);
    cr_expect(sum.input_tokens == 100 && sum.output_tokens == 60);
}

/* litellm #6215, #31714, #11364: what is cached, written into the cache or thought, apart. */
Test(openai, every_kind_of_token_is_read)
{
    struct openai_reply r = read_reply(
        "{\"usage\":{\"prompt_tokens\":98805,\"completion_tokens\":5120,"
        "\"prompt_tokens_details\":{\"cached_tokens\":66360,\"cache_creation_tokens\":32435},"
        "\"completion_tokens_details\":{\"reasoning_tokens\":1710},"
        "\"cache_read_input_tokens\":1,\"cache_creation_input_tokens\":2}}");
    cr_expect(r.usage.known && r.usage.input_tokens == 98805 && r.usage.output_tokens == 5120);
    cr_expect(r.usage.cached_tokens == 66360 && r.usage.cache_write_tokens == 32435);
    cr_expect_eq(r.usage.reasoning_tokens, 1710);
    r = read_reply(USAGE("\"cache_read_input_tokens\":5,\"cache_creation_input_tokens\":2"));
    cr_expect(r.usage.cached_tokens == 5 && r.usage.cache_write_tokens == 2);
    r = read_reply(USAGE("\"prompt_cache_hit_tokens\":4,\"output_tokens_details\":"
                         "{\"reasoning_tokens\":1}"));
    cr_expect(r.usage.cached_tokens == 4 && r.usage.cache_write_tokens == 0);
    cr_expect_eq(r.usage.reasoning_tokens, 1);
    r = read_reply(USAGE("\"prompt_tokens_details\":{\"cached_tokens\":0},"
                         "\"completion_tokens_details\":{\"reasoning_tokens\":-1}"));
    cr_expect(r.usage.known && r.usage.cached_tokens == 0 && r.usage.reasoning_tokens == 0);
}

Test(openai, chunks)
{
    struct openai_reply r = read_reply("{\"choices\":[{\"delta\":{\"role\":\"assistant\","
                                       "\"content\":\"\"},\"finish_reason\":null}]}");
    cr_assert(!r.has_content && !r.finished && !r.usage_only);
    r = read_reply("{\"choices\":[{\"delta\":{\"content\":\"Hi\"}}],\"usage\":null}");
    cr_assert(r.has_content && r.characters == 2);
    r = read_reply(
        "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"id\":\"x\",\"function\":{\"name\":\"f\","
        "\"arguments\":\"{}\"}}]}}]}");
    cr_assert(r.has_content && r.characters == 3);
    r = read_reply("{\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}]}");
    cr_assert(r.has_content && r.finished && r.ended.of[0] == 1);
    r = read_reply("{\"choices\":[{\"index\":64,\"finish_reason\":\"\"},{\"index\":1000}]}");
    cr_assert(!r.has_content && !r.finished && r.has_blank_finish && r.ended.of[1] == 0);
    cr_assert(r.begun.of[0] == 0 && r.begun.of[1] == 1);
    r = read_reply("{\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}");
    cr_assert(r.usage_only && r.usage.known && !r.has_content);
}

Test(openai, errors_inside_a_success)
{
    cr_assert(read_reply("{\"error\":{\"message\":\"no\"}}").is_error);
    cr_assert(read_reply("[{\"error\":{\"message\":\"no\"}}]").is_error);
    cr_assert_not(read_reply("{\"error\":null,\"choices\":[]}").is_error);
    cr_assert(read_reply("{\"detail\":[{\"msg\":\"no\"}]}").is_error);
    cr_assert(read_reply("{\"type\":\"error\",\"content\":[]}").is_error);
    cr_assert(read_reply("{\"choices\":[{\"error\":{\"code\":502}}]}").is_error);
    cr_assert(read_reply("{\"choices\":[{\"finish_reason\":\"Network_Error\"}]}").is_error);
    cr_assert_not(read_reply("{\"choices\":[{\"error\":null}],\"message\":\"Success\"}").is_error);
    cr_assert_not(read_reply("{\"object\":\"list\",\"data\":[],\"message\":\"ok\"}").is_error);
    cr_assert_not(read_reply("{\"message\":\"ok\",\"usage\":{\"prompt_tokens\":1}}").is_error);
    struct openai_reply r;
    cr_assert_eq(openai_reply_read(STR("[1]"), &r, NULL), ERR_INPUT);
    cr_assert_eq(openai_reply_read(STR("<html>"), &r, NULL), ERR_INPUT);
}

static struct openai_error read_error(const char *body)
{
    struct openai_error e;
    openai_error_read(str_from(body), &e);
    return e;
}

Test(openai, error_bodies_of_many_makers)
{
    struct openai_error e = read_error("{\"error\":{\"message\":\"slow down\",\"code\":429}}");
    cr_assert(e.standard && e.http_status == 429);
    e = read_error("{\"error\":{\"message\":\"x\",\"code\":\"rate_limit\"}}");
    cr_assert(e.standard && e.http_status == 0);
    e = read_error("{\"error\":\"plain\"}");
    cr_assert(!e.standard && e.message.type == JSON_STRING);
    e = read_error("{\"detail\":\"Not Found\"}");
    cr_assert(!e.standard && str_equal(e.message.raw, STR("\"Not Found\"")));
    e = read_error("[{\"error\":{\"message\":\"m\",\"code\":503}}]");
    cr_assert(!e.standard && e.http_status == 503);
    e = read_error("{\"base_resp\":{\"status_code\":1,\"status_msg\":\"busy\"}}");
    cr_assert(!e.standard && str_equal(e.message.raw, STR("\"busy\"")));
    e = read_error("{\"choices\":[{\"error\":{\"code\":503,\"message\":\"m\"}}]}");
    cr_assert(!e.standard && e.http_status == 503 && e.message.type == JSON_STRING);
    e = read_error("{\"choices\":[{\"finish_reason\":\"error\"}]}");
    cr_assert(str_equal(e.message.raw, STR("\"error\"")));
    cr_assert_eq(read_error("<html>").message.type, JSON_NONE);
    cr_assert_eq(read_error("").message.type, JSON_NONE);
}

Test(openai, the_longest_delay_in_a_body)
{
    cr_assert_eq(read_error("{\"error\":{\"message\":\"x\",\"retry_after\":3}}").retry_after_ms,
                 3000);
    cr_assert_eq(
        read_error("{\"error\":{\"message\":\"x\",\"retry_after\":3,\"retry_after_ms\":4500}}")
            .retry_after_ms,
        4500);
    cr_assert_eq(
        read_error("{\"error\":{\"message\":\"x\",\"details\":[{},{\"retryDelay\":\"2.5s\"}]}}")
            .retry_after_ms,
        2500);
    cr_assert_eq(read_error("{\"retry_after\":\"nonsense\"}").retry_after_ms, 0);
}

Test(openai, error_bodies_written_here_are_standard)
{
    struct buf out;
    buf_init(&out, 1000);
    openai_error_write(&out, STR("a \"b\"\n"), "t", NULL, "c");
    cr_assert_str_eq(out.ptr,
                     "{\"error\":{\"message\":\"a \\\"b\\\"\\n\",\"type\":\"t\",\"param\":null,"
                     "\"code\":\"c\"}}");
    cr_assert(read_error(out.ptr).standard);
    buf_done(&out);
}
