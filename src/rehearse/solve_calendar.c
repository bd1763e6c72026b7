/* The calendar (proleptic Gregorian, years 1 to 9999): weekdays, distances between dates, dates some days off, leap
 * years, lengths of months, and times of day. Dates are read as "14 March 1879", "March 14, 1879" and "1879-03-14".
 *
 * Pure functions on the stack, any thread. No clock is read: "today" is not understood, so the same question always has
 * the same answer. */
#include <stdio.h>
#include <stdlib.h>

#include "rehearse/solve.h"

#define DATES_MAX 2

struct date {
    int year, month, day;
};

static const char *const MONTHS[12] = {"january",   "february", "march",    "april",
                                       "may",       "june",     "july",     "august",
                                       "september", "october",  "november", "december"};
static const char *const WEEKDAYS[7] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

static bool date_valid(struct date d)
{
    return d.year >= 1 && d.year <= 9999 && d.month >= 1 && d.month <= 12 && d.day >= 1 &&
           d.day <= month_days(d.year, d.month);
}

/* Days since 0000-03-01 (H. Hinnant, "chrono-compatible low-level date algorithms": days_from_civil). */
static int day_number(struct date d)
{
    int year = d.month <= 2 ? d.year - 1 : d.year;
    int era = year / 400, of_era = year % 400;
    int of_year = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
}

/* The inverse: civil_from_days. */
static struct date date_of_day(int number)
{
    int era = number / 146097, of_era = number % 146097;
    int year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int shifted = (5 * of_year + 2) / 153;
    int month = shifted < 10 ? shifted + 3 : shifted - 9;
    return (struct date){year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
                         of_year - (153 * shifted + 2) / 5 + 1};
}

static const char *weekday_name(int day)
{
    return WEEKDAYS[(day + 2) % 7]; /* 0000-03-01 was a Wednesday */
}

static int month_at(const struct tokens *t, size_t at)
{
    for (int m = 0; m < 12 && at < t->count; m++)
        if (token_is_word(&t->items[at], MONTHS[m]))
            return m + 1;
    return 0;
}

static int whole_at(const struct tokens *t, size_t at, int max)
{
    if (at >= t->count || !token_is_whole(&t->items[at]) || t->items[at].value > max)
        return -1;
    return (int)t->items[at].value;
}

/* Skips "st", "nd", "rd", "th", "of" and a comma. */
static size_t skip_filler(const struct tokens *t, size_t at)
{
    static const char *const words[] = {"st", "nd", "rd", "th", "of"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && at < t->count; i++)
        if (token_is_word(&t->items[at], words[i])) {
            at++;
            i = (size_t)-1;
        }
    return at < t->count && token_is_sign(&t->items[at], ',') ? at + 1 : at;
}

/* A date that starts at token `at`; returns the index behind it, or 0. */
static size_t date_at(const struct tokens *t, size_t at, struct date *ret)
{
    struct date d = {0, 0, 0};
    size_t end = 0;
    if (t->items[at].type == TOKEN_DATE) {
        int64_t v = t->items[at].value;
        d = (struct date){(int)(v / 10000), (int)(v / 100 % 100), (int)(v % 100)};
        end = at + 1;
    } else if (month_at(t, at) > 0) { /* March 14th, 1879 */
        size_t year_at = skip_filler(t, at + 2);
        d = (struct date){whole_at(t, year_at, 9999), month_at(t, at), whole_at(t, at + 1, 31)};
        end = year_at + 1;
    } else { /* 14th of March 1879 */
        size_t m = skip_filler(t, at + 1), year_at = skip_filler(t, m + 1);
        d = (struct date){whole_at(t, year_at, 9999), month_at(t, m), whole_at(t, at, 31)};
        end = year_at + 1;
    }
    if (!date_valid(d))
        return 0;
    *ret = d;
    return end;
}

static size_t find_dates(const struct tokens *t, struct date dates[DATES_MAX])
{
    size_t count = 0;
    for (size_t at = 0; at < t->count && count < DATES_MAX;) {
        size_t end = date_at(t, at, &dates[count]);
        count += end > 0 ? 1 : 0;
        at = end > 0 ? end : at + 1;
    }
    return count;
}

static unsigned years_off(int year)
{
    return (unsigned)abs(year - 2000);
}

static void start(struct solution *ret, enum answer_form form, unsigned size)
{
    ret->skill = SKILL_CALENDAR;
    ret->form = form;
    ret->size = size;
}

static bool solve_weekday(struct date d, struct solution *ret)
{
    start(ret, FORM_WEEKDAY, years_off(d.year));
    snprintf(ret->answer, sizeof(ret->answer), "%s", weekday_name(day_number(d)));
    snprintf(ret->because, sizeof(ret->because), "%04d-%02d-%02d falls on a %s", d.year, d.month,
             d.day, ret->answer);
    return true;
}

static bool solve_distance(struct date a, struct date b, struct solution *ret)
{
    int days = abs(day_number(b) - day_number(a));
    start(ret, FORM_NUMBER, (unsigned)abs(b.year - a.year) + years_off(a.year) / 10);
    snprintf(ret->answer, sizeof(ret->answer), "%d", days);
    snprintf(ret->because, sizeof(ret->because),
             "from %04d-%02d-%02d to %04d-%02d-%02d it is %d days", a.year, a.month, a.day, b.year,
             b.month, b.day, days);
    return true;
}

