/* The set that was found by asking: see probe_output.h. Figures are points of a hundred, each with its standard error.
 * What they are measured on is said beside them, because the choice rests on more questions than its figures do. Called
 * from the thread of the command, when all is asked. */
#include "print/probe_output.h"

#include "base/buf.h"
#include "base/json.h"

#define SET_BYTES_MAX (1u << 16)

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static struct str name_of(const struct play_probed *p, size_t candidate)
{
    return p->data->experts[candidate].name;
}

/* Why it ended, in words for people, and in one for programs. */
static const char *reason(enum probe_end end)
{
    static const char *const words[] = {
        [PROBE_RUNNING] = "it was ended",
        [PROBE_DECIDED] = "decided: no other set is likely to be better by what asking is worth",
        [PROBE_ASKED_ALL] = "every question is asked",
        [PROBE_MONEY] = "the money is used up: more of it would make the choice surer",
    };
    return words[end];
}

static const char *reason_name(enum probe_end end)
{
    static const char *const names[] = {[PROBE_RUNNING] = "ended",
                                        [PROBE_DECIDED] = "decided",
                                        [PROBE_ASKED_ALL] = "asked_all",
                                        [PROBE_MONEY] = "money"};
    return names[end];
}

static void print_doubts(const struct play_probed *p, FILE *out)
{
    const struct probe_result *r = &p->result;
    if (r->doubt_count == 0)
        return;
    fprintf(out, "may be as good, when last asked:\n");
    for (size_t i = 0; i < r->doubt_count; i++) {
        const struct probe_doubt *d = &r->doubts[i];
        fprintf(out, "%+10.2f  ± %5.2f   %.*s in the place of a member\n", -100 * d->loss.mean,
                100 * d->loss.error, STR_FMT(name_of(p, d->candidate)));
    }
    fputc('\n', out);
}

static void print_next(const struct play_probed *p, const char *folder, FILE *out)
{
    const struct probe_result *r = &p->result;
    fprintf(out, "to go on:\n  leeroo train %s --experts ", folder);
    for (size_t i = 0; i < r->count; i++)
        fprintf(out, "%s%.*s", i ? "," : "", STR_FMT(name_of(p, r->steps[i].candidate)));
    fprintf(out, " -o leeroo-model.safetensors\n  leeroo play %s --spend USD\n\n", folder);
}

/* One piece: a line or a column for each figure, in the order in which a person reads them. */
void probe_print(const struct play_probed *p, const char *folder, FILE *out)
{
    const struct probe_result *r = &p->result;
    int64_t cost = 0;
    if (r->count == 0) {
        fprintf(out, "no set: the money does not reach for the first questions\n");
        return;
    }
    fprintf(out,
            "a set of %zu of %zu by coverage: it covers %.1f ± %.1f %%; found for %.4f USD by %zu "
            "question%s\n\n",
            r->count, p->data->expert_count, 100 * r->coverage.mean, 100 * r->coverage.error,
            money_usd(p->spent_nano_usd), r->questions, plural(r->questions));
    fprintf(out, "on %zu that all members were asked:\n", r->whole);
    fprintf(out, "      adds             achieves %%           USD/1,000   member\n");
    for (size_t i = 0; i < r->count; i++) {
        const struct probe_step *s = &r->steps[i];
        cost += s->cost_nano_usd;
        fprintf(out, "%+10.2f  ± %5.2f   %10.2f  ± %5.2f   %9.4f   %.*s\n", 100 * s->gain.mean,
                100 * s->gain.error, 100 * s->coverage.mean, 100 * s->coverage.error,
                money_usd(s->cost_nano_usd), STR_FMT(name_of(p, s->candidate)));
    }
    fprintf(out, "\ntogether %.4f USD for 1,000 questions to each", money_usd(cost));
    if (p->cost_max_nano_usd > 0)
        fprintf(out, ", of at most %.4f", money_usd(p->cost_max_nano_usd));
    fprintf(out, "\n%s", reason(r->end));
    if (r->open > 0)
        fprintf(out, "; %zu expert%s neither in nor out for good", r->open,
                r->open == 1 ? " is" : "s are");
    fprintf(out, "\n\n");
    print_doubts(p, out);
    print_next(p, folder, out);
    fflush(out);
}

/* As JSON */

static void add_figure(struct buf *b, const char *name, struct probe_figure f)
{
    buf_addf(b, ",\"%s\":%.6f,\"%s_error\":%.6f", name, f.mean, name, f.error);
}

static void add_name(struct buf *b, const struct play_probed *p, size_t i, size_t candidate)
{
    buf_add_c(b, i ? ",{\"expert\":" : "{\"expert\":");
    json_write_string(b, name_of(p, candidate));
}

/* One piece: the object as it is spelled. */
void probe_print_json(const struct play_probed *p, FILE *out)
{
    const struct probe_result *r = &p->result;
    struct buf b;
    buf_init(&b, SET_BYTES_MAX);
    buf_addf(
        &b,
        "{\"candidates\":%zu,\"questions\":%zu,\"questions_measured\":%zu,"
        "\"spent_usd\":%.9f,\"end\":\"%s\",\"open\":%zu,\"achieves\":%.6f,\"achieves_error\":%.6f,"
        "\"members\":[",
        p->data->expert_count, r->questions, r->whole, money_usd(p->spent_nano_usd),
        reason_name(r->end), r->open, r->coverage.mean, r->coverage.error);
    for (size_t i = 0; i < r->count; i++) {
        add_name(&b, p, i, r->steps[i].candidate);
        add_figure(&b, "adds", r->steps[i].gain);
        add_figure(&b, "achieves", r->steps[i].coverage);
        buf_addf(&b, ",\"usd_per_1k\":%.9f}", money_usd(r->steps[i].cost_nano_usd));
    }
    buf_add_c(&b, "],\"doubts\":[");
    for (size_t i = 0; i < r->doubt_count; i++) {
        add_name(&b, p, i, r->doubts[i].candidate);
        add_figure(&b, "loses", r->doubts[i].loss);
        buf_add_char(&b, '}');
    }
    buf_add_c(&b, "]}\n");
    fwrite(buf_str(&b).ptr, 1, buf_str(&b).len, out);
    buf_done(&b);
    fflush(out);
}
