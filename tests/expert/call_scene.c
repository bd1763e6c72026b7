/* The caller of a call, who writes down what it is told. */
#include "call_scene.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void on_event(struct expert_call *c, const struct expert_event *event)
{
    struct call_scene *s = expert_call_user(c);
    size_t len = strlen(s->chunks);
    snprintf(s->chunks + len, sizeof(s->chunks) - len, "%.*s\n", STR_FMT(event->data));
}

static void on_flush(struct expert_call *c)
{
    (void)c;
}

static void on_done(struct expert_call *c, enum status status, const struct error *err)
{
    struct call_scene *s = expert_call_user(c);
    s->done++;
    s->status = status;
    s->answer = *expert_call_answer(c);
    snprintf(s->body, sizeof(s->body), "%.*s", STR_FMT(s->answer.body));
    snprintf(s->complaint, sizeof(s->complaint), "%s", status == OK ? "" : err->text);
}

static int64_t wall_ms(void)
{
    return 1700000000000;
}

void call_scene_begin(struct call_scene *s, const struct dialect *dialect)
{
    *s = (struct call_scene){.arena = arena_create(1 << 20)};
    cr_assert(s->arena);
    scripted_init(&s->script);
    s->expert = (struct expert){.name = STR("e"),
                                .url = STR("https://up/v1"),
                                .api_key = STR(CALL_SCENE_KEY),
                                .upstream_model = STR("big"),
                                .dialect = dialect,
                                .max_output_tokens = 100};
}

enum status call_scene_start(struct call_scene *s, const char *chat, struct error *err)
{
    cr_assert_eq(openai_request_parse(str_from(chat), true, s->arena, &s->chat, NULL, err), OK,
                 "%s", err->text);
    const struct expert_call_options o = {.expert = &s->expert,
                                          .chat = &s->chat,
                                          .scratch = s->arena,
                                          .stream = s->chat.stream,
                                          .certainty = s->certainty,
                                          .answer_bytes_max = 4096,
                                          .wall_ms = wall_ms,
                                          .user = s,
                                          .on_event = on_event,
                                          .on_flush = on_flush,
                                          .on_done = on_done};
    return expert_call_start(&s->script.transport, &o, &s->call, err);
}

struct scripted_call *call_scene_ask(struct call_scene *s, const char *rest)
{
    struct error err = {0};
    char *chat = arena_printf(s->arena,
                              "{\"model\":\"leeroo\",\"messages\":[{\"role\":\"user\","
                              "\"content\":\"2+2\"}]%s}",
                              rest);
    cr_assert_eq(call_scene_start(s, chat, &err), OK, "%s", err.text);
    return scripted_at(&s->script, 0);
}

void call_scene_end(struct call_scene *s)
{
    cr_expect_leq(s->done, 1);
    arena_free(s->arena);
    s->arena = NULL;
}
