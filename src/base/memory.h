/* How much memory this process has needed. */
#ifndef ORR_BASE_MEMORY_H
#define ORR_BASE_MEMORY_H

#include <stdint.h>

/* The most bytes that were resident at once since the process began, or since the last reset; 0 where the system doesn't say. */
int64_t orr_memory_peak(void);
/* Counts the peak from now on, where the system can do that (Linux); else the peak stays that of the process. */
void orr_memory_reset_peak(void);

#endif
