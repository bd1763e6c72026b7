/* Engines are shared as long as their file is the same, and refused with what would mend it. */
#include "infer/infer_engine.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "lm/tiny_gguf.h"

static char path[64];
static struct error err;

static void setup(void)
{
    if (!lm_is_built())
        cr_skip_test("skipped: no llama.cpp");
    snprintf(path, sizeof(path), "/tmp/leeroo_engine_%d.gguf", (int)getpid());
    tiny_gguf_write(path, TINY_LLAMA, 1);
}

static void teardown(void)
{
    unlink(path);
}

TestSuite(infer_engine, .init = setup, .fini = teardown);

static struct infer_engine *opened(struct infer_options o)
{
    struct infer_engine *e = NULL;
    o.path = path;
    cr_assert_eq(infer_open(&o, &e, &err), OK, "%s", err.text);
    return e;
}

Test(infer_engine, facts_are_those_of_the_file_and_the_options)
{
    struct infer_engine *e = opened((struct infer_options){.slots = 3, .context = 100});
    const struct infer_facts f = infer_facts_of(e);
    cr_expect_eq(f.slots, 3);
    cr_expect_eq(f.context, 100);
    cr_expect(strstr(f.chat_template, "<|im_start|>"));
    cr_expect_str_eq(f.lm->architecture, "llama");
    cr_expect_eq(infer_find(str_from(f.url)), e);
    infer_close(e);
    e = opened((struct infer_options){0});
    cr_expect_eq(infer_facts_of(e).slots, INFER_SLOTS_USUAL);
    cr_expect_eq(infer_facts_of(e).context, TINY_CONTEXT);
    infer_close(e);
}

Test(infer_engine, the_same_file_with_the_same_options_is_one)
{
    struct infer_engine *a = opened((struct infer_options){0}),
                        *b = opened((struct infer_options){0});
    struct infer_engine *c = opened((struct infer_options){.slots = 1});
    cr_expect_eq(a, b);
    cr_expect_neq(a, c);
    char url[128];
    snprintf(url, sizeof(url), "%s", infer_facts_of(a).url);
    infer_close(a);
    cr_expect_eq(infer_find(str_from(url)), b, "it is still open");
    tiny_gguf_write(path, TINY_LLAMA, 22);
    struct infer_engine *d = opened((struct infer_options){0});
    cr_expect_neq(d, b, "the file has changed");
    infer_close(b);
    cr_expect_null(infer_find(str_from(url)));
    infer_close(c);
    infer_close(d);
}

static void refused(struct infer_options o, enum status status, const char *says)
{
    struct infer_engine *e = NULL;
    o.path = o.path ? o.path : path;
    cr_expect_eq(infer_open(&o, &e, &err), status, "%s", says);
    cr_expect(strstr(err.text, says), "%s", err.text);
    cr_expect_null(e);
}

Test(infer_engine, what_cannot_answer_is_refused)
{
    static const char *const lora[INFER_LORAS_MAX + 1] = {"x"};
    refused((struct infer_options){.path = "/nowhere.gguf"}, ERR_IO, "/nowhere.gguf");
    refused((struct infer_options){.chat_template = "nobodys"}, ERR_UNSUPPORTED,
            "say chat_template: chatml");
    refused((struct infer_options){.slots = INFER_SLOTS_MAX + 1}, ERR_TOO_LARGE, "slots");
    refused((struct infer_options){.context = TINY_CONTEXT + 1}, ERR_TOO_LARGE, "context");
    refused((struct infer_options){.loras = lora, .lora_count = INFER_LORAS_MAX + 1}, ERR_TOO_LARGE,
            "adapters");
    tiny_gguf_write(path, TINY_BERT, 1);
    refused((struct infer_options){.chat_template = "chatml"}, ERR_UNSUPPORTED, "does not write");
    infer_close(NULL);
}

Test(infer_engine_anywhere, what_is_no_model_is_refused_or_llama_cpp_is_named)
{
    struct infer_engine *e = NULL;
    enum status status = infer_open(&(struct infer_options){.path = "/dev/null"}, &e, &err);
    cr_expect_eq(status, lm_is_built() ? ERR_CORRUPT : ERR_UNSUPPORTED);
    cr_expect(strstr(err.text, lm_is_built() ? "/dev/null" : "scripts/install-llama"), "%s",
              err.text);
    cr_expect_null(e);
}
