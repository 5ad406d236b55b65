/* Time of day, for records.  Durations: orr_now of base/progress.h. */
#ifndef ORR_BASE_CLOCK_H
#define ORR_BASE_CLOCK_H

enum { ORR_TIMESTAMP_SIZE = 28 };

/* "2025-01-31T12:34:56.123456Z" */
void orr_clock_timestamp(char out[ORR_TIMESTAMP_SIZE]);

#endif
