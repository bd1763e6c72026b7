/* The page: whole, well nested, nothing from a run becomes markup, nothing is fetched. */
#include "runpage/runpage.h"

#include "base/file.h"
#include "eval/nested.h"
#include "run_scene.h"

struct made {
    struct scratch s;
    struct buf page;
};

static void make(struct made *m)
{
    char path[128];
    struct error err = {0};
    buf_init(&m->page, RUNPAGE_BYTES_MAX);
    cr_assert_eq(runpage_write(m->s.path, &err), OK, "%s", err.text);
    snprintf(path, sizeof(path), "%s/report.html", m->s.path);
    cr_assert_eq(file_read(path, RUNPAGE_BYTES_MAX, &m->page, NULL), OK);
}

static void done(struct made *m)
{
    buf_done(&m->page);
    scratch_remove(&m->s);
}

static bool has(const struct made *m, const char *text)
{
    return strstr(m->page.ptr, text);
}

Test(runpage, is_whole_and_fetches_nothing)
{
    struct made m = {.s = scene_make()};
    static const char *const ids[] = {"curve", "money", "experts", "trust", "lessons", "questions"};
    make(&m);
    expect_nested(m.page.ptr);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        char text[40];
        snprintf(text, sizeof(text), "<section id=\"%s\">", ids[i]);
        cr_expect(has(&m, text), "%s", text);
    }
    cr_expect(!has(&m, " src=") && !has(&m, "href=") && !has(&m, "url(") && !has(&m, "@import"));
    cr_expect(has(&m, "default-src 'none'") && !has(&m, "nan") && !has(&m, "inf"));
    done(&m);
}

Test(runpage, nothing_from_a_run_becomes_markup)
{
    struct made m = {.s = scene_make()};
    make(&m);
    cr_expect(!has(&m, "<script") && !has(&m, "<i>won") && !has(&m, "<a>"));
    cr_expect(has(&m, "&lt;script&gt;") && has(&m, "a canary &lt;i&gt;won&lt;/i&gt;"));
    cr_expect(has(&m, "One &lt;b&gt; two?"), "in one line");
    cr_expect(has(&m, "x&amp;y") && has(&m, "like &lt;a&gt;"));
    done(&m);
}

Test(runpage, is_written_anew_over_the_one_before)
{
    struct made m = {.s = scene_make()};
    scratch_write(&m.s, "report.html", "old");
    make(&m);
    cr_expect(has(&m, "<!DOCTYPE html>") && !has(&m, "old<"));
    done(&m);
}

Test(runpage, before_a_round_is_over_there_is_none)
{
    char path[128];
    struct scratch s = scratch_make();
    cr_assert_eq(runpage_write(s.path, NULL), OK);
    snprintf(path, sizeof(path), "%s/report.html", s.path);
    cr_expect_neq(access(path, F_OK), 0);
    scratch_remove(&s);
}

Test(runpage, a_round_that_is_damaged_is_named_and_the_old_page_stays)
{
    struct made m = {.s = scene_make()};
    struct error err = {0};
    scratch_write(&m.s, "report.html", "old");
    buf_init(&m.page, RUNPAGE_BYTES_MAX);
    scratch_write(&m.s, "round-2/round.json", "{\"area\": 7}");
    cr_assert_eq(runpage_write(m.s.path, &err), ERR_CORRUPT);
    cr_expect(strstr(err.text, "round-2/round.json") && strstr(err.text, "area"), "%s", err.text);
    char path[128];
    snprintf(path, sizeof(path), "%s/report.html", m.s.path);
    cr_assert_eq(file_read(path, RUNPAGE_BYTES_MAX, &m.page, NULL), OK);
    cr_expect_str_eq(m.page.ptr, "old");
    done(&m);
}
