/* Decimal numbers as files write them, whatever the locale of the process. */
#ifndef ORR_BASE_NUMBER_H
#define ORR_BASE_NUMBER_H

#include <stddef.h>

/* Reads a number that fills all of text[0 .. n-1]: [+-] digits [. digits] [e [+-] digits], digits on at least one side of
 * the point, or [+-] inf.  The result is the double nearest to it; what is too small becomes 0.
 * Returns NULL, or what would have been right: "a number such as -1.5e3".  text[n] must be '\0'. */
const char *orr_number_read(const char *text, size_t n, double *out);

#endif
