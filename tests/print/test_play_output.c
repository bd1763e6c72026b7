/* What `leeroo play` says of a round, and why a run has ended. */
#include "print/play_output.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What went to `out`; free() it. */
static char *text_of(FILE *out, char **text)
{
    fclose(out);
    return *text;
}

static char *round_text(const struct play_round *r)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    cr_assert_not_null(out);
    play_print_round(r, out);
    return text_of(out, &text);
}

static char *end_text(const struct play_end *end, const struct play_settings *s)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    cr_assert_not_null(out);
    play_print_end(end, s, "run", out);
    return text_of(out, &text);
}

static void expect_end(const struct play_end *end, const struct play_settings *s,
                       const char *wanted)
{
    char *text = end_text(end, s);
    cr_expect(strstr(text, wanted), "%s\nis not in\n%s", wanted, text);
    free(text);
}

static const struct play_round kept = {.round = 10,
                                       .rounds = 10,
                                       .questions_new = 1000,
                                       .cells = 10345,
                                       .spent_nano_usd = 27600,
                                       .spent_all_nano_usd = 100 * NANO_PER_USD,
                                       .area = 0.714,
                                       .gain_mix = 0.012,
                                       .gain_last = NAN,
                                       .doubt = 0.253,
                                       .publication = PLAY_KEPT,
                                       .compared = 25,
                                       .confidence = 0,
                                       .gain_in_force = -0.01,
                                       .confidence_min = 0.8};

Test(play_output, a_round_has_two_lines_and_why_the_model_stays)
{
    char *text = round_text(&kept);
    cr_expect_str_eq(
        text, "round 10/10  +1000 questions  10345 cells  0.0000276 USD (100.0000 in all)\n"
              "        area 71.4  over mix +1.2  over last -  doubt 25.3  kept\n"
              "        the model in force stays: the confidence that this one is better is 0 %, "
              "and 80 % are asked for\n");
    free(text);
}

Test(play_output, two_models_that_choose_alike_are_said_to)
{
    struct play_round r = kept;
    r.confidence = r.confidence_min = 0.5;
    r.gain_in_force = 0;
    char *text = round_text(&r);
    cr_expect(
        strstr(text, "the model in force stays: at the policies in force both choose alike\n"),
        "%s", text);
    cr_expect_not(strstr(text, "are asked for"), "%s", text);
    free(text);
}

Test(play_output, no_line_of_a_round_is_wider_than_a_screen)
{
    struct play_round r = kept;
    r.round = r.rounds = 100;
    r.cells = 1000000;
    r.gain_mix = r.gain_last = -0.999;
    r.publication = PLAY_UNCOMPARED;
    char *text = round_text(&r);
    for (char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        cr_expect_leq(len, 100, "%.*s", (int)len, line);
        line += len + 1;
    }
    free(text);
}

Test(play_output, a_sum_under_a_cent_is_not_nothing)
{
    const struct play_settings s = {.spend_nano_usd = 1000};
    expect_end(&(struct play_end){.cap_reached = true, .booked_nano_usd = 999}, &s,
               "cap reached: 0.000000999 of 0.00000100 USD are booked\n");
    expect_end(&(struct play_end){.cap_reached = true, .booked_nano_usd = 0}, &s,
               "cap reached: 0.0000 of 0.00000100 USD are booked\n");
}

Test(play_output, a_cap_below_what_is_booked_is_said_whatever_is_left)
{
    const struct play_settings s = {.spend_nano_usd = NANO_PER_USD / 20};
    struct play_end end = {.nothing_left = true,
                           .booked_before_nano_usd = NANO_PER_USD / 10,
                           .booked_nano_usd = NANO_PER_USD / 10};
    expect_end(&end, &s,
               "--spend 0.0500 is less than the 0.1000 USD that are booked already: nobody is "
               "asked\n");
    end.booked_before_nano_usd = s.spend_nano_usd;
    expect_end(&end, &s, "nothing is left to ask: the questions are used up; --questions or");
}

Test(play_output, what_lets_a_run_go_on_is_said)
{
    struct play_settings s = {.spend_nano_usd = NANO_PER_USD};
    expect_end(&(struct play_end){.nothing_left = true, .failing = 2}, &s,
               "nothing is left to ask but 2 that keep failing");
    expect_end(&(struct play_end){.rounds = 5}, &s, "all 5 rounds are over; --rounds 6 goes on\n");
    expect_end(&(struct play_end){.rounds = 1}, &s, "1 round, 0.0000 USD for answers");
    s.everything = true;
    expect_end(&(struct play_end){.nothing_left = true}, &s,
               "nothing is left to ask: every expert has been asked every question\n");
}
