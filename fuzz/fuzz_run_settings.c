/* run.json of a run: any bytes are settings or are refused. */
#include <stdint.h>

#include "base/check.h"
#include "play/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct play_settings s;
    if (size > 1 << 16)
        return 0;
    struct arena *arena = arena_create(16 << 20);
    CHECK(arena != NULL);
    if (play_settings_parse((struct str){(const char *)data, size}, "fuzz", arena, &s, NULL) == OK)
        CHECK(s.rounds >= 1 && s.questions.count <= PLAY_LIST_MAX && s.spend_nano_usd >= 0 &&
              s.cost_max_nano_usd >= 0);
    arena_free(arena);
    return 0;
}
