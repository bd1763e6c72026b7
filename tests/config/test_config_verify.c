/* The key `verify` of a policy: kinds, files of a command, names, and what is refused in which line. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"

#define HEAD                                                                                       \
    "model: m\nexperts:\n  - {name: a, url: \"http://h/v1\"}\n  - {name: b, url: "                 \
    "\"http://h/v1\"}\n"
#define REST HEAD "policies:\n  p: {lambda: 1}\n  q:\n    verify: "

static char folder[] = "/tmp/leeroo-verify-XXXXXX", place[100];

static void make(const char *name)
{
    char path[100];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    const int fd = open(path, O_CREAT | O_WRONLY, 0644);
    cr_assert_geq(fd, 0, "%s", path);
    close(fd);
}

static void setup(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(place, sizeof(place), "%s/tests", folder);
    cr_assert_eq(mkdir(place, 0755), 0);
    snprintf(place, sizeof(place), "%s/leeroo.yaml", folder);
    make("check.py");
    make("words");
    setenv("LEEROO_TEST_KEY", "sk-of-a-check", 1);
}

static void teardown(void)
{
    char remove[200];
    static const char *const names[] = {"/check.py", "/words"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(remove, sizeof(remove), "%s%s", folder, names[i]);
        unlink(remove);
    }
    snprintf(remove, sizeof(remove), "%s/tests", folder);
    rmdir(remove);
    rmdir(folder);
}

TestSuite(config_verify, .init = setup, .fini = teardown);

static struct config *parse(const char *verify)
{
    struct config *c = NULL;
    struct error err = {0};
    char text[2000];
    snprintf(text, sizeof(text), REST "%s\n", verify);
    cr_assert_eq(config_parse(str_from(text), place, &c, &err), OK, "%s: %s", verify, err.text);
    cr_assert_eq(c->verify[0].kind, VERIFY_NONE);
    return c;
}

static void refuse(const char *verify, const char *why)
{
    struct config *c = NULL;
    struct error err = {0};
    char text[4000];
    snprintf(text, sizeof(text), REST "%s\n", verify);
    cr_expect_eq(config_parse(str_from(text), "l.yaml", &c, &err), ERR_INPUT, "%s", verify);
    cr_expect(strstr(err.text, why), "%s: '%s'", verify, err.text);
    config_free(c);
}

static void is_path(const char *found, const char *name)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    cr_expect_str_eq(found, path);
}

static void is_called(const struct config *c, const char *name)
{
    cr_expect(str_equal(c->verify[1].name, str_from(name)), "'%.*s'", STR_FMT(c->verify[1].name));
}

Test(config_verify, a_command_has_limits_that_are_usual)
{
    struct config *c = parse("{command: [python3, check.py]}");
    const struct verify_settings *s = &c->verify[1];
    cr_expect_eq(s->kind, VERIFY_COMMAND);
    cr_expect_str_eq(s->command[0], "python3");
    is_path(s->command[1], "check.py");
    cr_expect_null(s->command[2]);
    is_path(s->files[0], "check.py");
    cr_expect_null(s->files[1]);
    is_called(c, "command:check.py");
    cr_expect_eq(s->timeout_ms, VERIFY_TIMEOUT_MS_USUAL);
    cr_expect_eq(s->memory_bytes, VERIFY_MEMORY_USUAL);
    cr_expect_eq(s->cpu_s, VERIFY_CPU_S_USUAL);
    cr_expect_eq(s->workers, VERIFY_WORKERS_USUAL);
    cr_expect_eq(s->queue, VERIFY_QUEUE_USUAL);
    cr_expect_eq(s->false_pass, VERIFY_ERRORS_USUAL);
    cr_expect_not(s->strict);
    config_free(c);
}

Test(config_verify, a_command_has_limits_of_its_own)
{
    struct config *c = parse("{command: [/bin/sh, -c, 'python3 -'], timeout: 3s, memory: 64MiB, "
                             "cpu: 1500ms, workers: 4, queue: 0, price: 0.0001, false_pass: 0.1, "
                             "false_alarm: 0.2, strict: true, name: tests}");
    const struct verify_settings *s = &c->verify[1];
    cr_expect_str_eq(s->command[0], "/bin/sh");
    cr_expect_str_eq(s->command[1], "-c");
    cr_expect_str_eq(s->command[2], "python3 -");
    cr_expect_eq(s->timeout_ms, 3000);
    cr_expect_eq(s->memory_bytes, 64u << 20);
    cr_expect_eq(s->cpu_s, 2);
    cr_expect_eq(s->workers, 4);
    cr_expect_eq(s->queue, 0);
    cr_expect_eq(s->price_nano_usd, 100000);
    cr_expect_eq(s->false_pass, .1);
    cr_expect_eq(s->false_alarm, .2);
    cr_expect(s->strict);
    is_called(c, "tests");
    config_free(c);
}

Test(config_verify, words_that_name_files_mean_those_beside_the_configuration)
{
    struct config *c =
        parse("{command: [./check.py, tests, words, -words, nothing, ''], files: [tests]}");
    const struct verify_settings *s = &c->verify[1];
    is_path(s->command[0], "./check.py");
    is_path(s->command[1], "tests");
    is_path(s->command[2], "words");
    cr_expect_str_eq(s->command[3], "-words");
    cr_expect_str_eq(s->command[4], "nothing");
    cr_expect_str_eq(s->command[5], "");
    is_path(s->files[0], "./check.py");
    is_path(s->files[1], "words");
    is_path(s->files[2], "tests");
    cr_expect_null(s->files[3]);
    config_free(c);
    c = parse("{command: [words, \"a b\"]}"); /* a program without a slash is one of PATH */
    cr_expect_str_eq(c->verify[1].command[0], "words");
    cr_expect_null(c->verify[1].files);
    is_called(c, "command:words");
    config_free(c);
}

