/* Labels keep out of each other's way. */
#include <math.h>

#include <criterion/criterion.h>

#include "base/rng.h"
#include "eval/svg.h"

#define FONT 12.0

static bool overlap(const struct svg_label *a, const struct svg_label *b)
{
    return a->text_x < b->text_x + b->width && b->text_x < a->text_x + a->width &&
           fabs(a->text_y - b->text_y) < FONT;
}

static void expect_apart(const struct svg_label *labels, size_t count, struct svg_box area)
{
    for (size_t i = 0; i < count; i++) {
        if (!labels[i].placed)
            continue;
        cr_assert(labels[i].text_x >= area.x0 && labels[i].text_x + labels[i].width <= area.x1);
        cr_assert(labels[i].text_y >= area.y0 && labels[i].text_y <= area.y1);
        for (size_t j = 0; j < i; j++)
            cr_assert(!labels[j].placed || !overlap(&labels[i], &labels[j]), "%zu over %zu", i, j);
    }
}

Test(svg_labels, a_crowd_never_overlaps_and_stays_inside)
{
    const struct svg_box area = {50, 30, 900, 500};
    struct rng r;
    rng_seed(&r, 4);
    for (size_t trial = 0; trial < 20; trial++) {
        struct svg_label labels[SVG_LABELS_MAX] = {0};
        for (size_t i = 0; i < SVG_LABELS_MAX; i++) {
            labels[i].x = 50 + 850 * rng_uniform(&r);
            labels[i].y = 30 + 470 * rng_uniform(&r) * rng_uniform(&r);
            labels[i].width = 40 + 100 * rng_uniform(&r);
        }
        svg_labels_place(labels, SVG_LABELS_MAX, NULL, 0, area, FONT);
        cr_assert(labels[0].placed, "the first has all the room");
        expect_apart(labels, SVG_LABELS_MAX, area);
    }
}

Test(svg_labels, the_nearest_free_place_is_beside_the_point)
{
    struct svg_label one = {.x = 100, .y = 100, .width = 60};
    svg_labels_place(&one, 1, NULL, 0, (struct svg_box){0, 0, 300, 300}, FONT);
    cr_assert(one.placed && !one.leader);
    cr_assert_float_eq(one.text_y, 100, 1e-9);
    cr_assert(one.text_x > 100 && one.text_x < 115);
    one.x = 290; /* no room to the right */
    svg_labels_place(&one, 1, NULL, 0, (struct svg_box){0, 0, 300, 300}, FONT);
    cr_assert(one.placed && one.text_x + one.width < 300);
}

Test(svg_labels, an_obstacle_is_avoided_where_there_is_room)
{
    const struct svg_box line[] = {{105, 90, 200, 110}};
    struct svg_label one = {.x = 100, .y = 100, .width = 60};
    svg_labels_place(&one, 1, line, 1, (struct svg_box){0, 0, 300, 300}, FONT);
    cr_assert(one.placed);
    cr_assert(one.text_x + one.width <= 105 || one.text_y + 7 <= 90 || one.text_y - 7 >= 110);
}

Test(svg_labels, without_any_room_a_label_is_left_out)
{
    struct svg_label two[] = {{.x = 50, .y = 10, .width = 45}, {.x = 50, .y = 10, .width = 45}};
    svg_labels_place(two, 2, NULL, 0, (struct svg_box){0, 0, 110, 20}, FONT);
    cr_assert(two[0].placed && !two[1].placed);
}

Test(svg_labels, wide_letters_are_wider)
{
    cr_assert_gt(svg_text_width(STR("mmmm"), 12), svg_text_width(STR("llll"), 12));
    cr_assert_gt(svg_text_width(STR("模型"), 12), svg_text_width(STR("ab"), 12));
    cr_assert_eq(svg_text_width(STR(""), 12), 0);
}
