/* Encoders of files: opened once, found where the configuration says, refused when they are not the model's. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lm/lm.h"
#include "lm/tiny_gguf.h"
#include "reader/encoder_open.h"

static char path[64], other[64];
static struct error err;

static void setup(void)
{
    snprintf(path, sizeof(path), "/tmp/leeroo_open_%d.gguf", (int)getpid());
    snprintf(other, sizeof(other), "/tmp/leeroo_open_%d_other.gguf", (int)getpid());
    tiny_gguf_write(path, TINY_BERT, 1);
    tiny_gguf_write(other, TINY_BERT, 2);
}

static void teardown(void)
{
    unlink(path);
    unlink(other);
}

TestSuite(encoder_open, .init = setup, .fini = teardown);

static struct encoder_spec spec_of(const char *file)
{
    return (struct encoder_spec){.name = "tiny", .gguf = file};
}

static const struct encoder *open_ok(const struct encoder_spec *s)
{
    const struct encoder *e = NULL;
    cr_assert_eq(encoder_open(s, &e, &err), OK, "%s", err.text);
    return e;
}

static enum status of_model(const char *fingerprint, const char *spec, const struct encoder **ret)
{
    return encoder_open_of_model(STR("tiny"), str_from(fingerprint), str_from(spec), ret, &err);
}

static const char *spec_in(const char *format, const char *file)
{
    static char text[200];
    int n = snprintf(text, sizeof(text), "{\"name\":\"tiny\",\"gguf\":\"%s\"%s}", file, format);
    cr_assert_lt(n, (int)sizeof(text));
    return text;
}

static void need_llama(void)
{
    if (!lm_is_built())
        cr_skip_test("skipped: no llama.cpp");
}

Test(encoder_open, a_file_is_opened_once_and_reads)
{
    need_llama();
    struct encoder_spec s = spec_of(path);
    const struct encoder *e = open_ok(&s);
    s.limits.max_wait_ms = 7;
    cr_assert_eq(open_ok(&s), e);
    struct encoder_reading list[ENCODERS_OPEN_MAX];
    cr_assert_eq(encoders_read(list), 1);
    cr_assert_str_eq(list[0].name, "tiny");
    cr_assert_eq(e->dense_count, TINY_WIDTH);
    float *work = e->work_create(e);
    struct encoding said;
    cr_assert_eq(e->encode(e, work, STR("abc"), &said, &err), OK, "%s", err.text);
    double square = 0;
    for (size_t i = 0; i < e->dense_count; i++)
        square += (double)said.dense[i] * (double)said.dense[i];
    cr_assert_lt(fabs(square - 1), 1e-4);
    e->work_free(work);
}

Test(encoder_open, a_model_finds_what_it_was_trained_with)
{
    need_llama();
    struct encoder_spec s = spec_of(path);
    const struct encoder *e = open_ok(&s), *found = NULL;
    cr_assert(strstr(e->fingerprint, lm_is_built() ? "gguf " : "?"));
    cr_assert_eq(of_model(e->fingerprint, e->spec, &found), OK, "%s", err.text);
    cr_assert_eq(found, e);
}

Test(encoder_open, a_file_that_changed_is_refused)
{
    need_llama();
    struct encoder_spec s = spec_of(path);
    const struct encoder *e = open_ok(&s), *found = NULL;
    cr_assert_eq(rename(other, path), 0);
    cr_assert_eq(of_model(e->fingerprint, e->spec, &found), ERR_UNSUPPORTED);
    cr_assert(strstr(err.text, path) && strstr(err.text, "train again"), "%s", err.text);
    cr_assert_null(found);
    unlink(path);
    cr_assert_neq(of_model(e->fingerprint, e->spec, &found), OK);
    cr_assert(strstr(err.text, path), "%s", err.text);
}

Test(encoder_open, what_everybody_has_closed_goes_when_another_is_opened)
{
    struct encoder_reading list[ENCODERS_OPEN_MAX];
    struct encoder_spec s = {.name = "far", .url = "http://127.0.0.1:9/e", .model = "m"};
    const struct encoder *e = NULL, *same = NULL;
    for (size_t i = 0; i < 3 * ENCODERS_OPEN_MAX; i++) {
        s.width = 1 + (uint32_t)i;
        e = open_ok(&s);
        same = open_ok(&s);
        cr_assert_eq(e, same);
        cr_assert_eq(encoders_read(list), 1);
        cr_assert_eq(list[0].place, i);
        encoder_close(e);
        same = open_ok(&s); /* one still holds it */
        cr_assert_eq(encoders_read(list), 1);
        encoder_close(same);
        encoder_close(same);
    }
    s.name = "again"; /* a forged fingerprint opens nothing that stays */
    cr_assert_eq(encoder_open_of_model(STR("again"), STR("x"),
                                       STR("{\"name\":\"again\",\"url\":\"http://127.0.0.1:9/e\","
                                           "\"model\":\"m\",\"width\":3}"),
                                       &e, &err),
                 ERR_UNSUPPORTED, "%s", err.text);
    s.width = 99;
    open_ok(&s);
    cr_assert_eq(encoders_read(list), 1);
    for (uint32_t i = 1; i < ENCODERS_OPEN_MAX; i++) {
        s.width = 100 + i;
        open_ok(&s);
    }
    s.width = 1;
    cr_assert_eq(encoder_open(&s, &e, &err), ERR_TOO_LARGE);
}

