/* A verifier on a clock that stands still: what it was asked last, and what it has said. */
#pragma once

#include "base/virtual_clock.h"
#include "verify/verify.h"

#define SCENE_ENDS_MAX 2048

struct scene {
    struct virtual_clock clock;
    struct verify_settings settings;
    struct verifier *verifier;
    struct verify_thread on;
    struct verify_end ends[SCENE_ENDS_MAX];
    size_t end_count;
    bool inside; /* of verifier_begin: nothing may be told */
};

void scene_init(struct scene *s, enum verify_kind kind);
void scene_start(struct scene *s); /* after `settings` are what they should be */
void scene_done(struct scene *s);
struct verify_task *scene_begin(struct scene *s, const struct verify_input *input);
/* Settles until so many ends are there; fails the test after a minute. */
void scene_wait(struct scene *s, size_t count);
/* One check of a question and an answer, from begin to end. */
const struct verify_end *scene_ask(struct scene *s, const char *question, const char *answer);
struct json_value scene_json(const char *text);
