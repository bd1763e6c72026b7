/* See printable.h. */
#include "print/printable.h"

void printable_add(struct buf *b, struct str text)
{
    char line[PRINTABLE_MAX * 3 + 1]; /* a byte that is no text becomes three */
    struct str cut = utf8_cut(text, PRINTABLE_MAX);
    buf_add(b, (struct str){line, utf8_make_printable(line, sizeof(line), cut)});
    buf_add_c(b, cut.len < text.len ? "…" : "");
}
