/* What is compiled in is a page: found by its paths, whole, told apart by its tags. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "web/web_file.h"

Test(web_file, every_file_is_found_by_its_path)
{
    cr_assert_gt(web_file_count(), 10);
    for (size_t i = 0; i < web_file_count(); i++) {
        struct web_file at = web_file_at(i), found;
        cr_assert(web_file_find(str_from(at.path), &found), "%s", at.path);
        cr_expect_eq(found.bytes.ptr, at.bytes.ptr, "%s", at.path);
        cr_expect_gt(at.bytes.len, 100, "%s", at.path);
        cr_expect(i == 0 || str_starts(str_from(at.path), STR("/ui/")), "%s", at.path);
    }
}

Test(web_file, no_other_path_is_one)
{
    static const char *const paths[] = {
        "",   "/ui",       "/ui/", "/ui/app", "/ui/app.js/", "/ui/../app.js", "/index.html",
        "//", "/ui/APP.JS"};
    struct web_file found;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        cr_expect_not(web_file_find(str_from(paths[i]), &found), "%s", paths[i]);
}

Test(web_file, bytes_are_those_of_the_files)
{
    struct web_file f;
    cr_assert(web_file_find(STR("/"), &f));
    cr_expect(str_starts(f.bytes, STR("<!DOCTYPE html>\n")));
    cr_expect_str_eq(f.content_type, "text/html; charset=utf-8");
    cr_expect_eq(f.bytes.ptr[f.bytes.len - 1], '\n');
    cr_assert(web_file_find(STR("/ui/icon.svg"), &f));
    cr_expect(str_starts(f.bytes, STR("<svg ")));
    cr_expect_str_eq(f.content_type, "image/svg+xml");
}

Test(web_file, tags_differ_and_are_quoted)
{
    for (size_t i = 0; i < web_file_count(); i++) {
        struct web_file a = web_file_at(i);
        struct str tag = str_from(a.tag);
        cr_expect_eq(tag.len, 18);
        cr_expect(tag.ptr[0] == '"' && tag.ptr[17] == '"', "%s", a.tag);
        for (size_t j = 0; j < i; j++) {
            struct web_file b = web_file_at(j);
            cr_expect_not(str_equal(tag, str_from(b.tag)), "%s %s", a.path, b.path);
        }
    }
}

Test(web_file, a_client_says_what_it_has)
{
    struct web_file f = web_file_at(0), other = web_file_at(1);
    char list[100];
    cr_expect(web_file_is_known(&f, str_from(f.tag)));
    cr_expect(web_file_is_known(&f, STR("*")));
    snprintf(list, sizeof(list), "\"x\", W/%s", f.tag);
    cr_expect(web_file_is_known(&f, str_from(list)));
    cr_expect_not(web_file_is_known(&other, str_from(list)));
    cr_expect_not(web_file_is_known(&f, STR("")));
    cr_expect_not(web_file_is_known(&f, (struct str){0}));
    cr_expect_not(web_file_is_known(&f, str_slice(str_from(f.tag), 0, 17)));
}
