/* Weekdays, distances, leap years, month lengths and clock times. Ground truth comes from the C library's
 * calendar (timegm), which the experts' solver does not use. */
#include <stdio.h>
#include <time.h>

#include "base/check.h"
#include "pose/question_int.h"

#define DAY_SECONDS 86400

typedef void maker(struct rng *rng, unsigned level, struct question *ret);

static const char *const MONTHS[12] = {"January",   "February", "March",    "April",
                                       "May",       "June",     "July",     "August",
                                       "September", "October",  "November", "December"};
static const char *const WEEKDAYS[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday"};

static struct tm day_of(time_t seconds)
{
    struct tm day;
    CHECK(gmtime_r(&seconds, &day));
    return day;
}

/* Noon of a day of the level: near 2010, the 20th century, or 1700 to 2299. */
static time_t draw_day(struct rng *rng, unsigned level)
{
    static const int low[] = {1990, 1900, 1700}, high[] = {2030, 2100, 2299};
    struct tm day = {.tm_year = (int)draw(rng, low[level - 1], high[level - 1]) - 1900,
                     .tm_mday = 1 + (int)rng_below(rng, 365),
                     .tm_hour = 12};
    return timegm(&day);
}

static void format_day(struct rng *rng, time_t seconds, char *into, size_t size)
{
    struct tm day = day_of(seconds);
    const char *month = MONTHS[day.tm_mon];
    switch (rng_below(rng, 3)) {
    case 0:
        snprintf(into, size, "%d %s %d", day.tm_mday, month, day.tm_year + 1900);
        return;
    case 1:
        snprintf(into, size, "%s %d, %d", month, day.tm_mday, day.tm_year + 1900);
        return;
    default:
        snprintf(into, size, "%04d-%02d-%02d", day.tm_year + 1900, day.tm_mon + 1, day.tm_mday);
    }
}

static void make_weekday(struct rng *rng, unsigned level, struct question *ret)
{
    static const char *const texts[] = {
        "Which weekday is @1?",
        "On which day of the week does @1 fall?",
        "What day of the week is @1?",
    };
    char day[32];
    time_t seconds = draw_day(rng, level);
    format_day(rng, seconds, day, sizeof(day));
    question_phrase(ret, texts[rng_below(rng, 3)], day, NULL, NULL);
    question_answer(ret, "%s", WEEKDAYS[day_of(seconds).tm_wday]);
}

static void make_distance(struct rng *rng, unsigned level, struct question *ret)
{
    static const int64_t days_max[] = {60, 1000, 40000};
    static const char *const texts[] = {
        "How many days are there between @1 and @2?",
        "How many days is it from @1 to @2?",
    };
    char first[32], second[32];
    long long days = draw(rng, 2, days_max[level - 1]);
    time_t seconds = draw_day(rng, level);
    format_day(rng, seconds, first, sizeof(first));
    format_day(rng, seconds + (time_t)days * DAY_SECONDS, second, sizeof(second));
    question_phrase(ret, texts[rng_below(rng, 2)], first, second, NULL);
    question_answer(ret, "%lld", days);
}

static void make_offset(struct rng *rng, unsigned level, struct question *ret)
{
    static const int64_t days_max[] = {28, 200, 2000};
    static const char *const texts[] = {
        "What date is @1 days @2 @3? Answer as YYYY-MM-DD.",
        "Which date lies @1 days @2 @3? Write it as year-month-day.",
    };
    char day[32], number[24];
    long long days = draw(rng, 2, days_max[level - 1]);
    bool after = rng_below(rng, 2) == 0;
    time_t seconds = draw_day(rng, level);
    format_day(rng, seconds, day, sizeof(day));
    struct tm end = day_of(seconds + (time_t)(after ? days : -days) * DAY_SECONDS);
    snprintf(number, sizeof(number), "%lld", days);
    question_phrase(ret, texts[rng_below(rng, 2)], number, after ? "after" : "before", day);
    question_answer(ret, "%04d-%02d-%02d", end.tm_year + 1900, end.tm_mon + 1, end.tm_mday);
}

static void make_leap_year(struct rng *rng, unsigned level, struct question *ret)
{
    static const char *const texts[] = {"Is @1 a leap year?", "Was the year @1 a leap year?"};
    long long year = level == 3 ? 100 * draw(rng, 15, 30) : draw(rng, 1900, 2100);
    struct tm last = {.tm_year = (int)year - 1900, .tm_mon = 1, .tm_mday = 29, .tm_hour = 12};
    timegm(&last);
    question_phrase_numbers(ret, texts[rng_below(rng, 2)], year, 0);
    question_answer(ret, "%s", last.tm_mon == 1 ? "yes" : "no");
}

static void make_clock(struct rng *rng, unsigned level, struct question *ret)
{
    int hour = (int)rng_below(rng, 24), minute = (int)rng_below(rng, 60);
    long long hours = draw(rng, 2, level == 3 ? 40 : 9), minutes = draw(rng, 2, 59);
    long long end = (hour * 60 + minute + hours * 60 + minutes) % 1440;
    if (rng_below(rng, 2) == 0)
        question_text(
            ret,
            "A train leaves at %02d:%02d and travels for %lld hours and %lld minutes. At what "
            "time does it arrive?",
            hour, minute, hours, minutes);
    else
        question_text(ret, "What time is it %lld hours and %lld minutes after %02d:%02d?", hours,
                      minutes, hour, minute);
    question_answer(ret, "%02lld:%02lld", end / 60, end % 60);
}

void question_calendar(struct rng *rng, unsigned level, struct question *ret)
{
    static maker *const makers[] = {make_weekday, make_distance, make_offset, make_leap_year,
                                    make_clock};
    makers[rng_below(rng, 5)](rng, level, ret);
}
