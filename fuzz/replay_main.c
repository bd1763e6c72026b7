/* Runs one fuzz target over files and folders of files, without libFuzzer: seeds and past crashes are tests.
 *
 * Each file runs in a child, so that a crash is counted and the next file still runs. The last line reads
 * "N passed, N failed". Folders that do not exist are skipped: a target may have no regressions yet. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define INPUT_BYTES_MAX (1u << 24)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
    int passed, failed;
};

/* The child's work: 0 when the target came back. */
static int run_target(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return 1;
    uint8_t *bytes = malloc(INPUT_BYTES_MAX);
    size_t size = bytes ? fread(bytes, 1, INPUT_BYTES_MAX, f) : 0;
    fclose(f);
    if (!bytes)
        return 1;
    uint8_t *exact = malloc(size ? size : 1); /* so that a read past the end is caught */
    if (!exact)
        return 1;
    memcpy(exact, bytes, size);
    free(bytes);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

static void replay_file(const char *path, struct tally *tally)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        exit(run_target(path));
    int state = 0;
    bool ok = child > 0 && waitpid(child, &state, 0) == child && WIFEXITED(state) &&
              WEXITSTATUS(state) == 0;
    if (ok) {
        tally->passed++;
        return;
    }
    tally->failed++;
    printf("FAILED %s\n", path);
}

static void replay_folder(const char *path, struct tally *tally)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char name[4096];
        if (entries[i]->d_name[0] != '.') {
            snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
            replay_file(name, tally);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

int main(int argc, char **argv)
{
    struct tally tally = {0, 0};
    for (int i = 1; i < argc; i++) {
        struct stat info;
        if (stat(argv[i], &info))
            continue;
        if (S_ISDIR(info.st_mode))
            replay_folder(argv[i], &tally);
        else
            replay_file(argv[i], &tally);
    }
    printf("%d passed, %d failed\n", tally.passed, tally.failed);
    return tally.failed || !tally.passed;
}
