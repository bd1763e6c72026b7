/* Wrong answers that look right: see slip.h. */
#include "rehearse/slip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Small counts are missed by one or two. */
static void slip_count(const char *right, struct rng *rng, char *into)
{
    int value = (int)strtol(right, NULL, 10), off = 1 + (int)rng_below(rng, 2);
    value += value >= off && rng_below(rng, 2) == 0 ? -off : off;
    snprintf(into, SOLUTION_ANSWER_BYTES, "%d", value);
}

/* One digit is misread; the first one less often, and it never becomes 0. */
static void slip_digit(const char *right, struct rng *rng, char *into)
{
    size_t places[SOLUTION_ANSWER_BYTES], count = 0;
    snprintf(into, SOLUTION_ANSWER_BYTES, "%s", right);
    for (size_t i = 0; into[i] != '\0'; i++)
        if (is_digit(into[i]))
            places[count++] = i;
    size_t from = count > 2 ? 1 : 0;
    char *digit = &into[places[from + rng_below(rng, count - from)]];
    char changed = (char)('1' + rng_below(rng, 9));
    *digit = changed == *digit ? (changed == '9' ? '8' : (char)(changed + 1)) : changed;
}

static void slip_number(const char *right, struct rng *rng, char *into)
{
    if (strlen(right) <= 2 && is_digit(right[0]))
        slip_count(right, rng, into);
    else
        slip_digit(right, rng, into);
}

static void slip_weekday(const char *right, struct rng *rng, char *into)
{
    static const char *const days[7] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};
    size_t day = rng_below(rng, 7);
    if (!strcmp(days[day], right))
        day = (day + 1) % 7;
    snprintf(into, SOLUTION_ANSWER_BYTES, "%s", days[day]);
}

/* One to three days off, within the first 28 of the month. */
static void slip_date(const char *right, struct rng *rng, char *into)
{
    int year = 1, month = 1, day = 1;
    sscanf(right, "%d-%d-%d", &year, &month, &day);
    day = (day + (int)rng_below(rng, 3)) % 28 + 1;
    snprintf(into, SOLUTION_ANSWER_BYTES, "%04d-%02d-%02d", year, month, day);
}

static void slip_time(const char *right, struct rng *rng, char *into)
{
    int hour = 0, minute = 0;
    sscanf(right, "%d:%d", &hour, &minute);
    int total = hour * 60 + minute + (rng_below(rng, 2) == 0 ? 60 : 10);
    snprintf(into, SOLUTION_ANSWER_BYTES, "%02d:%02d", total / 60 % 24, total % 60);
}

/* Two neighbours change places; a single letter becomes the next one. */
static void slip_word(const char *right, struct rng *rng, char *into)
{
    size_t len = strlen(right);
    snprintf(into, SOLUTION_ANSWER_BYTES, "%s", right);
    size_t at = len > 1 ? rng_below(rng, len - 1) : 0;
    for (size_t tries = 0; tries + 1 < len; tries++, at = (at + 1) % (len - 1)) {
        if (into[at] == into[at + 1])
            continue;
        char c = into[at];
        into[at] = into[at + 1];
        into[at + 1] = c;
        return;
    }
    into[0] = into[0] == 'z' ? 'y' : (char)(into[0] + 1);
}

/* One case for each form of answer; a decoy that the solver knows comes first, since it is the most believable
 * mistake. */
void slip_answer(const struct solution *right, struct rng *rng, char into[SOLUTION_ANSWER_BYTES])
{
    if (right->decoy[0] != '\0' && strcmp(right->decoy, right->answer) != 0) {
        snprintf(into, SOLUTION_ANSWER_BYTES, "%s", right->decoy);
        return;
    }
    switch (right->form) {
    case FORM_NUMBER:
        slip_number(right->answer, rng, into);
        return;
    case FORM_WEEKDAY:
        slip_weekday(right->answer, rng, into);
        return;
    case FORM_DATE:
        slip_date(right->answer, rng, into);
        return;
    case FORM_TIME:
        slip_time(right->answer, rng, into);
        return;
    case FORM_YES_NO:
        snprintf(into, SOLUTION_ANSWER_BYTES, "%s", right->answer[0] == 'y' ? "no" : "yes");
        return;
    case FORM_WORD:
        slip_word(right->answer, rng, into);
        return;
    }
}
