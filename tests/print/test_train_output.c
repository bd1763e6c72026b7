/* What training says of encoders: kept or left out, and by which figures. */
#include "print/train_output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/json.h"

static struct late_figures late[] = {
    {.name = {"minilm", 6},
     .known_gain = 1e-4,
     .known_error = 0.5e-4,
     .fresh_gain = 4e-4,
     .fresh_error = 1e-4},
    {.name = {"other", 5},
     .left_out = true,
     .known_gain = -0.2e-4,
     .known_error = 0.5e-4,
     .fresh_gain = (double)NAN,
     .fresh_error = (double)NAN},
};

static char *printed(const struct trained *t, bool json)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    cr_assert_not_null(out);
    if (json)
        cr_assert_eq(train_print_json(t, &(struct lambda_points){0}, "m", out, NULL), OK);
    else
        train_print_late(t, out);
    fclose(out);
    return text;
}

Test(train_output, encoders_are_told)
{
    const struct trained t = {.late = late, .late_count = 2}, none = {0};
    char *text = printed(&t, false), *nothing = printed(&none, false);
    cr_assert_str_eq(text, "\nminilm: kept, +0.010 +-0.005 points on held-out texts, +0.040 "
                           "+-0.010 points on unknown domains\nother: left out, decisions gain "
                           "nothing by it, -0.002 +-0.005 points on held-out texts\n");
    cr_assert_str_empty(nothing);
    free(text);
    free(nothing);
}

Test(train_output, encoders_stand_in_the_json_where_there_are_any)
{
    const struct trained t = {.late = late, .late_count = 2}, none = {0};
    char *text = printed(&t, true), *nothing = printed(&none, true);
    struct json_value root, item;
    cr_assert_eq(json_parse(str_from(text), "t", 1, &root, NULL), OK);
    struct json_iter it = json_iter_begin(json_get(root, "late"));
    double gain = 0;
    cr_assert(json_array_next(&it, &item));
    cr_assert(json_get(item, "kept").type == JSON_TRUE);
    cr_assert_eq(json_to_double(json_get(item, "unknown_gain"), &gain), OK);
    cr_assert_float_eq(gain, 4e-4, 1e-9);
    cr_assert(json_array_next(&it, &item));
    cr_assert(json_get(item, "kept").type == JSON_FALSE);
    cr_assert(json_get(item, "unknown_gain").type == JSON_NULL);
    cr_assert_null(strstr(nothing, "late"));
    free(text);
    free(nothing);
}
