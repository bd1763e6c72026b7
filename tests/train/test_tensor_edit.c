/* Tensors with another list of experts: small ones, whose every element is told apart. */
#include "train/tensor_edit.h"

#include <string.h>

#include <criterion/criterion.h>

#define ROWS 3

static struct arena *arena;

static void begin(void)
{
    arena = arena_create(1u << 20);
}

static void end(void)
{
    arena_free(arena);
}

TestSuite(tensor_edit, .init = begin, .fini = end);

/* Two experts of three are listed; the first of those goes, the second of two plans, and one expert comes. */
static const bool keeps_listed[2] = {false, true}, keeps_plan[2] = {true, false};

static struct axis_edit edit_with(const struct expert_slice *added)
{
    return (struct axis_edit){3, 2, 2, NULL, keeps_listed, keeps_plan, added, added ? 1 : 0};
}

static void expect(const struct model_tensor *t, const float *want, size_t length)
{
    const float *got = t->item.bytes;
    cr_assert_eq(t->item.shape[1], length);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t i = 0; i < length; i++)
            cr_assert_eq((double)got[row * length + i],
                         want[i] == 0 ? 0 : (double)want[i] + 100 * (double)row, "%zu of row %zu",
                         i, row);
}

/* Row r is 100 r + 1 … 100 r + length. */
static struct model_tensor tensor_of(float *data, size_t length)
{
    for (size_t i = 0; i < ROWS * length; i++)
        data[i] = (float)(100 * (i / length) + i % length + 1);
    return (struct model_tensor){.item = {"t", "F32", 2, {ROWS, length}, data}, .axis = 1};
}

Test(tensor_edit, without_parts_nothing_changes)
{
    float data[ROWS * 4];
    struct model_tensor t = tensor_of(data, 4), got;
    const struct axis_edit e = edit_with(NULL);
    cr_assert_eq(tensor_edit(&t, &e, arena, &got, NULL), OK);
    cr_assert_eq(got.item.bytes, data);
    cr_assert(!tensor_has_experts(&t) && !tensor_expert_bytes(&t));
}

/* Of all experts all stay, for the level of the others is theirs, too; the list and the plans shrink. */
Test(tensor_edit, each_part_has_its_rule)
{
    float data[ROWS * 8], added[2 * ROWS];
    struct model_tensor t = tensor_of(data, 3 + 1 + 2 + 2), got;
    memcpy(t.parts,
           (__typeof__(t.parts)){
               {PART_EXPERTS, 0}, {PART_SHARED, 1}, {PART_LISTED, 0}, {PART_PLANS, 0}},
           sizeof(t.parts));
    for (size_t i = 0; i < 2 * ROWS; i++)
        added[i] = (float)(100 * (i % ROWS) + 50 + i / ROWS);
    const struct expert_slice slice = {"t", true, sizeof(added), (unsigned char *)added};
    const struct axis_edit e = edit_with(&slice);
    cr_assert_eq(tensor_expert_bytes(&t), sizeof(added));
    cr_assert_eq(tensor_edit(&t, &e, arena, &got, NULL), OK);
    expect(&got, (const float[]){1, 2, 3, 50, 4, 6, 51, 7}, 8);
}

Test(tensor_edit, padding_is_made_anew_and_what_was_learnt_together_gets_zeros)
{
    float data[ROWS * 8], added[ROWS] = {50, 150, 250};
    struct model_tensor t = tensor_of(data, 8), got;
    memcpy(t.parts, (__typeof__(t.parts)){{PART_EXPERTS, 0}, {PART_SHARED, 1}, {PART_PADDING, 4}},
           sizeof(t.parts));
    const struct expert_slice slice = {"t", true, sizeof(added), (unsigned char *)added};
    const struct axis_edit more = edit_with(&slice), none = edit_with(NULL);
    cr_assert_eq(tensor_edit(&t, &more, arena, &got, NULL), OK);
    expect(&got, (const float[]){1, 2, 3, 50, 4, 0, 0, 0}, 8);
    cr_assert_eq(tensor_edit(&t, &none, arena, &got, NULL), OK);
    expect(&got, (const float[]){1, 2, 3, 4}, 4);
    t = tensor_of(data, 3);
    t.parts[0].of = PART_LEARNT;
    cr_assert(tensor_has_experts(&t) && !tensor_expert_bytes(&t));
    cr_assert_eq(tensor_edit(&t, &more, arena, &got, NULL), OK);
    expect(&got, (const float[]){1, 2, 3, 0}, 4);
}

Test(tensor_edit, an_expert_whose_numbers_nobody_needs_goes)
{
    const bool keeps_experts[3] = {true, false, true};
    float data[ROWS * 8];
    struct axis_edit e = edit_with(NULL);
    struct model_tensor t = tensor_of(data, 3 + 1 + 3), got;
    memcpy(t.parts, (__typeof__(t.parts)){{PART_EXPERTS, 0}, {PART_SHARED, 1}, {PART_EXPERTS, 0}},
           sizeof(t.parts));
    e.keeps_experts = keeps_experts;
    cr_assert_eq(tensor_edit(&t, &e, arena, &got, NULL), OK);
    expect(&got, (const float[]){1, 3, 4, 5, 7}, 5);
    t = tensor_of(data, 3);
    t.parts[0].of = PART_LEARNT;
    cr_assert_eq(tensor_edit(&t, &e, arena, &got, NULL), OK);
    expect(&got, (const float[]){1, 3}, 2);
}

/* What is read of an expert and put back is what it was. */
Test(tensor_edit, what_is_read_can_be_added)
{
    float data[ROWS * 5];
    struct model_tensor t = tensor_of(data, 5), got;
    memcpy(t.parts, (__typeof__(t.parts)){{PART_EXPERTS, 0}, {PART_LISTED, 0}}, sizeof(t.parts));
    unsigned char bytes[2 * ROWS * sizeof(float)];
    const struct expert_slice slice = {"t", true, sizeof(bytes), bytes};
    const struct axis_edit e = edit_with(&slice);
    cr_assert_eq(tensor_expert_bytes(&t), sizeof(bytes));
    tensor_expert_read(&t, &e, 2, 1, bytes);
    cr_assert_eq(tensor_edit(&t, &e, arena, &got, NULL), OK);
    expect(&got, (const float[]){1, 2, 3, 3, 5, 5}, 6);
}

/* Only what belongs to no expert and no plan tells models apart. */
Test(tensor_edit, the_hash_is_of_what_is_shared)
{
    float data[ROWS * 4];
    struct model_tensor t = tensor_of(data, 4);
    const struct axis_edit e = edit_with(NULL);
    memcpy(t.parts, (__typeof__(t.parts)){{PART_EXPERTS, 0}, {PART_SHARED, 1}}, sizeof(t.parts));
    uint64_t before = tensor_shared_hash(&t, &e, 1);
    data[0] = data[4] = -1;
    cr_assert_eq(tensor_shared_hash(&t, &e, 1), before);
    data[7] = -1;
    cr_assert_neq(tensor_shared_hash(&t, &e, 1), before);
}
