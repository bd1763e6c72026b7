/* A generator's reply: what is kept is a question that can be compared, and every drop is told as often as counted. */
#include "base/check.h"
#include "pose/generator_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *self, struct str id, enum drop_reason reason, struct str text,
                  struct str why)
{
    size_t *told = self;
    (void)id;
    (void)text;
    (void)why;
    CHECK(reason < DROP_REASONS);
    ++*told;
}

static void check_item(const struct posed *p)
{
    CHECK(p->kind != POSED_OPEN);
    CHECK(p->level <= POSED_LEVELS);
    CHECK(p->query.text.len > 0);
    CHECK(p->query.answer.len > 0);
    CHECK((p->kind == POSED_CHOICE) == (p->query.choice_count > 0));
    CHECK(str_starts(p->query.prompt, p->query.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_create(64 << 20);
    struct generator_want want = {.kinds = POSED_COMPARABLE, .items = 5};
    struct question_list list = {0};
    struct drop_counts dropped = {{0}};
    size_t told = 0;
    struct drop_sink sink = {&told, count};
    if (a && generator_reply_read((struct str){(const char *)data, size}, &want, a, &sink, &list,
                                  &dropped, NULL) == OK) {
        CHECK(told == drop_counts_sum(&dropped));
        CHECK(told + list.count > 0);
        for (size_t i = 0; i < list.count; i++)
            check_item(&list.items[i]);
    }
    arena_free(a);
    return 0;
}
