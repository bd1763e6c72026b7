/* See verify_scene.h. */
#include "verify/verify_scene.h"

#include <criterion/criterion.h>
#include <time.h>

#include "base/clock.h"

void scene_init(struct scene *s, enum verify_kind kind)
{
    *s = (struct scene){.settings = verify_settings_usual(kind)};
    virtual_clock_init(&s->clock, 1000);
    s->on.scheduler = &s->clock.scheduler;
}

void scene_start(struct scene *s)
{
    struct error err = {0};
    cr_assert_eq(verifier_create(&s->settings, &s->verifier, &err), OK, "%s", err.text);
}

void scene_done(struct scene *s)
{
    verifier_free(s->verifier);
    virtual_clock_settle(&s->clock); /* messages of what was cancelled */
    virtual_clock_done(&s->clock);
}

static void done(void *user, const struct verify_end *end)
{
    struct scene *s = user;
    cr_assert(!s->inside && s->end_count < SCENE_ENDS_MAX);
    s->ends[s->end_count++] = *end;
}

struct verify_task *scene_begin(struct scene *s, const struct verify_input *input)
{
    struct verify_task *t = NULL;
    struct error err = {0};
    s->inside = true;
    cr_assert_eq(verifier_begin(s->verifier, &s->on, input, done, s, &t, &err), OK, "%s", err.text);
    s->inside = false;
    return t;
}

void scene_wait(struct scene *s, size_t count)
{
    const uint64_t until_ms = clock_now_ms() + 60000;
    const struct timespec moment = {.tv_nsec = 1000000};
    for (virtual_clock_settle(&s->clock); s->end_count < count; virtual_clock_settle(&s->clock)) {
        cr_assert_lt(clock_now_ms(), until_ms, "%zu of %zu", s->end_count, count);
        nanosleep(&moment, NULL);
    }
}

const struct verify_end *scene_ask(struct scene *s, const char *question, const char *answer)
{
    const struct verify_input input = {.question = str_from(question), .answer = str_from(answer)};
    scene_begin(s, &input);
    scene_wait(s, s->end_count + 1);
    return &s->ends[s->end_count - 1];
}

struct json_value scene_json(const char *text)
{
    struct json_value root;
    struct error err = {0};
    cr_assert_eq(json_parse(str_from(text), "test", 1, &root, &err), OK, "%s", err.text);
    return root;
}
