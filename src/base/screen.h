/* What people read, made to fit their terminal (base/text_fit.h). Elsewhere, in a pipe or a file, it is printed as it
 * is: whoever cuts columns out of it finds them where they always are. */
#pragma once

#include <stdio.h>

#include "base/buf.h"

/* As file_print, but fitted. Not for JSON. */
NODISCARD enum status screen_print(FILE *to, struct buf *b, struct error *err);

/* For what is written piece by piece: to ->out between begin and end; on a terminal it appears at the end. */
struct screen {
    FILE *out, *to;
    char *text;
    size_t len;
};

FILE *screen_begin(struct screen *s, FILE *to); /* s->out */
void screen_end(struct screen *s);