/* "45 days after 3 May 2021", "2 weeks before ..." */
static bool solve_offset(const struct tokens *t, struct date from, struct solution *ret)
{
    for (size_t at = 0; at + 2 < t->count; at++) {
        int count = whole_at(t, at, 1000000);
        bool weeks = token_is_word(&t->items[at + 1], "weeks");
        bool after =
            token_is_word(&t->items[at + 2], "after") || token_is_word(&t->items[at + 2], "from");
        if (count < 0 || (!weeks && !token_is_word(&t->items[at + 1], "days")) ||
            (!after && !token_is_word(&t->items[at + 2], "before")))
            continue;
        int number = day_number(from) + (after ? 1 : -1) * count * (weeks ? 7 : 1);
        if (number < day_number((struct date){1, 1, 1}) ||
            number > day_number((struct date){9999, 12, 31}))
            return false;
        struct date d = date_of_day(number);
        start(ret, FORM_DATE, (unsigned)count / 60 + years_off(from.year) / 10);
        snprintf(ret->answer, sizeof(ret->answer), "%04d-%02d-%02d", d.year, d.month, d.day);
        snprintf(ret->because, sizeof(ret->because), "%d %s %s %04d-%02d-%02d is %s", count,
                 weeks ? "weeks" : "days", after ? "after" : "before", from.year, from.month,
                 from.day, ret->answer);
        return true;
    }
    return false;
}

static bool solve_leap_year(const struct tokens *t, struct solution *ret)
{
    if (!tokens_have_phrase(t, "leap year"))
        return false;
    for (size_t at = 0; at < t->count; at++) {
        int year = whole_at(t, at, 9999);
        if (year < 1)
            continue;
        start(ret, FORM_YES_NO, year % 100 == 0 ? 60 : years_off(year) / 10);
        snprintf(ret->answer, sizeof(ret->answer), "%s", is_leap(year) ? "yes" : "no");
        snprintf(ret->because, sizeof(ret->because), "%d is %sdivisible by 4%s", year,
                 year % 4 == 0 ? "" : "not ",
                 year % 100 != 0   ? ""
                 : year % 400 == 0 ? " and by 400"
                                   : " but by 100 and not by 400");
        return true;
    }
    return false;
}

/* "How many days does February 2024 have?" */
static bool solve_month_length(const struct tokens *t, struct solution *ret)
{
    if (!tokens_have_phrase(t, "how many days"))
        return false;
    for (size_t at = 0; at + 1 < t->count; at++) {
        int month = month_at(t, at), year = whole_at(t, skip_filler(t, at + 1), 9999);
        if (month == 0 || year < 1)
            continue;
        start(ret, FORM_NUMBER, years_off(year) / 10);
        snprintf(ret->answer, sizeof(ret->answer), "%d", month_days(year, month));
        snprintf(ret->because, sizeof(ret->because), "%s %d has %s days", MONTHS[month - 1], year,
                 ret->answer);
        return true;
    }
    return false;
}

/* "What time is it 135 minutes after 09:40?" One pass collects the time and all amounts ("2 hours and 15 minutes"), in
 * whatever order they stand; the rest writes the answer and its working. */
static bool solve_clock(const struct tokens *t, struct solution *ret)
{
    int64_t start_min = -1, minutes = 0;
    bool found = false, before = tokens_have(t, "before");
    for (size_t at = 0; at < t->count; at++) {
        if (t->items[at].type == TOKEN_TIME)
            start_min = t->items[at].value;
        int count = whole_at(t, at, 100000);
        if (count < 0 || at + 1 >= t->count)
            continue;
        bool hours =
            token_is_word(&t->items[at + 1], "hours") || token_is_word(&t->items[at + 1], "hour");
        bool is_minutes = token_is_word(&t->items[at + 1], "minutes") ||
                          token_is_word(&t->items[at + 1], "minute");
        found = found || hours || is_minutes;
        minutes += hours ? 60 * (int64_t)count : is_minutes ? count : 0;
    }
    if (start_min < 0 || !found)
        return false;
    int64_t end = (((start_min + (before ? -minutes : minutes)) % 1440) + 1440) % 1440;
    start(ret, FORM_TIME, (unsigned)(minutes / 120));
    snprintf(ret->answer, sizeof(ret->answer), "%02d:%02d", (int)(end / 60), (int)(end % 60));
    snprintf(ret->because, sizeof(ret->because), "%02d:%02d %s %d minutes is %s",
             (int)(start_min / 60), (int)(start_min % 60), before ? "minus" : "plus", (int)minutes,
             ret->answer);
    return true;
}

bool solve_calendar(const struct tokens *t, struct solution *ret)
{
    struct date dates[DATES_MAX];
    if (solve_leap_year(t, ret) || solve_clock(t, ret))
        return true;
    size_t count = find_dates(t, dates);
    bool weekday = tokens_have(t, "weekday") || tokens_have_phrase(t, "day of the week");
    if (count == 2 && tokens_have(t, "days"))
        return solve_distance(dates[0], dates[1], ret);
    if (count == 1 && weekday)
        return solve_weekday(dates[0], ret);
    if (count == 1 && tokens_have(t, "date"))
        return solve_offset(t, dates[0], ret);
    return count == 0 && solve_month_length(t, ret);
}
