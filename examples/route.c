/* Which expert each text should go to, by libleeroo: what `leeroo route` does, in forty lines of one's own.
 *
 *   cc route.c $(pkg-config --cflags --libs leeroo) -o route
 *   ./route model.safetensors 100 <texts       a text a line; 100 is lambda, quality per USD
 *   ./route model.safetensors 100 -0 <texts    texts that end in NUL bytes, and so may have many lines
 *
 * One thread; every handle is freed by whoever made it. */
#include <leeroo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints the decision about one text as a line of JSON. */
static int route(const struct leeroo_policy *policy, const char *text, size_t bytes, const char *id,
                 struct leeroo_error *err)
{
    struct leeroo_query query = LEEROO_QUERY_INIT;
    struct leeroo_decision *decision = NULL;
    char *json = NULL;
    query.text = text;
    query.text_bytes = bytes;
    int code = leeroo_route(policy, &query, &decision, err);
    if (code == LEEROO_OK)
        code = leeroo_decision_json(decision, id, &json, err);
    if (code == LEEROO_OK)
        puts(json);
    leeroo_string_free(json);
    leeroo_decision_free(decision);
    return code;
}

static int route_all(const struct leeroo_policy *policy, int end, struct leeroo_error *err)
{
    char *text = NULL, id[24];
    size_t capacity = 0, number = 0;
    int code = LEEROO_OK;
    for (ssize_t n; code == LEEROO_OK && (n = getdelim(&text, &capacity, end, stdin)) > 0;) {
        size_t bytes = (size_t)n - (text[n - 1] == end);
        snprintf(id, sizeof(id), "%zu", ++number);
        code = route(policy, text, bytes, id, err);
    }
    free(text);
    return code;
}

int main(int argc, char **argv)
{
    struct leeroo_error err;
    struct leeroo_model *model = NULL;
    struct leeroo_router *router = NULL;
    struct leeroo_policy *policy = NULL;
    struct leeroo_policy_options options = LEEROO_POLICY_OPTIONS_INIT;
    if (argc < 3) {
        fprintf(stderr, "usage: route MODEL LAMBDA [-0] <TEXTS\n");
        return 2;
    }
    options.lambda = atof(argv[2]);
    int code = leeroo_model_load(argv[1], &model, &err);
    if (code == LEEROO_OK)
        code = leeroo_router_create(model, NULL, 0, &router, &err);
    if (code == LEEROO_OK)
        code = leeroo_policy_create(router, &options, &policy, &err);
    if (code == LEEROO_OK)
        code = route_all(policy, argc > 3 && strcmp(argv[3], "-0") == 0 ? '\0' : '\n', &err);
    if (code != LEEROO_OK)
        fprintf(stderr, "route: %s\n", err.text);
    leeroo_policy_free(policy);
    leeroo_router_free(router);
    leeroo_model_free(model);
    return code == LEEROO_OK ? 0 : 1;
}
