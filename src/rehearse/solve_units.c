/* Conversions between units of one dimension, exact in rational numbers: "Convert 5 km to m", "How many minutes are in
 * 3 days and 4 hours?", and Celsius to Fahrenheit and back. Answers have up to four decimals.
 *
 * Pure functions on the stack, any thread. Sums are fractions of 128 bits; amounts too large for that are not
 * understood. */
#include <stdio.h>

#include "base/int128.h"
#include "rehearse/solve.h"

#define UNIT_DECIMALS 4

enum dimension { LENGTH, MASS, VOLUME, DURATION };

/* One unit is num / den of its dimension's base (millimetre, gram, millilitre, second). */
struct unit {
    const char *names[4]; /* singular, plural, other spellings */
    enum dimension dimension;
    int64_t num, den;
};

static const struct unit UNITS[] = {
    {{"millimeter", "millimeters", "mm", "millimetres"}, LENGTH, 1, 1},
    {{"centimeter", "centimeters", "cm", "centimetres"}, LENGTH, 10, 1},
    {{"meter", "meters", "m", "metres"}, LENGTH, 1000, 1},
    {{"kilometer", "kilometers", "km", "kilometres"}, LENGTH, 1000000, 1},
    {{"inch", "inches", NULL, NULL}, LENGTH, 127, 5},
    {{"foot", "feet", "ft", NULL}, LENGTH, 1524, 5},
    {{"yard", "yards", "yd", NULL}, LENGTH, 4572, 5},
    {{"mile", "miles", "mi", NULL}, LENGTH, 1609344, 1},
    {{"milligram", "milligrams", "mg", NULL}, MASS, 1, 1000},
    {{"gram", "grams", "g", NULL}, MASS, 1, 1},
    {{"kilogram", "kilograms", "kg", NULL}, MASS, 1000, 1},
    {{"tonne", "tonnes", NULL, NULL}, MASS, 1000000, 1},
    {{"milliliter", "milliliters", "ml", "millilitres"}, VOLUME, 1, 1},
    {{"liter", "liters", "l", "litres"}, VOLUME, 1000, 1},
    {{"second", "seconds", "s", "sec"}, DURATION, 1, 1},
    {{"minute", "minutes", "min", NULL}, DURATION, 60, 1},
    {{"hour", "hours", "h", NULL}, DURATION, 3600, 1},
    {{"day", "days", NULL, NULL}, DURATION, 86400, 1},
    {{"week", "weeks", NULL, NULL}, DURATION, 604800, 1},
};

static const struct unit *unit_at(const struct tokens *t, size_t at)
{
    for (size_t u = 0; at < t->count && u < sizeof(UNITS) / sizeof(UNITS[0]); u++)
        for (size_t n = 0; n < 4; n++)
            if (UNITS[u].names[n] && token_is_word(&t->items[at], UNITS[u].names[n]))
                return &UNITS[u];
    return NULL;
}

/* The unit asked for: behind "how many", "to", "in" or "into" and not behind a number. */
static const struct unit *unit_wanted(const struct tokens *t)
{
    for (size_t at = 1; at < t->count; at++) {
        const struct token *before = &t->items[at - 1];
        bool asked = token_is_word(before, "many") || token_is_word(before, "to") ||
                     token_is_word(before, "in") || token_is_word(before, "into");
        if (asked && unit_at(t, at))
            return unit_at(t, at);
    }
    return NULL;
}

/* value = num / den rounded to four decimals, trailing zeros cut. */
static bool format_ratio(int128 num, int128 den, char *into, size_t size)
{
    int128 scaled = (num * 10000 + (num < 0 ? -den : den) / 2) / den;
    if (scaled > (int128)TOKEN_NUMBER_MAX || scaled < -(int128)TOKEN_NUMBER_MAX)
        return false;
    int64_t all = (int64_t)(scaled < 0 ? -scaled : scaled);
    int n = snprintf(into, size, "%s%lld.%04lld", scaled < 0 ? "-" : "", (long long)(all / 10000),
                     (long long)(all % 10000));
    while (n > 1 && into[n - 1] == '0')
        into[--n] = '\0';
    if (n > 1 && into[n - 1] == '.')
        into[n - 1] = '\0';
    return true;
}

