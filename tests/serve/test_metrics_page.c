/* GET /metrics: what the page says that no worker counts. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count_if.h"
#include "stage.h"

Test(metrics_page, what_was_survived_is_listed_once_it_has_happened, .timeout = 60)
{
    struct stage *s = stage_begin(NULL, "");
    char line[256];
    char *page = stage_ask(s, "/metrics", NULL);
    cr_expect(strstr(page, "# TYPE leeroo_survivable_total counter\n"), "%s", page);
    cr_expect_null(strstr(page, "leeroo_survivable_total{"));
    free(page);
    int where = __LINE__ + 2;
    for (int i = 0; i < 2; i++)
        cr_expect(COUNT_IF(strcmp("a", "b") != 0));
    snprintf(line, sizeof(line),
             "\nleeroo_survivable_total{place=\"tests/serve/test_metrics_page.c:%d\","
             "what=\"strcmp(\\\"a\\\", \\\"b\\\") != 0\"} 2\n",
             where);
    page = stage_ask(s, "/metrics", NULL);
    cr_expect(strstr(page, line), "%s is not in\n%s", line, page);
    free(page);
    stage_end(s);
}
