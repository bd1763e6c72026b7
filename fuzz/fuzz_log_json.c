/* A line of the log: whatever it holds, what comes of it is one JSON object of printable UTF-8 in the room that there
 * is. */
#include "base/log_json.h"

#include <string.h>

#include "base/check.h"
#include "base/json.h"

#define ROOM 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(struct str line, size_t room)
{
    char text[ROOM + 1];
    struct json_value root;
    text[room] = 'Z';
    size_t n = log_json_write(text, room, line);
    CHECK(n <= room);
    CHECK(text[room] == 'Z');
    CHECK(json_parse((struct str){text, n}, "line", 1, &root, NULL) == OK);
    CHECK(root.type == JSON_OBJECT);
    CHECK(utf8_valid((struct str){text, n}));
    CHECK(!memchr(text, '\n', n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str line = {(const char *)data, size};
    check_line(line, ROOM);
    check_line(line, LOG_JSON_BYTES_MIN + (size ? data[0] : 0));
    return 0;
}
