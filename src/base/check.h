/* Assertions for programmer errors. CHECK stays on in release builds; neither may ever judge input,
 * I/O or memory: those return an enum status. One condition per assertion. */
#pragma once

void check_failed(const char *condition, const char *file, int line)
    __attribute__((noreturn, cold));
/* Who says it, where standard error cannot be written to directly; NULL: nobody. The text ends with a newline. */
typedef void check_say(const char *text);
void check_say_by(check_say *say);

#define CHECK(condition)                                                                           \
    (__builtin_expect(!!(condition), 1) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))

#ifdef NDEBUG
#define DEBUG_CHECK(condition) ((void)0)
#else
#define DEBUG_CHECK(condition) CHECK(condition)
#endif