Test(encoder_open, what_is_said_otherwise_is_another_encoder)
{
    need_llama();
    struct encoder_spec s = spec_of(path);
    const struct encoder *e = open_ok(&s), *found = NULL;
    const char *const changes[] = {",\"pooling\":\"last\"", ",\"tokens\":9"};
    for (size_t i = 0; i < 2; i++)
        cr_assert_eq(of_model(e->fingerprint, spec_in(changes[i], path), &found), ERR_UNSUPPORTED,
                     "%s", changes[i]);
    cr_assert_eq(of_model(e->fingerprint, spec_in(",\"threads\":2", path), &found), OK, "%s",
                 err.text); /* which changes nothing that is said */
}

Test(encoder_open, a_configuration_says_where_it_is)
{
    need_llama();
    struct encoder_spec s = spec_of(path), configured = spec_of(path);
    const struct encoder *e = open_ok(&s), *found = NULL;
    cr_assert_eq(encoders_name(&configured, 1, "leeroo.yaml", true, &err), OK);
    cr_assert_eq(of_model(e->fingerprint, spec_in("", "/gone/tiny.gguf"), &found), OK, "%s",
                 err.text);
    cr_assert_eq(found, e);
    configured.gguf = other;
    cr_assert_eq(encoders_name(&configured, 1, "leeroo.yaml", true, &err), OK);
    cr_assert_eq(of_model(e->fingerprint, e->spec, &found), ERR_UNSUPPORTED);
    cr_assert(strstr(err.text, other), "%s", err.text);
}

Test(encoder_open, a_gateway_asks_no_endpoint_that_only_a_model_file_names)
{
    const char *spec = "{\"name\":\"tiny\",\"url\":\"http://127.0.0.1:9/e\",\"model\":\"m\","
                       "\"width\":3}";
    const char *fingerprint = "embeddings m dimensions=0 width=3";
    const struct encoder *e = NULL;
    cr_assert_eq(encoders_name(NULL, 0, "leeroo.yaml", true, &err), OK);
    cr_assert_eq(of_model(fingerprint, spec, &e), ERR_UNSUPPORTED);
    cr_assert(strstr(err.text, "http://127.0.0.1:9/e") && strstr(err.text, "leeroo.yaml"), "%s",
              err.text);
    cr_assert_eq(encoders_name(NULL, 0, "", false, &err), OK);
    cr_assert_eq(of_model(fingerprint, spec, &e), OK, "%s",
                 err.text); /* a command: not asked yet */
    cr_assert_eq(e->dense_count, 3);
    cr_assert_eq(of_model("embeddings n dimensions=0 width=3", spec, &e), ERR_UNSUPPORTED);
}

Test(encoder_open, a_command_gives_a_model_file_no_key_but_its_own)
{
    const char *spec = "{\"name\":\"tiny\",\"url\":\"http://127.0.0.1:9/e\",\"model\":\"m\","
                       "\"width\":3,\"api_key\":\"env:HOME\"}";
    const struct encoder *e = NULL;
    unsetenv(ENCODER_KEY_VARIABLE);
    cr_assert_eq(of_model("embeddings m dimensions=0 width=3", spec, &e), OK, "%s", err.text);
    float work[3];
    struct encoding said; /* who is never asked wants no key */
    cr_assert_eq(e->encode(e, work, STR("a"), &said, &err), ERR_AUTH);
    cr_assert(strstr(err.text, ENCODER_KEY_VARIABLE), "%s", err.text);
}

/* Opens an endpoint by its port, which takes the connection and then says nothing. */
static void *open_endpoint(void *arg)
{
    char url[64];
    const struct encoder *e = NULL;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/e", *(int *)arg);
    struct encoder_spec s = {.name = "slow", .url = url, .model = "m", .timeout_ms = 3600000};
    cr_expect_neq(encoder_open(&s, &e, NULL), OK);
    return NULL;
}

Test(encoder_open, who_looks_at_what_is_open_waits_for_nobody_who_opens)
{
    pthread_t opener;
    struct encoder_reading list[ENCODERS_OPEN_MAX];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(listener, (const struct sockaddr *)&at, size), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    cr_assert_eq(listen(listener, 1), 0);
    int port = ntohs(at.sin_port);
    pthread_create(&opener, NULL, open_endpoint, &port);
    int call =
        accept(listener, NULL, NULL); /* it is amid opening now, and for as long as this is open */
    cr_assert_geq(call, 0);
    cr_assert_eq(encoders_read(list), 0);
    close(call);
    pthread_join(opener, NULL);
    close(listener);
}

Test(encoder_open, forged_specs_are_refused)
{
    const struct encoder *e = NULL;
    cr_assert_eq(of_model("x", "{}", &e), ERR_CORRUPT);
    cr_assert_eq(of_model("x", "{\"name\":\"other\",\"gguf\":\"a\"}", &e), ERR_CORRUPT);
    cr_assert_eq(of_model("x", "{\"gguf\":\"/dev/null\",\"name\":\"tiny\"}", &e),
                 lm_is_built() ? ERR_CORRUPT : ERR_UNSUPPORTED, "%s", err.text);
}
