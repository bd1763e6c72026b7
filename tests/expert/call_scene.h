/* One call on a scripted transport, and what its caller is told. */
#pragma once

#include "expert/call.h"
#include "scripted_transport.h"

#define CALL_SCENE_KEY "sk-1234567890"

struct call_scene {
    struct scripted_transport script;
    struct expert expert; /* a test may change it before it asks */
    struct arena *arena;
    struct openai_request chat;
    bool certainty; /* is asked for; a test may set it before it asks */
    struct expert_call *call;
    enum status status;
    struct expert_answer answer; /* of the end; its body is in `body` */
    char body[1024], complaint[256];
    char chunks[2048]; /* a line each */
    unsigned done;
};

/* The expert "e" at https://up/v1, on Tue, 14 Nov 2023 22:13:20 GMT. */
void call_scene_begin(struct call_scene *s, const struct dialect *dialect);
/* A chat completion's request, streamed if it says so. */
NODISCARD enum status call_scene_start(struct call_scene *s, const char *chat, struct error *err);
/* The same with a question and the members `rest` (",\"stream\":true"); fails the test where it cannot start. */
struct scripted_call *call_scene_ask(struct call_scene *s, const char *rest);
void call_scene_end(struct call_scene *s);
