/* What `leeroo play` prints: see play_output.h.
 *
 * Numbers come from src/play; here they get units and places. Lines of figures are followed by what went wrong, what
 * the scores rest on and what became of the model, each where there is something to say of it. Anything unknown is a
 * dash, never a zero. Called from the thread of the command, once a round, while nothing is in flight. */
#include "print/play_output.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/saturate.h"

#define USD_BYTES 32

/* Four decimals; under a cent as many as make three digits, so that what is not nothing never looks like it. */
static const char *usd(char into[USD_BYTES], int64_t nano_usd)
{
    int decimals = 4;
    for (int64_t below = NANO_PER_USD / 100; nano_usd > 0 && nano_usd < below && decimals < 9;
         below /= 10)
        decimals++;
    snprintf(into, USD_BYTES, "%.*f", decimals, (double)nano_usd / (double)NANO_PER_USD);
    return into;
}

/* Of a word that is counted. */
static const char *ending(size_t count)
{
    return count == 1 ? "" : "s";
}

/* Points of a hundred; `sign`: also where it is positive. */
static const char *points(char into[16], double value, bool sign)
{
    if (isnan(value))
        return "-";
    snprintf(into, 16, sign ? "%+.1f" : "%.1f", 100 * value);
    return into;
}

static void print_evaluation(const char *lines, FILE *out)
{
    for (const char *end; (end = strchr(lines, '\n')) != NULL; lines = end + 1)
        fprintf(out, "        %.*s\n", (int)(end - lines), lines);
}

/* How many questions, why, and where the first of them stands. */
static void print_dropped(const struct play_posed *posed, const char *indent, FILE *out)
{
    char dropped[512];
    drop_counts_print(&posed->dropped, dropped, sizeof(dropped));
    if (dropped[0] != '\0')
        fprintf(out, "%squestions: %s\n", indent, dropped);
    if (posed->first.status != OK)
        fprintf(out, "%sthe first: %s\n", indent, posed->first.text);
}

/* One piece: each line is a condition and what is said of it. */
static void print_failures(const struct play_round *r, FILE *out)
{
    print_dropped(&r->posed, "        ", out);
    if (r->broken + r->left_out > 0)
        fprintf(out, "        %zu call%s failed, %zu %s not made for experts that kept failing\n",
                r->broken, ending(r->broken), r->left_out, r->left_out == 1 ? "was" : "were");
    if (r->unpaid > 0)
        fprintf(out, "        the cap is reached: %zu call%s not made\n", r->unpaid,
                r->unpaid == 1 ? " was" : "s were");
    if (r->evaluation)
        print_evaluation(r->evaluation, out);
    if (r->problem)
        fprintf(out, "        no model yet: %s\n", r->problem);
    else if (r->publication == PLAY_UNCOMPARED)
        fprintf(
            out,
            "        nothing is published: models are compared on %d questions or more that all "
            "have answered,\n"
            "        and %zu of these are there\n",
            PUBLISH_QUESTIONS_MIN, r->compared);
    else if (r->publication == PLAY_FIRST || r->publication == PLAY_PUBLISHED)
        fprintf(
            out,
            "        this model is in force now; `leeroo rollback` puts back what was before\n");
    else if (r->publication == PLAY_KEPT && fpclassify(r->gain_in_force) == FP_ZERO)
        fprintf(out,
                "        the model in force stays: at the policies in force both choose alike\n");
    else if (r->publication == PLAY_KEPT && !isnan(r->confidence))
        fprintf(out,
                "        the model in force stays: the confidence that this one is better is "
                "%.0f %%, and %.0f %% are asked for\n",
                100 * r->confidence, 100 * r->confidence_min);
}

/* Two lines, what was asked and what came of it; the figures of quality are in points of a hundred. */
void play_print_round(const struct play_round *r, FILE *out)
{
    char area[16], mix[16], last[16], doubt[16], spent[USD_BYTES], all[USD_BYTES];
    fprintf(out, "round %zu/%zu  +%zu questions  %zu cells  %s USD (%s in all)\n", r->round,
            r->rounds, r->questions_new, r->cells, usd(spent, r->spent_nano_usd),
            usd(all, r->spent_all_nano_usd));
    fprintf(out, "        area %s  over mix %s  over last %s  doubt %s  %s\n",
            points(area, r->area, false), points(mix, r->gain_mix, true),
            points(last, r->gain_last, true), points(doubt, r->doubt, false),
            play_publication_name(r->publication));
    print_failures(r, out);
    fflush(out);
}

void play_print_collected(const struct play_round *r, FILE *out)
{
    char spent[USD_BYTES], all[USD_BYTES];
    fprintf(out, "%zu question%s  %zu answer%s  %s USD (%s in all)\n", r->questions,
            ending(r->questions), r->cells, ending(r->cells), usd(spent, r->spent_nano_usd),
            usd(all, r->spent_all_nano_usd));
    print_failures(r, out);
    fflush(out);
}

