/* GET /v1/experts. */
#include <criterion/criterion.h>

#include "stage.h"

Test(experts, tells_how_each_one_is)
{
    struct stage *s = stage_begin(", retries: 0, concurrency: 7, breaker: {failures: 1}", NULL);
    stage_play(s, CHEAP, (struct canned){.http_status = 500, .body = "{\"error\":{}}"});
    stage_expect(s, CHAT_PATH, CHAT_TO("cheap", ""), 502, NULL);
    stage_expect(s, "/v1/experts", NULL, 200,
                 "{\"object\":\"list\",\"data\":[{\"id\":\"cheap\",\"object\":\"expert\","
                 "\"state\":\"open\",\"available\":false,\"reason\":\"circuit open\","
                 "\"retry_after_ms\":",
                 "\"failures\":1,\"opened\":1,\"in_flight\":0,\"queued\":0,\"turned_away\":0,"
                 "\"concurrency\":7,\"requests_per_minute\":null,\"tokens_per_minute\":null,"
                 "\"latency_ms\":null,\"placed\":null}",
                 "{\"id\":\"mid\",\"object\":\"expert\",\"state\":\"closed\",\"available\":true,"
                 "\"reason\":null,\"retry_after_ms\":0,\"failures\":0,",
                 "{\"id\":\"dear\"", NULL);
    stage_end(s);
}
