/* map_guard.h: a file that is cut under its mapping ends nobody, and what is written there is read again. */
#include "base/map_guard.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "base/temp.h"
#include "base/thread.h"

#define PAGE  4096
#define PAGES 64

static struct temp temp;
static char *map;
static int fd;

static void begin(void)
{
    temp_begin(&temp, "mapped");
    fd = open(temp.path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_eq(ftruncate(fd, PAGES * PAGE), 0);
    map = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    cr_assert_neq(map, MAP_FAILED);
    memset(map, 'a', PAGES * PAGE);
}

static void end(void)
{
    munmap(map, PAGES * PAGE);
    close(fd);
    temp_end(&temp);
}

TestSuite(map_guard, .init = begin, .fini = end);

static const char *said;
static size_t times;

static void say(const char *name)
{
    said = name;
    times++;
}

Test(map_guard, a_cut_page_is_memory_and_the_rest_stays_the_file)
{
    struct map_guard *g;
    cr_assert_eq(map_guard_begin(map, PAGES * PAGE, temp.path, &g, NULL), OK);
    map_guards_tell(say);
    cr_assert_eq(times, 0);
    cr_assert_eq(ftruncate(fd, 2 * PAGE), 0);
    cr_assert_eq(map[PAGE], 'a');
    cr_assert_not(map_guard_is_cut(g));
    cr_assert_eq(map[5 * PAGE + 7], 0);
    cr_assert(map_guard_is_cut(g));
    memcpy(map + 9 * PAGE, "kept", 4);
    cr_assert_eq(memcmp(map + 9 * PAGE, "kept", 4), 0);
    map[PAGE] = 'b';
    char found = 0;
    cr_assert_eq(pread(fd, &found, 1, PAGE), 1);
    cr_assert_eq(found, 'b');
    map_guards_tell(say);
    map_guards_tell(say);
    cr_assert_eq(times, 1);
    cr_assert_str_eq(said, temp.path);
    map_guard_end(g);
}

static void *count_up(void *arg)
{
    for (size_t i = 0; i < PAGES; i++)
        __atomic_fetch_add((int *)(void *)(map + i * PAGE), 1, __ATOMIC_SEQ_CST);
    return arg;
}

Test(map_guard, threads_that_meet_on_a_page_lose_nothing)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    struct map_guard *g;
    struct error err;
    cr_assert_eq(map_guard_begin(map, PAGES * PAGE, temp.path, &g, NULL), OK);
    cr_assert_eq(ftruncate(fd, 0), 0);
    for (size_t i = 0; i < THREADS; i++)
        cr_assert_eq(thread_start(&threads[i], count_up, NULL, &err), OK);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < PAGES; i++) {
        int value;
        memcpy(&value, map + i * PAGE, sizeof(value));
        cr_assert_eq(value, THREADS, "page %zu", i);
    }
    map_guard_end(g);
}

Test(map_guard, as_many_maps_as_there_is_room_for)
{
    struct map_guard *all[MAP_GUARDS_MAX], *more;
    for (size_t i = 0; i < MAP_GUARDS_MAX; i++)
        cr_assert_eq(map_guard_begin(map + i * PAGE, PAGE, "m", &all[i], NULL), OK);
    cr_assert_eq(map_guard_begin(map, PAGE, "m", &more, NULL), ERR_MEMORY);
    for (size_t i = 0; i < MAP_GUARDS_MAX; i++)
        map_guard_end(all[i]);
    map_guard_end(NULL);
}

Test(map_guard, another_mapping_is_nobodys, .signal = SIGBUS)
{
    struct map_guard *g;
    signal(SIGBUS, SIG_DFL); /* a sanitizer's handler would turn it into an abort */
    unlink(temp.path);
    rmdir(temp.folder);
    cr_assert_eq(map_guard_begin(map, PAGE, temp.path, &g, NULL), OK);
    cr_assert_eq(ftruncate(fd, 0), 0);
    map[PAGE] = 'x';
}
