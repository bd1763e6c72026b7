/* One tensor of llama.cpp's graph, copied out as soon as it is computed. */
#include "lm/lm_hidden.h"

#include <stdlib.h>
#include <string.h>

enum status lm_hidden_init(struct lm_hidden *h, size_t layer, size_t width, size_t rows_max,
                           struct error *err)
{
    *h = (struct lm_hidden){.width = width, .rows_max = rows_max};
    if (layer)
        snprintf(h->tensor, sizeof(h->tensor), "l_out-%zu", layer - 1);
    else
        snprintf(h->tensor, sizeof(h->tensor), "result_norm");
    h->rows = malloc(rows_max * width * sizeof(*h->rows));
    return h->rows ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

void lm_hidden_clear(struct lm_hidden *h)
{
    free(h->rows);
    *h = (struct lm_hidden){0};
}

/* llama.cpp asks of each tensor whether it is wanted, and shows it when it is computed; "no" then ends the batch. */
bool lm_hidden_observe(struct ggml_tensor *t, bool ask, void *hidden)
{
    struct lm_hidden *h = hidden;
    if (ask)
        return strcmp(t->name, h->tensor) == 0;
    size_t rows = (size_t)t->ne[1];
    if (t->type == GGML_TYPE_F32 && (size_t)t->ne[0] == h->width && rows <= h->rows_max &&
        t->ne[2] == 1 && t->ne[3] == 1) {
        ggml_backend_tensor_get(t, h->rows, 0, rows * h->width * sizeof(float));
        h->count = rows;
    }
    return false;
}
