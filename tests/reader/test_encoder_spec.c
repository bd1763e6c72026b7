/* What an encoder is opened by: three ways to write it, one set of limits. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "reader/encoder_spec.h"

static struct arena *arena;
static struct error err;

static void setup(void)
{
    arena = arena_create(1u << 20);
}

static void teardown(void)
{
    arena_free(arena);
}

TestSuite(encoder_spec, .init = setup, .fini = teardown);

static struct encoder_spec parse(const char *text)
{
    struct encoder_spec s;
    cr_assert_eq(encoder_spec_parse(str_from(text), arena, &s, &err), OK, "%s", err.text);
    return s;
}

static void refuse(const char *text, const char *why)
{
    struct encoder_spec s;
    cr_assert_eq(encoder_spec_parse(str_from(text), arena, &s, &err), ERR_USAGE, "%s", text);
    cr_assert_eq(err.status, ERR_USAGE);
    cr_assert(strstr(err.text, why), "%s", err.text);
}

static const char *written(const struct encoder_spec *s)
{
    struct buf b;
    buf_init(&b, 4096);
    encoder_spec_write(s, &b);
    const char *text = arena_printf(arena, "%.*s", STR_FMT(buf_str(&b)));
    buf_done(&b);
    return text;
}

Test(encoder_spec, a_command_line_names_a_file)
{
    struct encoder_spec s = parse("gguf=/a\\,b/all MiniLM.gguf, pooling=hidden,layer=7,tokens=99");
    cr_assert_str_eq(s.name, "all-MiniLM");
    cr_assert_str_eq(s.gguf, "/a,b/all MiniLM.gguf");
    cr_assert_eq(s.pooling, ENCODER_POOL_HIDDEN);
    cr_assert_eq(s.layer, 7);
    cr_assert_eq(s.tokens, 99);
    cr_assert_str_eq(written(&s), "{\"name\":\"all-MiniLM\",\"gguf\":\"/a,b/all MiniLM.gguf\","
                                  "\"pooling\":\"hidden\",\"layer\":7,\"tokens\":99}");
}

Test(encoder_spec, an_endpoint_keeps_the_name_of_its_key_and_not_the_key)
{
    struct encoder_spec s = parse("url=https://h/v1/embeddings,model=org/e5,api_key=env:LEEROO_K");
    cr_assert_str_eq(s.name, "e5");
    cr_assert_eq(encoder_spec_find_key(&s, arena, &err), ERR_AUTH);
    cr_assert(strstr(err.text, "export LEEROO_K=..."), "%s", err.text);
    setenv("LEEROO_K", "sk-secret", 1);
    cr_assert_eq(encoder_spec_find_key(&s, arena, &err), OK);
    cr_assert(str_equal(s.key, STR("sk-secret")));
    cr_assert_str_eq(written(&s),
                     "{\"name\":\"e5\",\"url\":\"https://h/v1/embeddings\",\"model\":\"org/e5\","
                     "\"api_key\":\"env:LEEROO_K\"}");
}

Test(encoder_spec, what_is_written_reads_back)
{
    const char *const texts[] = {
        "gguf=x.gguf,pooling=last,threads=3,gpu_layers=9,batch=4,name=one",
        "url=http://h/e,model=\"m\",dimensions=256,timeout_ms=5,calls=2,batch=64,width=256",
    };
    for (size_t i = 0; i < 2; i++) {
        struct encoder_spec s = parse(texts[i]), again, copy;
        struct arena *other = arena_create(1u << 16);
        const char *json = written(&s);
        cr_assert_eq(encoder_spec_read(str_from(json), arena, &again, &err), OK, "%s", err.text);
        cr_assert_str_eq(written(&again), json);
        cr_assert_eq(encoder_spec_copy(&again, other, &copy, &err), OK);
        cr_assert_neq(copy.name, again.name);
        cr_assert_str_eq(written(&copy), json);
        arena_free(other);
    }
}

Test(encoder_spec, what_does_not_belong_together_is_refused)
{
    refuse("", "a file (gguf: PATH) or an endpoint");
    refuse("gguf=a,url=http://h/e", "a file (gguf: PATH) or an endpoint");
    refuse("gguf=a,model=b", "are of an endpoint");
    refuse("url=http://h/e,model=b,layer=1", "are of a file");
    refuse("url=http://h/e", "which model?");
    refuse("url=ftp://h/e,model=m", "http:// or https://");
    refuse("url=http://h/e,model=m,api_key=sk-123", "must be env:NAME");
    refuse("url=http://h/e,model=m,dimensions=2,width=3", "differ");
    refuse("gguf=a,layer=0", "whole number from 1 to 1000");
    refuse("gguf=a,tokens=1e3", "whole number");
    refuse("gguf=a,pooling=max", "own, mean, last or hidden");
    refuse("gguf=a,colour=red", "has no 'colour'");
    refuse("gguf=a,name=ngram", "and not ngram");
    refuse("gguf=a,name=\"x\"", "letters, digits");
    refuse("gguf=a\nb", "control characters");
}

Test(encoder_spec, a_forged_model_file_is_refused)
{
    const char *const texts[] = {"",
                                 "[]",
                                 "{\"gguf\":[1]}",
                                 "{\"gguf\":null}",
                                 "{\"gguf\":\"a\",\"layer\":-1}",
                                 "{\"gguf\":\"a\",\"layer\":1e2}",
                                 "{\"gguf\":\"a\",\"gg\":\"b\"}",
                                 "{\"gguf\":\"a\"",
                                 "{\"gguf\":\"\\u0000\"}"};
    struct encoder_spec s;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        cr_assert_eq(encoder_spec_read(str_from(texts[i]), arena, &s, &err), ERR_CORRUPT, "%s",
                     texts[i]);
        cr_assert(strstr(err.text, "damaged"), "%s", err.text);
    }
}

Test(encoder_spec, an_orchestrator_keeps_its_prompt)
{
    struct encoder_spec s;
    const char *json =
        "{\"name\":\"orchestrator\",\"gguf\":\"/x.gguf\",\"head\":\"Whom?\\nY: a\\nZ: "
        "b\\n\",\"labels\":2,\"loras\":\"/l.gguf\\n/m.gguf\",\"without_choices\":1}";
    cr_assert_eq(encoder_spec_read(str_from(json), arena, &s, &err), OK, "%s", err.text);
    cr_assert(s.orchestrates);
    cr_assert_str_eq(s.head, "Whom?\nY: a\nZ: b\n");
    cr_assert_str_eq(written(&s), json);
}

Test(encoder_spec, an_orchestrator_is_no_encoder)
{
    static const char *const bad[] = {
        "{\"gguf\":\"x\",\"head\":\"h\"}",
        "{\"gguf\":\"x\",\"labels\":2}",
        "{\"gguf\":\"x\",\"head\":\"h\",\"labels\":53}",
        "{\"gguf\":\"x\",\"head\":\"h\",\"labels\":2,\"pooling\":\"mean\"}",
        "{\"gguf\":\"x\",\"head\":\"h\\u0001\",\"labels\":2}",
        "{\"url\":\"http://h\",\"model\":\"m\",\"head\":\"h\",\"labels\":2,\"loras\":\"l\"}",
        "{\"gguf\":\"x\",\"without_choices\":1}",
    };
    struct encoder_spec s;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_expect_eq(encoder_spec_read(str_from(bad[i]), arena, &s, &err), ERR_CORRUPT, "%s",
                     bad[i]);
}