/* What was made up is not worth asking, or nobody made anything up: no round says so. */
static void print_posed(const struct play_end *end, FILE *out)
{
    char dropped[512], booked[USD_BYTES];
    drop_counts_print(&end->posed.dropped, dropped, sizeof(dropped));
    fprintf(out, "no new question came of %zu request%s to generators, %zu of which failed%s%s\n",
            end->posed.requests, end->posed.requests == 1 ? "" : "s", end->posed.failed,
            dropped[0] ? ": " : "", dropped);
    fprintf(out, "%s USD are booked; dropped.jsonl has what was dropped, and why\n",
            usd(booked, end->booked_nano_usd));
}

/* Why it ended, and what would let it go on. */
static void print_reason(const struct play_end *end, const struct play_settings *s, FILE *out)
{
    char booked[USD_BYTES], cap[USD_BYTES];
    usd(booked, end->booked_nano_usd);
    usd(cap, s->spend_nano_usd);
    if (s->spend_nano_usd < end->booked_before_nano_usd)
        fprintf(out,
                "--spend %s is less than the %s USD that are booked already: nobody is asked\n",
                cap, booked);
    else if (end->cap_reached)
        fprintf(out, "cap reached: %s of %s USD are booked\n", booked, cap);
    else if (end->nothing_left && end->failing > 0)
        fprintf(out, "nothing is left to ask but %zu that keep failing: `leeroo check` asks them\n",
                end->failing);
    else if (end->nothing_left && end->posed.requests > 0)
        print_posed(end, out);
    else if (end->nothing_left && s->members > 0)
        fprintf(out, "nobody was asked: what is known decides\n");
    else if (end->nothing_left && s->everything)
        fprintf(out, "nothing is left to ask: every expert has been asked every question\n");
    else if (end->nothing_left)
        fprintf(out, "nothing is left to ask: the questions are used up; --questions or --generate "
                     "gives more\n");
    else if (end->played == 0)
        fprintf(out, "all %zu rounds are over; --rounds %zu goes on\n", end->rounds,
                end->rounds + 1);
}

void play_print_end(const struct play_end *end, const struct play_settings *s, const char *folder,
                    FILE *out)
{
    char usd_text[USD_BYTES];
    print_reason(end, s, out);
    if (end->lost_nano_usd > 0)
        fprintf(out, "%s USD are booked for calls that ended with their process\n",
                usd(usd_text, end->lost_nano_usd));
    if (!s->everything)
        fprintf(out, "%zu round%s, ", end->rounds, ending(end->rounds));
    fprintf(out, "%s USD for answers; the data set is %s", usd(usd_text, end->spent_nano_usd),
            folder);
    if (end->rounds > 0)
        fprintf(out, ", the report %s/report.html", folder);
    fputc('\n', out);
    fflush(out);
}

static void print_forecast_row(const char *round, const char *phase, struct str expert,
                               const struct play_forecast_row *row, FILE *out)
{
    char expected[USD_BYTES], most[USD_BYTES];
    fprintf(out, "%-6s%-11s%-32.*s %9zu %12s %12s\n", round, phase, STR_FMT(expert), row->calls,
            usd(expected, row->expected_nano_usd), usd(most, row->most_nano_usd));
}

void play_print_forecast(const struct play_forecast *f, const struct play_options *o, FILE *out)
{
    struct play_forecast_row all = {0};
    char round[24];
    fprintf(out, "%zu question%s; nobody is asked\n", f->questions, ending(f->questions));
    print_dropped(&f->posed, "", out);
    fprintf(out, "\n%-6s%-11s%-32s %9s %12s %12s\n", "round", "for", "expert", "calls", "USD",
            "at most");
    for (size_t i = 0; i < f->rounds * PLAY_PHASES * f->experts; i++) {
        const struct play_forecast_row *row = &f->rows[i];
        size_t phase = i / f->experts % PLAY_PHASES;
        if (row->expected_nano_usd == 0 && row->calls == 0)
            continue;
        snprintf(round, sizeof(round), "%zu", i / f->experts / PLAY_PHASES + 1);
        print_forecast_row(round, play_phase_name((enum play_phase)phase),
                           o->experts[i % f->experts].name, row, out);
        all.calls += row->calls;
        all.expected_nano_usd = add_saturated(all.expected_nano_usd, row->expected_nano_usd);
        all.most_nano_usd = add_saturated(all.most_nano_usd, row->most_nano_usd);
    }
    print_forecast_row("all", "", STR(""), &all, out);
    char cap[USD_BYTES];
    if (o->settings->spend_nano_usd != INT64_MAX)
        fprintf(out, "\nNo more than %s USD are spent, whatever answers cost.\n",
                usd(cap, o->settings->spend_nano_usd));
}
