/* What a request asks of an expert beyond text, and what an expert can do: bits of one set. */
#pragma once

enum expert_capability { EXPERT_TOOLS = 1, EXPERT_IMAGES = 2, EXPERT_JSON = 4 };
