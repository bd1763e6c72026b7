/* run.json: what is written is read, and what is no such file is refused by name. */
#include "play/settings.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct arena *arena;

static void setup(void)
{
    arena = arena_create(1 << 20);
}

static void teardown(void)
{
    arena_free(arena);
}

TestSuite(settings, .init = setup, .fini = teardown);

Test(settings, what_is_written_is_read)
{
    char path[] = "/tmp/leeroo-settings-XXXXXX";
    struct play_settings s, back;
    struct error err = {0};
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    play_settings_default(&s);
    s.config = "/etc/le\"eroo.yaml";
    s.experts = "small,large";
    s.questions = (struct play_list){{"/a", "/b"}, 2};
    s.generators = (struct play_list){{"gpt"}, 1};
    s.teacher = "gpt";
    s.sandbox = true;
    s.rounds = 7;
    s.members = 4;
    s.workers = 3;
    s.spend_nano_usd = 2500000000;
    s.output_tokens = 512;
    s.seed = UINT64_MAX;
    cr_assert_eq(play_settings_write(&s, path, &err), OK, "%s", err.text);
    cr_assert_eq(play_settings_read(path, arena, &back, &err), OK, "%s", err.text);
    unlink(path);
    cr_assert_str_eq(back.config, s.config);
    cr_assert_str_eq(back.experts, "small,large");
    cr_assert_eq(back.questions.count, 2);
    cr_assert_str_eq(back.questions.items[1], "/b");
    cr_assert_eq(back.generators.count, 1);
    cr_assert_str_eq(back.teacher, "gpt");
    cr_assert_not(back.from_ledger);
    cr_assert(back.sandbox && !back.everything);
    cr_assert_eq(back.rounds, 7);
    cr_assert_eq(back.members, 4);
    cr_assert_eq(back.workers, 3);
    cr_assert_eq(back.spend_nano_usd, 2500000000);
    cr_assert_eq(back.output_tokens, 512);
    cr_assert_eq(back.seed, UINT64_MAX);
}

Test(settings, what_is_left_out_is_as_usual)
{
    struct play_settings s;
    cr_assert_eq(play_settings_parse(STR("{}"), "run.json", arena, &s, NULL), OK);
    cr_assert_eq(s.rounds, PLAY_ROUNDS);
    cr_assert_eq(s.spend_nano_usd, INT64_MAX);
    cr_assert_eq(s.seed, 1);
}

Test(settings, what_is_wrong_is_named)
{
    static const struct {
        const char *text, *named;
    } cases[] = {
        {"{\"rounds\":0}", "rounds"},
        {"{\"rounds\":1.5}", "rounds"},
        {"{\"workers\":1000}", "workers"},
        {"{\"members\":257}", "members"},
        {"{\"config\":3}", "config"},
        {"{\"config\":\"a\\u0000b\"}", "config"},
        {"{\"questions\":\"a\"}", "questions"},
        {"{\"questions\":[1]}", "questions"},
        {"{\"sandbox\":1}", "sandbox"},
        {"{\"seed\":1}", "seed"},
        {"{\"spend_nano_usd\":-1}", "spend_nano_usd"},
        {"[]", "object"},
        {"{", "run.json"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct play_settings s = {.rounds = 99};
        struct error err = {0};
        cr_assert_eq(play_settings_parse(str_from(cases[i].text), "run.json", arena, &s, &err),
                     ERR_INPUT, "%s", cases[i].text);
        cr_assert(strstr(err.text, cases[i].named), "%s: %s", cases[i].text, err.text);
        cr_assert_eq(s.rounds, 99, "untouched");
    }
}
