#include "base/memory.h"

#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>

/* VmHWM is what a reset can lower; ru_maxrss isn't. */
int64_t orr_memory_peak(void) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long long kib = 0;
    while (file && kib == 0 && fgets(line, (int)sizeof line, file)) (void)sscanf(line, "VmHWM: %lld", &kib);
    if (file) (void)fclose(file);
    struct rusage usage;
    if (kib == 0 && getrusage(RUSAGE_SELF, &usage) == 0) kib = usage.ru_maxrss;
    return (int64_t)kib * 1024;
}

void orr_memory_reset_peak(void) {
#ifdef __GLIBC__
    (void)malloc_trim(0); /* what was freed but kept by the allocator is no need of what comes now */
#endif
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (!file) return;
    (void)fputs("5", file); /* proc(5): resets the peak of the resident set */
    (void)fclose(file);
}
