/* Three lambdas as a table, with the lines for leeroo.yaml. Figures are those of print/lambda_points.h. */
#include "print/lambda_advice.h"

#include <math.h>

#include "base/json.h"

static const char *const names[LAMBDA_PLACES] = {"matches", "knee", "half"};

static double share_of(const struct lambda_points *p, const struct lambda_point *x)
{
    return p->best_usd_per_1k > 0 ? x->usd_per_1k / p->best_usd_per_1k : (double)NAN;
}

static void print_meaning(const struct lambda_points *p, enum lambda_place place, FILE *out)
{
    if (place == LAMBDA_MATCHES)
        fprintf(out, "about as good as %.*s alone, for the least\n", STR_FMT(p->best));
    else if (place == LAMBDA_KNEE)
        fprintf(out, "the knee: from here on more quality is dear\n");
    else
        fprintf(out, "half of what %.*s alone costs\n", STR_FMT(p->best));
}

/* As lines that can be copied: the best single's quality where there is a way to it, and the knee for who asks for it.
 */
static void print_policies(const struct lambda_points *p, FILE *out)
{
    const struct lambda_point *usual = &p->at[LAMBDA_MATCHES], *knee = &p->at[LAMBDA_KNEE];
    if (!usual->there)
        usual = p->at[LAMBDA_HALF].there ? &p->at[LAMBDA_HALF] : knee;
    fprintf(out, "\n  policies:   # in leeroo.yaml\n    default: {lambda: %g}\n", usual->lambda);
    if (usual->lambda < knee->lambda)
        fprintf(out, "    thrifty: {lambda: %g}   # model \"leeroo/thrifty\"\n", knee->lambda);
}

/* One piece: a table, a row a place. */
void lambda_advice_print(const struct lambda_points *p, FILE *out)
{
    const struct lambda_point *knee = &p->at[LAMBDA_KNEE];
    if (p->queries < LAMBDA_ROWS_MIN || !knee->there)
        return;
    fprintf(out,
            "\nWhat lambda to take, by held-out estimates and what was recorded of %zu queries\n"
            "(\u00b1 one standard error); %.*s alone: %.1f \u00b1%.1f %%, %.4f USD per 1,000\n\n",
            p->queries, STR_FMT(p->best), 100 * p->best_quality, 100 * p->best_error,
            p->best_usd_per_1k);
    fprintf(out, "  %8s  %11s  %9s  %6s\n", "lambda", "quality", "USD/1,000", "cost");
    for (enum lambda_place i = 0; i < LAMBDA_PLACES; i++) {
        const struct lambda_point *x = &p->at[i];
        fprintf(out, "  ");
        if (x->there)
            fprintf(out, "%8.6g  %5.1f \u00b1%.1f %%  %9.4f  %4.0f %%  ", x->lambda,
                    100 * x->quality, 100 * x->quality_error, x->usd_per_1k, 100 * share_of(p, x));
        else
            fprintf(out, "%8s  %11s  %9s  %6s  ", "none", "-", "-", "-");
        print_meaning(p, i, out);
    }
    print_policies(p, out);
    if (p->has_plans)
        fputs("\nThese are of single experts; plans add to them, for the same lambda. How much, "
              "says\n"
              "`leeroo eval --folds 5` on the same data.\n",
              out);
}

void lambda_advice_json(const struct lambda_points *p, struct buf *b)
{
    buf_add_c(b, "\"lambdas\":");
    if (p->queries < LAMBDA_ROWS_MIN || !p->at[LAMBDA_KNEE].there) {
        buf_add_c(b, "null");
        return;
    }
    buf_addf(b, "{\"queries\":%zu,\"best\":", p->queries);
    json_write_string(b, p->best);
    for (enum lambda_place i = 0; i < LAMBDA_PLACES; i++) {
        const struct lambda_point *x = &p->at[i];
        const double figures[] = {x->lambda, x->quality, x->quality_error, x->usd_per_1k};
        static const char *const keys[] = {
            "{\"lambda\":", ",\"quality\":", ",\"quality_se\":", ",\"usd_per_1k\":"};
        buf_addf(b, ",\"%s\":", names[i]);
        for (size_t k = 0; k < 4 && x->there; k++) {
            buf_add_c(b, keys[k]);
            json_write_double(b, figures[k]);
        }
        buf_add_c(b, x->there ? "}" : "null");
    }
    buf_add_char(b, '}');
}
