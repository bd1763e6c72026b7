/* What a request needs beyond text, and what an expert offers: bits of one set. */
#pragma once

enum expert_capability {
    EXPERT_TOOLS = 1,
    EXPERT_IMAGES = 2,
    EXPERT_JSON = 4,
    EXPERT_EFFORT = 8, /* it knows reasoning_effort; no request needs it */
};
