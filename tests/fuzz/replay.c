/* Calls a fuzzer with each file of the folder named: replay CORPUS.  A finding crashes, or stops at an assertion. */
#define _GNU_SOURCE /* scandir */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

enum { SIZE_MAX_READ = 1 << 20 };

static int replay(const char *folder, const char *name) {
    char path[4096];
    static uint8_t bytes[SIZE_MAX_READ];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    const size_t n = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    uint8_t *exact = malloc(n ? n : 1); /* of the very size, so that AddressSanitizer sees a byte too far */
    if (!exact) return 1;
    for (size_t i = 0; i < n; i++) exact[i] = bytes[i];
    (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 0;
}

int main(int argc, char **argv) {
    struct dirent **entries;
    const int n = argc == 2 ? scandir(argv[1], &entries, NULL, alphasort) : -1;
    if (n < 0) {
        (void)fprintf(stderr, "replay: needs a folder of inputs\n");
        return 2;
    }
    int failed = 0, done = 0;
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.') {
            failed += replay(argv[1], entries[i]->d_name);
            done++;
        }
        free(entries[i]);
    }
    free(entries);
    (void)printf("%d inputs replayed\n", done);
    return failed || !done;
}
