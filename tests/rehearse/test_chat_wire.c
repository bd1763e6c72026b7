/* The chat dialect: requests read, answers written, texts cut into pieces. */
#include "rehearse/chat_wire.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/json.h"

static struct arena *arena;
static struct error err;

static void setup(void)
{
    arena = arena_create(1 << 20);
}

static void teardown(void)
{
    arena_free(arena);
}

TestSuite(chat, .init = setup, .fini = teardown);

static struct chat_request parse(const char *body)
{
    struct chat_request r;
    cr_assert_eq(chat_request_parse(str_from(body), arena, &r, &err), OK, "%s", err.text);
    return r;
}

Test(chat, last_user_message)
{
    struct chat_request r =
        parse("{\"model\":\"a\",\"messages\":[{\"role\":\"system\",\"content\":\"s\"},"
              "{\"role\":\"user\",\"content\":\"one\"},{\"role\":\"assistant\","
              "\"content\":\"x\"},{\"role\":\"user\",\"content\":\"t\\u0077o\"},"
              "{\"role\":\"assistant\",\"content\":\"y\"}],\"stream\":true}");
    cr_assert(str_equal(r.model, STR("a")));
    cr_assert(str_equal(r.prompt, STR("two")));
    cr_assert(r.stream);
    cr_assert_not(r.include_usage);
}

Test(chat, text_parts)
{
    struct chat_request r =
        parse("{\"model\":\"a\",\"stream_options\":{\"include_usage\":true},\"messages\":[{"
              "\"role\":\"user\","
              "\"content\":[{\"type\":\"text\",\"text\":\"one\"},{\"type\":\"image_url\"},"
              "{\"type\":\"text\",\"text\":\"two\"}]}]}");
    cr_assert(str_equal(r.prompt, STR("one\ntwo")));
    cr_assert(r.include_usage);
    cr_assert_not(r.stream);
}

Test(chat, bad_requests)
{
    static const char *const bodies[] = {
        "",
        "[]",
        "{}",
        "{\"model\":1,\"messages\":[]}",
        "{\"model\":\"a\"}",
        "{\"model\":\"a\",\"messages\":[]}",
        "{\"model\":\"a\",\"messages\":[{\"role\":\"user\"}]}",
        "{\"model\":\"a\",\"messages\":[{\"role\":\"system\",\"content\":\"x\"}]}",
        "{\"model\":"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct chat_request r;
        err.text[0] = '\0';
        cr_expect_neq(chat_request_parse(str_from(bodies[i]), arena, &r, &err), OK, "%s",
                      bodies[i]);
        cr_expect_gt(strlen(err.text), 0);
    }
}

static const struct rehearse_answer recorded = {{"He said \"hi\".\n", 14}, 12, 34};
static const struct chat_answer answer = {1, 1700000000, {"a", 1}, true, &recorded};

Test(chat, whole_answer_is_json)
{
    struct buf out;
    struct json_value root, choice;
    buf_init(&out, 1 << 20);
    chat_write_whole(&out, &answer);
    cr_assert_eq(json_parse(buf_str(&out), "answer", 1, &root, &err), OK, "%s", err.text);
    struct json_iter it = json_iter_begin(json_get(root, "choices"));
    cr_assert(json_array_next(&it, &choice));
    cr_assert(json_string_equal(json_get(json_get(choice, "message"), "content"), recorded.text));
    int64_t total = 0;
    cr_assert_eq(json_to_int64(json_get(json_get(root, "usage"), "total_tokens"), &total), OK);
    cr_assert_eq(total, 46);
    buf_done(&out);
}

Test(chat, stream_ends_with_usage_and_done)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    chat_write_finish(&out, &answer);
    cr_assert(strstr(out.ptr, "\"finish_reason\":\"stop\""));
    cr_assert(strstr(out.ptr, "\"choices\":[],\"usage\":{\"prompt_tokens\":12"));
    cr_assert(str_ends(buf_str(&out), STR("data: [DONE]\n\n")));
    buf_done(&out);
}

static void check_pieces(struct str text)
{
    size_t count = 0, at = 0;
    for (; at < text.len; count++) {
        struct str piece = chat_piece(text, at);
        cr_assert_eq(piece.ptr, text.ptr + at);
        cr_assert_gt(piece.len, 0);
        cr_assert_leq(piece.len, 2 * CHAT_PIECE_BYTES_MAX + 3);
        cr_assert(utf8_valid(piece), "half a character");
        at += piece.len;
    }
    cr_assert_eq(at, text.len);
    cr_assert_eq(count, chat_piece_count(text));
}

Test(chat, pieces)
{
    char blanks[200];
    memset(blanks, '\n', sizeof(blanks));
    check_pieces(STR("Hello, dear  world!\n\nBye. "));
    check_pieces(
        STR("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82"
            "\xac\xe2\x82\xac\xe2\x82\xac\xf0\x9f\x98\x80\xf0\x9f\x98\x80"));
    check_pieces((struct str){blanks, sizeof(blanks)});
    check_pieces(STR(""));
    cr_assert_eq(chat_piece_count(STR("one two three")), 3);
}
