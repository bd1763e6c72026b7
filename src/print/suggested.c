/* See suggested.h. */
#include "print/suggested.h"

#include "base/json.h"

#define BROKEN_SHOWN 10

void suggested_print_json(const struct suggested *s, struct buf *out)
{
    const struct enroll_questions *q = &s->q;
    size_t n = 0;
    buf_add_c(out, "{\"suggested\":[");
    for (size_t i = 0; i < q->count; i++) {
        buf_add_c(out, i ? "," : "");
        json_write_string(out, suggested_query(s, q->picks[i])->id);
    }
    buf_add_c(out, "],\"broken\":[");
    for (size_t i = 0; i < q->rows.count; i++)
        if (q->ways[i] != BROKEN_NOT) {
            buf_add_c(out, n++ ? ",{\"id\":" : "{\"id\":");
            json_write_string(out, suggested_query(s, i)->id);
            buf_addf(out, ",\"why\":\"%s\"}", broken_way_name(q->ways[i]));
        }
    buf_add_c(out, "]}\n");
}

void suggested_print_broken(const struct suggested *s, FILE *to)
{
    const struct enroll_questions *q = &s->q;
    size_t shown = 0;
    bool one = q->broken == 1;
    if (!q->broken)
        return;
    fprintf(to, "%zu question%s broken by what others made of %s, and %s not suggested:\n",
            q->broken, one ? " seems" : "s seem", one ? "it" : "them", one ? "is" : "are");
    for (size_t i = 0; i < q->rows.count && shown < BROKEN_SHOWN; i++)
        if (q->ways[i] != BROKEN_NOT) {
            shown++;
            fprintf(to, "  %-10s %.*s\n", broken_way_name(q->ways[i]),
                    STR_FMT(suggested_query(s, i)->id));
        }
    if (shown < q->broken)
        fprintf(to, "  and %zu more, which --json names\n", q->broken - shown);
}