static unsigned size_of(const char *answer)
{
    unsigned digits = 0;
    for (; *answer != '\0'; answer++)
        digits += *answer >= '0' && *answer <= '9' ? 1 : 0;
    return digits;
}

/* Adds up every "NUMBER UNIT" of the wanted dimension; the sum is in base units as a fraction. */
static bool sum_amounts(const struct tokens *t, const struct unit *wanted, int128 *num, int128 *den)
{
    *num = 0;
    *den = 1;
    bool found = false;
    for (size_t at = 0; at + 1 < t->count; at++) {
        const struct unit *u = unit_at(t, at + 1);
        const struct token *amount = &t->items[at];
        if (!u || amount->type != TOKEN_NUMBER || u->dimension != wanted->dimension)
            continue;
        if (amount->value > INT64_C(1000000000000) || *den > 1000000)
            return false;
        int128 add_den = (int128)amount->scale * u->den;
        *num = *num * add_den + (int128)amount->value * u->num * *den;
        *den *= add_den;
        found = true;
        if (*num > (int128)TOKEN_NUMBER_MAX * 1000000)
            return false;
    }
    return found;
}

/* Converts the first number that has a unit behind it. Temperatures do not fit the table of units, since their scales
 * have different zeros. */
static bool solve_temperature(const struct tokens *t, struct solution *ret)
{
    size_t celsius = tokens_find_word(t, 0, "celsius"),
           fahrenheit = tokens_find_word(t, 0, "fahrenheit");
    if (celsius == SIZE_MAX || fahrenheit == SIZE_MAX)
        return false;
    for (size_t at = 0; at < t->count; at++) {
        const struct token *n = &t->items[at];
        if (n->type != TOKEN_NUMBER || n->value > 1000000000)
            continue;
        bool negative = at > 0 && token_is_sign(&t->items[at - 1], '-');
        int128 value = negative ? -n->value : n->value, scale = n->scale;
        /* The unit right behind the number (perhaps after "degrees") is the one it is in. */
        size_t near =
            at + 1 < t->count && token_is_word(&t->items[at + 1], "degrees") ? at + 2 : at + 1;
        bool to_fahrenheit = near == celsius;
        if (!to_fahrenheit && near != fahrenheit)
            continue;
        bool fits = to_fahrenheit ? format_ratio(value * 9 + 160 * scale, 5 * scale, ret->answer,
                                                 sizeof(ret->answer))
                                  : format_ratio((value - 32 * scale) * 5, 9 * scale, ret->answer,
                                                 sizeof(ret->answer));
        ret->size = size_of(ret->answer);
        snprintf(ret->because, sizeof(ret->because), "%s%.*s degrees %s are %s degrees %s",
                 negative ? "-" : "", STR_FMT(n->text), to_fahrenheit ? "Celsius" : "Fahrenheit",
                 ret->answer, to_fahrenheit ? "Fahrenheit" : "Celsius");
        return fits;
    }
    return false;
}

bool solve_units(const struct tokens *t, struct solution *ret)
{
    ret->skill = SKILL_UNITS;
    ret->form = FORM_NUMBER;
    if (solve_temperature(t, ret))
        return true;
    const struct unit *wanted = unit_wanted(t);
    int128 num = 0, den = 1;
    if (!wanted || !sum_amounts(t, wanted, &num, &den))
        return false;
    if (!format_ratio(num * wanted->den, den * wanted->num, ret->answer, sizeof(ret->answer)))
        return false;
    ret->size = size_of(ret->answer);
    snprintf(ret->because, sizeof(ret->because), "that is %s %s", ret->answer, wanted->names[1]);
    return true;
}