Test(config_verify, a_service_has_a_key_in_the_environment)
{
    struct config *c =
        parse("{http: 'https://h:9/check/', key: 'env:LEEROO_TEST_KEY', timeout: 2s}");
    const struct verify_settings *s = &c->verify[1];
    cr_expect_eq(s->kind, VERIFY_HTTP);
    cr_expect_str_eq(s->url, "https://h:9/check/");
    cr_expect(str_equal(s->key, STR("sk-of-a-check")));
    cr_expect_eq(s->timeout_ms, 2000);
    is_called(c, "http:h:9");
    config_free(c);
}

Test(config_verify, schemas_are_believed_and_experts_have_rubrics)
{
    struct config *c = parse("{schema: true, price: 0.00000001}");
    cr_expect_eq(c->verify[1].kind, VERIFY_SCHEMA);
    cr_expect_eq(c->verify[1].false_pass, 0);
    cr_expect_eq(c->verify[1].price_nano_usd, 10);
    is_called(c, "schema");
    config_free(c);
    c = parse("{expert: b, rubric: \"It must rhyme.\"}");
    cr_expect_eq(c->verify[1].kind, VERIFY_EXPERT);
    cr_expect_eq(c->verify[1].expert_index, 1);
    cr_expect(str_equal(c->verify[1].rubric, STR("It must rhyme.")));
    is_called(c, "expert:b");
    config_free(c);
}

Test(config_verify, exactly_one_kind_is_right)
{
    refuse("{}", "l.yaml:8:13: verify must have exactly one of command, http, schema and expert");
    refuse("{strict: true}", "exactly one of");
    refuse("{schema: true, expert: a}", "exactly one of");
    refuse("tests", "l.yaml:8:13: verify must be a section like");
    refuse("[schema]", "l.yaml:8:13: verify must be a section like");
    refuse("{schema: false}", "schema must be true");
    refuse("{schema: maybe}", "schema must be true or false");
    refuse("{schema: true, comand: [x]}",
           "unknown key 'comand' in verify; did you mean 'command'?");
}

Test(config_verify, mistakes_are_named_with_their_place)
{
    refuse("{command: python3}", "l.yaml:8:23: command must be a list like [python3, check.py]");
    refuse("{command: []}", "not an empty one");
    refuse("{command: ['']}", "command must begin with a program");
    refuse("{command: [a, [b]]}", "l.yaml:8:27: command must be a list of texts");
    refuse("{command: [a, \"b\\0c\"]}", "command must be a list of texts");
    refuse("{command: [a], files: b}", "files must be a list like");
    refuse("{command: [a], files: [no-such-file]}", "l.yaml:8:36: files: there is no '/");
    refuse("{command: [a], files: [no-such-file]}",
           "/no-such-file'; paths are meant from the folder of this file");
    refuse("{command: [a], cpu: 10ms}", "cpu must be between 1000 and 600000");
    refuse("{command: [a], memory: 1KiB}", "memory must be between");
    refuse("{command: [a], workers: 0}", "workers must be between 1 and 64");
    refuse("{command: [a], timeout: 1h}", "timeout must be between 1 and 600000");
    refuse("{command: [a], false_pass: 1.5}", "false_pass must be between 0 and 1");
    refuse("{command: [a], false_pass: .5, false_alarm: .5}", "together must be below 1");
    refuse("{command: [a], price: free}", "price must be an amount in USD");
    refuse("{command: [a], name: my tests}", "l.yaml:8:34: name must be at most 64");
    refuse("{command: [a], name: [b]}", "name must be at most 64");
    refuse("{http: ftp://h/}", "l.yaml:8:20: http: it must start with http:// or https://");
    refuse("{http: 'http://me:secret@h/'}", "must not hold credentials");
    refuse("{http: 'http://h/', key: sk-1}", "key must be env:NAME");
    refuse("{http: 'http://h/', key: 'env:LEEROO_NO_SUCH'}", "export LEEROO_NO_SUCH=");
    refuse("{expert: nobody}", "l.yaml:8:22: verify: no expert 'nobody' is listed under experts");
}

Test(config_verify, keys_of_another_kind_are_refused)
{
    refuse("{schema: true, timeout: 1s}",
           "l.yaml:8:37: timeout is of a command, http or an expert");
    refuse("{http: 'http://h/', memory: 64MiB}", "memory is of a command; leave it out");
    refuse("{expert: a, files: [words]}", "files is of a command");
    refuse("{command: [a], key: 'env:LEEROO_TEST_KEY'}", "key is of an http check");
    refuse("{command: [a], rubric: x}", "rubric is of an expert");
    refuse("{expert: a, price: 1}", "price is of commands, services and schemas");
}

Test(config_verify, too_much_is_refused)
{
    struct buf text;
    buf_init(&text, 4000);
    buf_add_c(&text, "{command: [a");
    for (int i = 0; i < VERIFY_WORDS_MAX; i++)
        buf_add_c(&text, ", x");
    buf_add_c(&text, "]}");
    refuse(text.ptr, "command: 64 items; at most 63 are possible");
    buf_done(&text);
}

Test(config_verify, without_policies_there_is_no_check)
{
    struct config *c = NULL;
    struct error err = {0};
    const struct policy policy = {.lambda = 1};
    cr_assert_eq(config_parse(STR(HEAD), "l.yaml", &c, &err), OK, "%s", err.text);
    cr_expect_eq(c->verify[0].kind, VERIFY_NONE);
    cr_assert_eq(config_override_policy(c, "more", &policy, &err), OK);
    cr_expect_eq(c->verify[c->default_policy].kind, VERIFY_NONE);
    config_free(c);
}
